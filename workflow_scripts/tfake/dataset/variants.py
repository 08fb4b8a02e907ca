"""Which variants a dataset has, and which of its stores holds their labels."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfake.dataset.place import DatasetError, Place

#: Labels that a variant may bring: a camera of another geometry moves all of them, imported files have points.
_MOVED = ("segmentation", "landmarks_70", "landmarks_478")


@dataclass(frozen=True)
class LabelSource:
    """Where labels are read: the variant that brings its own, or None, and the names that it brings."""

    variant: str | None
    own: frozenset[str]

    def path(self, name: str) -> str:
        """The array of one label, below the dataset's folder."""
        return f"variants/{self.variant}/thermal.zarr/{name}" if name in self.own else f"faces/faces.zarr/{name}"


def find_variants(place: Place, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The variants to read.

    Args:
        place: the dataset.
        wanted: their names, or None for all that are there.

    Raises:
        DatasetError: one of them is not there.
    """
    if wanted is None:
        listed = place.names("variants")
        return tuple(name for name in listed if place.has(f"variants/{name}/thermal.zarr/thermal/zarr.json"))
    names = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    for name in names:
        if not place.has(f"variants/{name}/thermal.zarr/thermal/zarr.json"):
            there = ", ".join(find_variants(place, None)) or "none that can be listed"
            raise DatasetError(f"{place.address} has no variant {name!r}; it has {there}")
    return names


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


def covered_rows(place: Place, variants: Sequence[str], rows: int) -> np.ndarray:
    """Which rows every one of the given variants was made for: (rows,) bool; a variant may be a slice of the source."""
    covered = np.ones(rows, dtype=bool)
    for name in variants:
        if (summary := place.read(f"variants/{name}/summary.json")) is not None:
            made = np.zeros(rows, dtype=bool)
            for shard in json.loads(summary)["shards"]:
                made[slice(*shard["rows"])] = True
            covered &= made
    return covered


def _has_own(place: Place, variant: str, label: str) -> bool:
    return place.has(f"variants/{variant}/thermal.zarr/{label}/zarr.json")
