"""A variant of a slice of the source keeps the source's rows; what lies outside its shards is not written."""

from collections.abc import Sequence
from pathlib import Path

from tfake.store.manifest import read_manifest


def remove_other_shards(store: str | Path, manifests: Sequence[str | Path]) -> list[Path]:
    """Remove what an earlier, larger slice left in a store and beside it.

    Args:
        store: the store's folder.
        manifests: those of the shards that belong to the slice; files of every other shard are removed, and the
            manifests that lie in their place.

    Returns:
        The files that were removed.
    """
    shards = {read_manifest(path).shard for path in manifests}
    kept = {Path(path).resolve() for path in manifests}
    places = {path.parent for path in kept if path.parent.name == "manifests"}
    removed = [path for place in places for path in sorted(place.glob("*.json")) if path not in kept]
    for path in removed:
        path.unlink()
    for grid in sorted(Path(store).glob("*/c")):
        for number in sorted(grid.iterdir()):
            if number.name.isdigit() and int(number.name) not in shards:
                stale = [number] if number.is_file() else [path for path in number.rglob("*") if path.is_file()]
                for path in stale:
                    path.unlink()
                removed += stale
    return removed
