"""Single rows of a sharded array, straight from its shards' files.

Drawing rows at random, as training does, asks for one chunk at a time. A library spends two thirds of that on finding
out which bytes of which file it is (docs/benchmarks.md); here that is known after a shard's first row.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
import zarr

from tfake.store.arrays import StoreError
from tfake.store.sharding import NO_CHUNK, chunk_codec, index_bytes, unpack_index

#: Files held open, with their indices; beyond it the one longest not asked for is closed.
_SHARDS_OPEN = 128


class ShardReader:
    """An array in a local folder, one chunk a row in shards; may be used from several threads."""

    def __init__(self, folder: str | Path, array: zarr.Array) -> None:
        """Take an array; no file is opened yet.

        Args:
            folder: the array's.
            array: the same array, for its layout.

        Raises:
            StoreError: the array is laid out in another way than :func:`tfake.store.arrays.create_store` does it.
        """
        self._folder = Path(folder)
        self._codec = chunk_codec(array, str(folder))
        self._shape, self._dtype, self._fill_value = array.shape[1:], array.dtype, array.fill_value
        self._rows = array.shards[0]
        self._open = lru_cache(_SHARDS_OPEN)(self._open_shard)

    def row(self, number: int) -> np.ndarray:
        """Read one row.

        Args:
            number: its number in the array.

        Returns:
            The row, which cannot be written to; the array's fill value throughout if it was never written.

        Raises:
            StoreError: its shard's index or its chunk is damaged; the message names the file and the row.
        """
        shard, slot = divmod(number, self._rows)
        try:
            file, index = self._open(shard)
        except FileNotFoundError:
            return self._unwritten()
        offset, length = index[slot].tolist()
        if offset == NO_CHUNK:
            return self._unwritten()
        try:
            values = self._codec.decode(os.pread(file.fileno(), length, offset))
            return np.frombuffer(values, self._dtype).reshape(self._shape)
        except (RuntimeError, ValueError) as error:
            raise StoreError(f"{file.name}: row {number}'s chunk cannot be read: {error}") from error

    def _unwritten(self) -> np.ndarray:
        return np.full(self._shape, self._fill_value, self._dtype)

    def _open_shard(self, shard: int) -> tuple[BinaryIO, np.ndarray]:
        # Unbuffered, and closed by whoever lets go of it last: another thread may still read from it.
        path = self._folder.joinpath("c", str(shard), *("0" for _ in self._shape))
        file = open(path, "rb", buffering=0)  # noqa: SIM115
        start = os.fstat(file.fileno()).st_size - index_bytes(self._rows)
        if start < 0:
            raise StoreError(f"{path}: is too short to hold the index of {self._rows} rows")
        return file, unpack_index(os.pread(file.fileno(), index_bytes(self._rows), start), str(path))
