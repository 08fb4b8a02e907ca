"""How a row's dense landmarks came about."""

from enum import IntEnum


class MeshStatus(IntEnum):
    """Codes of ``landmarks_478_status``."""

    OK = 0
    NOT_FOUND = 1
    NO_IMAGE = 2
