"""What both sides of a shard's file agree on: how a chunk is compressed, and how the index behind the chunks lies.

The file is a Zarr v3 shard (sharding codec 1.0, https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/):
the chunks, one a row, behind one another; then their offsets and lengths as little-endian uint64; then the CRC-32C of
that index.

Single rows of a sharded array, straight from its shards' files.

Drawing rows at random, as training does, asks for one chunk at a time. A library spends two thirds of that on finding
out which bytes of which file it is (docs/benchmarks.md); here that is known after a shard's first row.
"""

import os
import struct
from pathlib import Path
from typing import BinaryIO

import google_crc32c
import numpy as np
import zarr
from numcodecs import Blosc
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, ShardingCodec

from tfake.store.arrays import StoreError

#: Offset and length of a chunk that is not there: a row behind the array's end, or one never written.
NO_CHUNK = 2**64 - 1
_SHUFFLES = {"noshuffle": Blosc.NOSHUFFLE, "shuffle": Blosc.SHUFFLE, "bitshuffle": Blosc.BITSHUFFLE}
_ENTRY_BYTES, _CRC_BYTES = 16, 4


def chunk_codec(array: zarr.Array, where: str) -> Blosc:
    """The codec of a chunk, taken from the array's metadata: what is written and read is what they say.

    Args:
        array: one chunk a row, in shards.
        where: names the array in an error's message.

    Returns:
        The codec, which works in the caller's thread alone.

    Raises:
        StoreError: the array is laid out in another way than :func:`tfake.store.arrays.create_store` does it.
    """
    # Zarr v2 has none.
    codecs = getattr(array.metadata, "codecs", ())
    sharding = codecs[0] if len(codecs) == 1 and isinstance(codecs[0], ShardingCodec) else None
    if (
        sharding is None
        or array.chunks[0] != 1
        or array.chunks[1:] != array.shape[1:]
        or sharding.index_location.value != "end"
        or [type(codec) for codec in sharding.index_codecs] != [BytesCodec, Crc32cCodec]
        or [type(codec) for codec in sharding.codecs] != [BytesCodec, BloscCodec]
        or sharding.codecs[0].to_dict().get("configuration", {}).get("endian", "little") != "little"
    ):
        raise StoreError(f"{where}: expected one chunk a row in shards with an index at their end, found {codecs}")
    settings = sharding.codecs[1].to_dict()["configuration"]
    # Importing zarr's codec has set numcodecs to one thread a chunk: several lay a chunk's blocks down in the order in
    # which they happen to finish, and equal rows would not be equal bytes.
    return Blosc(**{**settings, "shuffle": _SHUFFLES[settings["shuffle"]]})


def empty_index(rows: int) -> np.ndarray:
    """(rows, 2) uint64 offsets and lengths of a shard without a chunk."""
    return np.full((rows, 2), NO_CHUNK, dtype="<u8")


def index_bytes(rows: int) -> int:
    """How many bytes at a shard's end are its index."""
    return rows * _ENTRY_BYTES + _CRC_BYTES


def pack_index(index: np.ndarray) -> bytes:
    """An index as it lies at a shard's end."""
    packed = index.tobytes()
    return packed + google_crc32c.value(packed).to_bytes(_CRC_BYTES, "little")


def unpack_index(data: bytes, where: str) -> np.ndarray:
    """An index from a shard's end.

    Args:
        data: the last :func:`index_bytes` of the shard.
        where: names the shard in an error's message.

    Returns:
        (rows, 2) uint64 offsets and lengths.

    Raises:
        StoreError: its checksum is another.
    """
    packed, checksum = data[:-_CRC_BYTES], data[-_CRC_BYTES:]
    if google_crc32c.value(packed).to_bytes(_CRC_BYTES, "little") != checksum:
        raise StoreError(f"{where}: the index at its end does not have the checksum behind it")
    return np.frombuffer(packed, dtype="<u8").reshape(-1, 2)


#: Indices kept, 16 bytes a row each; beyond it all are read anew.
_INDICES_KEPT = 1024
#: Head of a Blosc chunk: its sizes before, in blocks, and after compression (c-blosc's README_CHUNK_FORMAT).
_BLOSC_HEAD = struct.Struct("<4x3I")


class ShardReader:
    """An array in a local folder, one chunk a row in shards; may be used from several threads.

    No file stays open: a process that reads several arrays of hundreds of shards would run out of them.
    """

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
        self._row_bytes = int(np.prod(self._shape)) * self._dtype.itemsize
        self._rows = array.shards[0]
        self._name_of = array.metadata.encode_chunk_key
        self._indices: dict[int, tuple[tuple[int, ...], np.ndarray]] = {}

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
        path = self._folder / self._name_of((shard, *(0 for _ in self._shape)))
        try:
            with open(path, "rb", buffering=0) as file:
                offset, length = self._index(shard, file, path)[slot].tolist()
                chunk = b"" if offset == NO_CHUNK else _read(file, offset, length)
        except FileNotFoundError:
            offset = NO_CHUNK
        if offset == NO_CHUNK:
            return np.full(self._shape, self._fill_value, self._dtype)
        # The codec believes a chunk's head, whatever lies behind it.
        if len(chunk) != length or length < 16 or _BLOSC_HEAD.unpack_from(chunk)[::2] != (self._row_bytes, length):
            raise StoreError(f"{path}: row {number}'s chunk does not have its {length} bytes, or not this row's size")
        try:
            return np.frombuffer(self._codec.decode(chunk), self._dtype).reshape(self._shape)
        except (RuntimeError, ValueError) as error:
            raise StoreError(f"{path}: row {number}'s chunk cannot be decompressed: {error}") from error

    def _index(self, shard: int, file: BinaryIO, path: Path) -> np.ndarray:
        state = os.fstat(file.fileno())
        # A shard that was repaired meanwhile is another file.
        mark = (state.st_ino, state.st_mtime_ns, state.st_size)
        known = self._indices.get(shard)
        if known is not None and known[0] == mark:
            return known[1]
        start = state.st_size - index_bytes(self._rows)
        if start < 0:
            raise StoreError(f"{path}: is too short to hold the index of {self._rows} rows")
        index = unpack_index(_read(file, start, index_bytes(self._rows)), str(path))
        if len(self._indices) >= _INDICES_KEPT:
            self._indices.clear()
        self._indices[shard] = (mark, index)
        return index


def _read(file: BinaryIO, offset: int, length: int) -> bytes:
    # Nobody else has this open file, so that its position may move; reading at a position is not there on Windows.
    file.seek(offset)
    return file.read(length)
