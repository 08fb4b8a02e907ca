"""Making a store's metadata, and writing one shard of it."""

import itertools
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.codecs import BloscCodec

from tfake.store.layout import ArrayLayout
from tfake.store.opening import open_store

#: Shuffling lays bytes, or the bits of single bytes, of like weight side by side; zstd then finds little left to store.
#: Chosen by size and speed among the codecs of docs/benchmarks.md; in Blosc's own, smaller blocks, zstd takes a
#: quarter to a half longer to write, and half as long again or more to read. RGB images in lz4 are a fifth larger than
#: in zstd, and read two to three times as fast.
_LEVELS = {"zstd": 1, "lz4": 5}
_BLOCK_BYTES = 1 << 18


class StoreError(ValueError):
    """A store's files do not hold what they should; the message names the file."""


def create_store(
    path: str | Path, layout: Iterable[ArrayLayout], rows: int, shard_images: int, attributes: Mapping[str, Any]
) -> None:
    """Write a store's metadata, and only that; shards already there are kept unless they lie outside the new grid.

    Args:
        path: the store's folder.
        layout: its arrays.
        rows: length of axis 0.
        shard_images: rows a shard; the last shard may hold fewer.
        attributes: JSON attributes of the store's root.
    """
    group = zarr.open_group(path, mode="a", zarr_format=3)
    group.attrs.put(dict(attributes))
    shards = math.ceil(rows / shard_images)
    for array in layout:
        metadata = Path(path, array.name, "zarr.json")
        metadata.unlink(missing_ok=True)
        group.create_array(
            array.name,
            shape=(rows, *array.row_shape),
            chunks=(1 if array.chunk_per_row else shard_images, *array.row_shape),
            shards=(shard_images, *array.row_shape) if array.chunk_per_row else None,
            dtype=array.dtype,
            compressors=_compressor_for(array),
            fill_value=array.fill_value,
            attributes=array.attributes,
            dimension_names=array.dimensions,
        )
        for number in itertools.count(shards):
            stale = Path(path, array.shard_file(number))
            if not stale.exists():
                break
            stale.unlink()


def _compressor_for(array: ArrayLayout) -> BloscCodec:
    itemsize = np.dtype(array.dtype).itemsize
    return BloscCodec(
        typesize=itemsize,
        cname=array.codec,
        clevel=_LEVELS[array.codec],
        shuffle="shuffle" if itemsize > 1 else "bitshuffle",
        blocksize=_BLOCK_BYTES,
    )


def write_shard(path: str | Path, values: Mapping[str, np.ndarray], shard: int) -> None:
    """Write one shard of the given arrays and read it back.

    Args:
        path: the store's folder, with its metadata in place.
        values: array name to the shard's rows, in the array's dtype.
        shard: the shard's number.

    Raises:
        StoreError: the rows do not fit the shard, or what was written does not read back as it was.
    """
    # One thread: several would lay the chunks into the shard's file in the order in which they happen to finish, and
    # equal data would not be equal bytes.
    group = open_store(path, mode="r+", threads=1)
    for name, rows in values.items():
        _write_rows(f"{path}/{name}", group[name], rows, shard)


def _write_rows(where: str, array: zarr.Array, rows: np.ndarray, shard: int) -> None:
    shard_rows = (array.shards or array.chunks)[0]
    start = shard * shard_rows
    stop = min(start + shard_rows, array.shape[0])
    if rows.shape != (stop - start, *array.shape[1:]) or rows.dtype != array.dtype:
        expected = f"{array.dtype} of shape {(stop - start, *array.shape[1:])}"
        raise StoreError(f"{where}: shard {shard} takes {expected}; found {rows.dtype} of {rows.shape}")
    array[start:stop] = rows
    # Comparing bytes, not values: NaN is not equal to itself.
    if np.asarray(array[start:stop]).tobytes() != np.ascontiguousarray(rows).tobytes():
        raise StoreError(f"{where}: shard {shard} does not read back as it was written")
