"""A variant of a slice of the source keeps the source's rows; what lies outside its shards is not written."""

from collections.abc import Collection
from pathlib import Path


def remove_other_shards(store: str | Path, shards: Collection[int]) -> list[Path]:
    """Remove what an earlier, larger slice left in a store.

    Args:
        store: the store's folder.
        shards: the numbers of the shards that belong to the slice; files of every other number are removed.

    Returns:
        The files that were removed.
    """
    removed = []
    for grid in sorted(Path(store).glob("*/c")):
        for number in sorted(grid.iterdir()):
            if number.name.isdigit() and int(number.name) not in shards:
                stale = [number] if number.is_file() else [path for path in number.rglob("*") if path.is_file()]
                for path in stale:
                    path.unlink()
                removed += stale
    return removed
