"""Which variants a dataset has, and which of its stores holds their labels."""

from collections.abc import Sequence
from dataclasses import dataclass

from tfake.dataset.place import FACES, DatasetError, Place

#: Labels that a variant may bring: a camera of another geometry moves all of them, imported files have points.
_MOVED = ("segmentation", "landmarks_70", "landmarks_478")


@dataclass(frozen=True)
class LabelSource:
    """Where labels are read: the variant that brings its own, or None, and the names that it brings."""

    variant: str | None
    own: frozenset[str]

    def path(self, name: str) -> str:
        """The array of one label, below the dataset's folder."""
        return f"variants/{self.variant}/thermal.zarr/{name}" if name in self.own else f"{FACES}/{name}"


def find_variants(place: Place, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The variants to read.

    Args:
        place: the dataset.
        wanted: their names. None: all that are there and have their images in the source's geometry, or a single one
            of another geometry.

    Raises:
        DatasetError: one of them is not there, or None are in the source's geometry and several in others.
    """
    if wanted is None:
        there = list_variants(place)
        alike = tuple(name for name in there if not _has_own(place, name, "segmentation"))
        if len(there) > 1 and not alike:
            names = ", ".join(there)
            raise DatasetError(
                f"{place.address}: {names} each have a geometry and labels of their own; name one of them"
            )
        return alike or there
    names = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    for name in names:
        if not _is_there(place, name):
            there = ", ".join(list_variants(place)) or "none that can be listed"
            raise DatasetError(f"{place.address} has no variant {name!r}; it has {there}")
    return names


def list_variants(place: Place) -> tuple[str, ...]:
    """The variants that are there, begun ones included; none where the place cannot be listed."""
    return tuple(name for name in place.names("variants") if _is_there(place, name))


def label_source(place: Place, variants: Sequence[str]) -> LabelSource:
    """Where the labels of the given variants are.

    Raises:
        DatasetError: several variants, and one of them has a geometry of its own.
    """
    own = {name: frozenset(label for label in _MOVED if _has_own(place, name, label)) for name in variants}
    if len(variants) == 1 and own[variants[0]]:
        return LabelSource(variants[0], own[variants[0]])
    # In one geometry, what they have in common are the labels of the source.
    if apart := [name for name in variants if "segmentation" in own[name]]:
        raise DatasetError(
            f"variant {apart[0]!r} has a geometry and labels of its own; open it by itself, not with the others of "
            f"{', '.join(variants)}"
        )
    return LabelSource(None, frozenset())


def _is_there(place: Place, variant: str) -> bool:
    return place.has(f"variants/{variant}/thermal.zarr/thermal/zarr.json")


def _has_own(place: Place, variant: str, label: str) -> bool:
    return place.has(f"variants/{variant}/thermal.zarr/{label}/zarr.json")
