"""Which variants a dataset has, and which of its stores holds their labels."""

from collections.abc import Sequence
from dataclasses import dataclass

from tfake.reader.dataset_store import FACES, DatasetError, DatasetStore

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


def find_variants(store: DatasetStore, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The variants to read.

    Args:
        store: the dataset.
        wanted: their names. None: all that are there and have their images in the source's geometry, or a single one
            of another geometry.

    Raises:
        DatasetError: one of them is not there, or None are in the source's geometry and several in others.
    """
    if wanted is None:
        there = list_variants(store)
        alike = tuple(name for name in there if not _has(store, name, "segmentation"))
        if len(there) > 1 and not alike:
            raise DatasetError(
                f"{store.address}: {', '.join(there)} each have a geometry and labels of their own; name one of them"
            )
        return alike or there
    names = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    if absent := [name for name in names if not _has(store, name, "thermal")]:
        listed = ", ".join(list_variants(store)) or "none that can be listed"
        raise DatasetError(f"{store.address} has no variant {absent[0]!r}; it has {listed}")
    return names


def list_variants(store: DatasetStore) -> tuple[str, ...]:
    """The variants that are there, begun ones included; none where the address cannot be listed."""
    return tuple(name for name in store.names("variants") if _has(store, name, "thermal"))


def label_source(store: DatasetStore, variants: Sequence[str]) -> LabelSource:
    """Where the labels of the given variants are.

    Raises:
        DatasetError: several variants, and one of them has a geometry of its own.
    """
    own = {name: frozenset(label for label in _MOVED if _has(store, name, label)) for name in variants}
    if len(variants) == 1 and own[variants[0]]:
        return LabelSource(variants[0], own[variants[0]])
    # In one geometry, what they have in common are the labels of the source.
    if apart := [name for name in variants if "segmentation" in own[name]]:
        raise DatasetError(
            f"variant {apart[0]!r} has a geometry and labels of its own; open it by itself, not with the others of "
            f"{', '.join(variants)}"
        )
    return LabelSource(None, frozenset())


def _has(store: DatasetStore, variant: str, array: str) -> bool:
    return store.has(f"variants/{variant}/thermal.zarr/{array}/zarr.json")
