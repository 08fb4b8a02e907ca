"""Rows of an array, in any order, each shard's in one go."""

from collections.abc import Iterator

import numpy as np
import zarr

from tfake.store.shard_reader import ShardReader


def read_rows(array: zarr.Array, rows: np.ndarray, shards: ShardReader | None = None) -> np.ndarray:
    """Read rows of an array, whose shards are visited in their order, none of them twice.

    Args:
        array: rows along axis 0.
        rows: (n,) int row numbers in any order, repeats allowed.
        shards: reads rows that have no neighbour among them; None: the array reads all.

    Returns:
        (n, ...) the rows, as stored.
    """
    wanted, places = np.unique(rows, return_inverse=True)
    found = np.empty((len(wanted), *array.shape[1:]), array.dtype)
    if array.shards is None:
        # A shard is one chunk, decoded as a whole whatever part of it is asked for.
        shards = wanted // array.chunks[0]
        for shard in np.unique(shards):
            start = shard * array.chunks[0]
            found[shards == shard] = array[start : start + array.chunks[0]][wanted[shards == shard] - start]
    else:
        for first, last in runs(wanted, array.shards[0]):
            if first == last and shards is not None:
                found[first] = shards.row(int(wanted[first]))
            else:
                found[first : last + 1] = array[wanted[first] : wanted[last] + 1]
    return found[places]


def runs(wanted: np.ndarray, shard_rows: int) -> Iterator[tuple[int, int]]:
    """Runs of consecutive rows that lie in one shard.

    Args:
        wanted: (n,) int rows, ascending, none twice.
        shard_rows: rows a shard.

    Yields:
        Places in ``wanted`` of a run's first and last row.
    """
    breaks = np.flatnonzero((np.diff(wanted) != 1) | (np.diff(wanted // shard_rows) != 0))
    yield from zip([0, *(breaks + 1)], [*breaks, len(wanted) - 1], strict=True) if len(wanted) else ()
