"""Opening stores for reading and writing, making their metadata, and writing one shard.

With the Rust codec pipeline, where it is installed, which is several times as fast as Zarr's own. Zarr knows one
pipeline for the whole process (``zarr.config``), read whenever an array is opened by any thread: that setting belongs
to the program that imports this package. So each array that is opened here is given its pipeline by itself. The bytes
are plain Zarr v3 with either.
"""

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import zarr
from zarr.abc.codec import CodecPipeline
from zarr.codecs import BloscCodec
from zarr.core.codec_pipeline import BatchedCodecPipeline
from zarr.core.metadata import ArrayV3Metadata
from zarr.storage import LocalStore

from tfake.store.layouts import ArrayLayout
from tfake.store.shards import StoreError

try:
    from zarrs import ZarrsCodecPipeline
    from zarrs._internal import CodecPipelineImpl
except ModuleNotFoundError:
    # Readers alone do without.
    ZarrsCodecPipeline = None

#: Shuffling lays bytes, or the bits of single bytes, of like weight side by side; zstd then finds little left to store.
#: Chosen by size and speed among the codecs of docs/benchmarks.md; in Blosc's own, smaller blocks, zstd takes a
#: quarter to a half longer to write, and half as long again or more to read. RGB images in lz4 are a fifth larger than
#: in zstd, and read two to three times as fast.
_LEVELS = {"zstd": 1, "lz4": 5}
_BLOCK_BYTES = 1 << 18


class StoreGroup(Mapping[str, zarr.Array]):
    """A store's arrays by name, and its attributes."""

    def __init__(self, group: zarr.Group, threads: int | None):
        """Use :func:`open_store`."""
        self._group = group
        self._threads = threads

    @property
    def attrs(self):
        """Zarr's attributes of the store's root."""
        return self._group.attrs

    def __getitem__(self, name: str) -> zarr.Array:
        """Open an array.

        Raises:
            KeyError: there is none of this name.
        """
        array = self._group[name]
        assert isinstance(array, zarr.Array)  # our stores are flat
        return with_pipeline(array, self._threads)

    def __iter__(self) -> Iterator[str]:
        """The arrays' names."""
        return iter(self._group.array_keys())

    def __len__(self) -> int:
        """How many arrays there are."""
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        """Whether there is an array of this name; the folder is not listed for it."""
        return isinstance(name, str) and name in self._group


def open_store(path: str | Path, mode: Literal["r", "r+"] = "r", threads: int | None = None) -> StoreGroup:
    """Open a store of this workflow in a local folder.

    Args:
        path: the store's folder.
        mode: ``r`` or ``r+``.
        threads: as :func:`with_pipeline`.

    Raises:
        FileNotFoundError: there is no store.
    """
    return StoreGroup(zarr.open_group(path, mode=mode, zarr_format=3), threads)


def with_pipeline(array: zarr.Array, threads: int | None = None) -> zarr.Array:
    """Give an open array the pipeline that suits its place, whatever ``zarr.config`` says.

    Args:
        array: a Zarr v3 array, just opened; it is changed.
        threads: how many the Rust pipeline may use; None: as many as there are processors.

    Returns:
        The same array.
    """
    # Zarr's dataclass is frozen, and assigns this field in the same way.
    object.__setattr__(array.async_array, "codec_pipeline", _pipeline(array, threads))
    return array


def _pipeline(array: zarr.Array, threads: int | None) -> CodecPipeline:
    assert isinstance(array.metadata, ArrayV3Metadata)
    plain = BatchedCodecPipeline.from_codecs(array.metadata.codecs)
    if ZarrsCodecPipeline is None or not isinstance(array.store, LocalStore):
        # The Rust pipeline fetches over the net by itself, and holds up every other Python thread while it waits.
        return plain
    try:
        rust = CodecPipelineImpl(
            json.dumps(array.metadata.to_dict()),
            store_config=array.store,
            validate_checksums=True,
            num_threads=threads,
        )
    except TypeError:
        # Somebody else's codecs.
        return plain
    return ZarrsCodecPipeline(metadata=array.metadata, store=array.store, impl=rust, python_impl=plain)


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
