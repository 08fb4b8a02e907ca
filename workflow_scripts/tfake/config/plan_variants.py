"""Which kind of variant a config's entry is."""

from collections.abc import Mapping
from typing import Any

#: A key that tells the kind of an entry that does not state it.
_TOLD_BY = {"of": "recorded", "files": "imported"}


def variant_kind(settings: Mapping[str, Any]) -> str:
    """Name the kind of a variant.

    Args:
        settings: the variant's entry of the config.

    Returns:
        Its ``kind``, a key of :data:`tfake.variants.kinds.KINDS`; where none is stated, what its other keys tell.
    """
    told = (kind for key, kind in _TOLD_BY.items() if key in settings)
    return settings.get("kind") or next(told, "thermalized")
