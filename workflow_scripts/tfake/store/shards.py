"""The stores' arrays straight from their files, with numpy, numcodecs and a CRC alone: Zarr is not imported.

A Zarr v3 array of :func:`tfake.store.arrays.create_store` keeps so many rows a file. The file is either one chunk, or
a shard (sharding codec 1.0, https://zarr-specs.readthedocs.io/en/latest/v3/codecs/sharding-indexed/): the chunks, one a
row, behind one another; then their offsets and lengths as little-endian uint64; then the CRC-32C of that index.
Drawing rows at random, as training does, asks for one chunk at a time: Zarr spends two thirds of that on finding out
which bytes of which file it is (docs/benchmarks.md); here that is known after a shard's first row.
"""

import json
import os
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import google_crc32c
import numcodecs.blosc
import numpy as np
from numcodecs import Blosc

# As Zarr sets it when it is imported: several threads would lay a chunk's blocks down in the order in which they happen
# to finish, and equal rows would not be equal bytes; and a forked process waits for ever for the parent's threads.
numcodecs.blosc.use_threads = False

#: Offset and length of a chunk that is not there: a row past the array's end, or one never written.
NO_CHUNK = 2**64 - 1
_SHUFFLES = {"noshuffle": Blosc.NOSHUFFLE, "shuffle": Blosc.SHUFFLE, "bitshuffle": Blosc.BITSHUFFLE}
_ENTRY_BYTES, _CRC_BYTES = 16, 4
#: Indices kept, 16 bytes a row each; beyond it all are read anew.
_INDICES_KEPT = 1024
#: Head of a Blosc chunk: its sizes before, in blocks, and after compression (c-blosc's README_CHUNK_FORMAT).
_BLOSC_HEAD = struct.Struct("<4x3I")


class StoreError(ValueError):
    """A store's files do not hold what they should; the message names the file."""


@dataclass(frozen=True, eq=False)
class ArrayMetadata:
    """What an array's ``zarr.json`` says.

    Attributes:
        shape: of the whole array; axis 0 counts rows.
        dtype: of its values.
        fill_value: of rows that were never written.
        attributes: JSON attributes.
        file_rows: rows a file.
        has_row_chunks: the file is a shard with one chunk a row; otherwise it is one chunk.
        separator: between the parts of a file's name.
        codec: of a chunk, which works in the caller's thread alone; None: the array is laid out in another way than
            :func:`tfake.store.arrays.create_store` does it, and Zarr has to read it.
    """

    shape: tuple[int, ...]
    dtype: np.dtype
    fill_value: Any
    attributes: Mapping[str, Any]
    file_rows: int = 0
    has_row_chunks: bool = False
    separator: str = "/"
    codec: Blosc | None = None

    def file_name(self, number: int) -> str:
        """The file that holds rows ``number * file_rows`` and on, below the array's folder."""
        return self.separator.join(["c", str(number), *("0" for _ in self.shape[1:])])


def parse_metadata(text: bytes | str) -> ArrayMetadata:
    """Read a ``zarr.json``.

    Raises:
        StoreError: it is none of a Zarr v3 array of numbers.
    """
    try:
        found = json.loads(text)
        shape, dtype, fill = tuple(found["shape"]), np.dtype(found["data_type"]), found["fill_value"]
        fill_value = dtype.type(float(fill) if isinstance(fill, str) else fill)
        attributes, keys = found.get("attributes", {}), found["chunk_key_encoding"]
        chunk = tuple(found["chunk_grid"]["configuration"]["chunk_shape"])
        names = [codec["name"] for codec in found["codecs"]]
        settings = [codec.get("configuration", {}) for codec in found["codecs"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise StoreError(f"no metadata of a Zarr v3 array of numbers ({type(error).__name__}: {error})") from error
    foreign = ArrayMetadata(shape, dtype, fill_value, attributes)
    if not shape or chunk[1:] != shape[1:] or keys["name"] != "default":
        return foreign
    has_row_chunks = names == ["sharding_indexed"]
    if has_row_chunks:
        sharding = settings[0]
        index = [codec["name"] for codec in sharding["index_codecs"]]
        if (
            tuple(sharding["chunk_shape"]) != (1, *shape[1:])
            or sharding.get("index_location", "end") != "end"
            or index != ["bytes", "crc32c"]
        ):
            return foreign
        names = [codec["name"] for codec in sharding["codecs"]]
        settings = [codec.get("configuration", {}) for codec in sharding["codecs"]]
    if names != ["bytes", "blosc"] or settings[0].get("endian", "little") != "little":
        return foreign
    codec = Blosc(**{**settings[1], "shuffle": _SHUFFLES[settings[1]["shuffle"]]})
    separator = keys.get("configuration", {}).get("separator", "/")
    return ArrayMetadata(shape, dtype, fill_value, attributes, chunk[0], has_row_chunks, separator, codec)


def read_metadata(folder: str | Path) -> ArrayMetadata:
    """Read the metadata of an array of this workflow in a local folder.

    Raises:
        FileNotFoundError: there is no array.
        StoreError: it is laid out in another way than :func:`tfake.store.arrays.create_store` does it.
    """
    try:
        metadata = parse_metadata(Path(folder, "zarr.json").read_bytes())
    except StoreError as error:
        raise StoreError(f"{folder}: {error}") from error
    if metadata.codec is None:
        raise StoreError(
            f"{folder}: expected one Blosc chunk a row in shards with an index at their end, or one a file"
        )
    return metadata


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


class ShardReader:
    """Rows of an array in a local folder; may be used from several threads.

    No file stays open: a process that reads several arrays of hundreds of shards would run out of them.
    """

    def __init__(self, folder: str | Path) -> None:
        """Read the array's metadata.

        Args:
            folder: the array's.

        Raises:
            FileNotFoundError: there is no array.
            StoreError: it is laid out in another way than :func:`tfake.store.arrays.create_store` does it.
        """
        self.metadata = read_metadata(folder)
        self._folder = Path(folder)
        self._row_bytes = int(np.prod(self.metadata.shape[1:])) * self.metadata.dtype.itemsize
        self._indices: dict[int, tuple[tuple[int, ...], np.ndarray]] = {}

    def row(self, number: int) -> np.ndarray:
        """Read one row: :meth:`rows`."""
        return self.rows(np.array([number]))[0]

    def rows(self, numbers: np.ndarray) -> np.ndarray:
        """Read rows; each file is opened once.

        Args:
            numbers: (n,) int, in any order, repeats allowed.

        Returns:
            (n, ...) the rows, as stored; the array's fill value in those never written.

        Raises:
            IndexError: there is no such row.
            StoreError: a file is damaged; the message names it, and the row.
        """
        array = self.metadata
        if len(numbers) and not 0 <= numbers.min() <= numbers.max() < array.shape[0]:
            raise IndexError(f"{self._folder} has {array.shape[0]} rows; row {numbers.max()} was asked for")
        found = np.empty((len(numbers), *array.shape[1:]), array.dtype)
        files, slots = np.divmod(numbers, array.file_rows)
        for number in np.unique(files).tolist():
            places = np.flatnonzero(files == number)
            path = self._folder / array.file_name(number)
            try:
                with path.open("rb", buffering=0) as file:
                    if array.has_row_chunks:
                        self._read_chunks(file, path, number, slots[places].tolist(), places, found)
                    else:
                        chunk = np.empty((array.file_rows, *array.shape[1:]), array.dtype)
                        self._decode(file.read(), chunk, f"{path}: its chunk")
                        found[places] = chunk[slots[places]]
            except FileNotFoundError:
                found[places] = array.fill_value
        return found

    def _read_chunks(
        self, file: BinaryIO, path: Path, number: int, slots: list[int], places: Iterable[int], found: np.ndarray
    ) -> None:
        index = self._index(number, file, path)
        for slot, place in zip(slots, places, strict=True):
            offset, length = index[slot].tolist()
            if offset == NO_CHUNK:
                found[place] = self.metadata.fill_value
                continue
            chunk = _read(file, offset, length)
            where = f"{path}: row {number * self.metadata.file_rows + slot}'s chunk"
            if len(chunk) != length:
                raise StoreError(f"{where} does not have its {length} bytes")
            self._decode(chunk, found[place : place + 1], where)

    def _decode(self, chunk: bytes, values: np.ndarray, where: str) -> None:
        # The codec believes a chunk's head, whatever lies behind it.
        if len(chunk) < _BLOSC_HEAD.size or _BLOSC_HEAD.unpack_from(chunk)[::2] != (values.nbytes, len(chunk)):
            raise StoreError(f"{where} does not have its {len(chunk)} bytes, or not this row's size")
        assert self.metadata.codec is not None  # read_metadata has seen to it
        try:
            self.metadata.codec.decode(chunk, out=values)
        except (RuntimeError, ValueError) as error:
            raise StoreError(f"{where} cannot be decompressed: {error}") from error

    def _index(self, number: int, file: BinaryIO, path: Path) -> np.ndarray:
        state = os.fstat(file.fileno())
        # A shard that was repaired meanwhile is another file.
        mark = (state.st_ino, state.st_mtime_ns, state.st_size)
        known = self._indices.get(number)
        if known is not None and known[0] == mark:
            return known[1]
        rows = self.metadata.file_rows
        start = state.st_size - index_bytes(rows)
        if start < 0:
            raise StoreError(f"{path}: is too short to hold the index of {rows} rows")
        index = unpack_index(_read(file, start, index_bytes(rows)), str(path))
        if len(self._indices) >= _INDICES_KEPT:
            self._indices.clear()
        self._indices[number] = (mark, index)
        return index


def _read(file: BinaryIO, offset: int, length: int) -> bytes:
    # Nobody else has this open file, so that its position may move; reading at a position is not there on Windows.
    file.seek(offset)
    return file.read(length)
