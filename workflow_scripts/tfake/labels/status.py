"""How a row's dense landmarks came about: codes of the faces store."""

from enum import IntEnum


class MeshStatus(IntEnum):
    """Codes of ``landmarks_478_status``. The first three rows have 478 points."""

    OK = 0  # the first attempt agrees best with the exact points, and well enough
    RETRIED = 1  # a later attempt does, where the first left something to wish for
    FITTED = 2  # no attempt does: a face shape fitted to the exact points
    REJECTED = 3  # a mesh was found, disagrees, and nothing stands in for it
    NOT_FOUND = 4  # no mesh was found, and nothing stands in for it
    NO_IMAGE = 5  # the source sample cannot be used


#: The statuses of rows that have 478 points.
LABELLED = (MeshStatus.OK, MeshStatus.RETRIED, MeshStatus.FITTED)


class Attempt(IntEnum):
    """Codes of ``landmarks_478_attempt``: how the image was shown to the backend when it agreed best."""

    GUIDED = 0  # the levelled surroundings of the exact points
    WIDE = 1  # the same with a larger margin
    FULL = 2  # the whole image, all of whose faces are detected
    MIRRORED = 3  # the levelled surroundings, mirrored
    LIFTED = 4  # the levelled surroundings with lifted shadows
    NONE = 5  # no attempt found a mesh


class PointState(IntEnum):
    """Codes of ``landmarks_478_visibility``: whether a point's place on the face can be seen, or what covers it."""

    VISIBLE = 0
    SELF_OCCLUDED = 1  # behind the face itself
    HAIR = 2
    GLASSES = 3
    HEADWEAR = 4
    FACEWEAR = 5
    CLOTHING = 6
    OUTSIDE = 7  # outside the image
    UNKNOWN = 8  # the row has no points
