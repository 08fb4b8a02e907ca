"""One shard of one array, written as a stream: row after row, so that its size costs no memory.

Any Zarr v3 reader opens the file (:mod:`tfake.store.shards`). Libraries write a shard from an array in memory, a
10,000-image one from 5 GB.
"""

import hashlib
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import numpy as np

from tfake.core.classes import FaceClass
from tfake.core.codes import Attempt, MeshStatus, PointState
from tfake.store.layouts import faces_layout
from tfake.store.shards import StoreError, empty_index, pack_index, read_metadata


class ShardStream:
    """A shard that is being written; a context manager.

    The rows go to a file beside the shard's own, which takes its name when every row is there and on the disk: whatever
    happens in between leaves no shard at all.
    """

    def __init__(self, store: str | Path, name: str, shard: int) -> None:
        """Open a shard.

        Args:
            store: the store's folder, with its metadata in place.
            name: the array: one chunk a row, in shards.
            shard: the shard's number.

        Raises:
            StoreError: the array is laid out in another way than :func:`tfake.store.arrays.create_store` does it.
            OSError: the file cannot be made; the error names it.
        """
        array = read_metadata(Path(store, name))
        if not array.has_row_chunks:
            raise StoreError(f"{store}/{name}: expected one chunk a row in shards, found one a file")
        self._where = f"{store}/{name}, shard {shard}"
        self._compressor = array.codec
        self._shape, self._dtype = array.shape[1:], array.dtype
        self._slots = array.file_rows
        start = shard * self._slots
        self.rows = min(start + self._slots, array.shape[0]) - start
        zeros = "/0" * len(self._shape)
        self._path = Path(store, name, "c", f"{shard}{zeros}")
        self._part = self._path.with_name(f"{self._path.name}.part")
        self._index = empty_index(self._slots)
        self._digest = hashlib.sha256()
        self._written, self._bytes = 0, 0
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(self._part, "wb")  # noqa: SIM115 - closed in __exit__

    def encode(self, row: np.ndarray) -> bytes:
        """Compress one row; may be called from any thread, and takes most of a shard's time.

        Args:
            row: of the array's shape without axis 0, in its dtype.

        Returns:
            The chunk for :meth:`append`, read back and compared already.

        Raises:
            StoreError: another shape or dtype, or the chunk does not read back as it was.
        """
        if row.shape != self._shape or row.dtype != self._dtype:
            raise StoreError(f"{self._where} takes rows of {self._shape} {self._dtype}; found {row.shape} {row.dtype}")
        row = np.ascontiguousarray(row)
        chunk = self._compressor.encode(row)
        # Comparing bytes, not values: NaN is not equal to itself.
        if self._compressor.decode(chunk) != row.tobytes():
            raise StoreError(f"{self._where}: a chunk does not read back as it was compressed")
        return chunk

    def append(self, chunk: bytes) -> None:
        """Write the next row's chunk; the rows' order is the caller's care.

        Raises:
            StoreError: the shard is full.
            OSError: the disk is full, or the file cannot be written; the error names it.
        """
        if self._written == self.rows:
            raise StoreError(f"{self._where} has {self.rows} rows; one more was given")
        self._index[self._written] = self._bytes, len(chunk)
        self._write(chunk)
        self._written += 1

    def close(self) -> str:
        """Write the index and give the file its name.

        Returns:
            The SHA-256 of what was written.

        Raises:
            StoreError: rows are missing.
            OSError: as :meth:`append`.
        """
        if self._written != self.rows:
            raise StoreError(f"{self._where} has {self.rows} rows; {self._written} were given")
        self._write(pack_index(self._index))
        try:
            self._file.flush()
            # Before the name: after a power cut a shard is whole or not there.
            os.fsync(self._file.fileno())
            self._file.close()
        except OSError as error:
            raise self._named(error) from error
        os.replace(self._part, self._path)
        return self._digest.hexdigest()

    def _write(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise self._named(error) from error
        self._digest.update(data)
        self._bytes += len(data)

    def _named(self, error: OSError) -> OSError:
        """The same error with its file, which writing to an open file leaves out."""
        return OSError(error.errno, f"{error.strerror} after {self._written} of {self.rows} rows", str(self._part))

    def __enter__(self) -> "ShardStream":
        """Nothing more to open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what is not a whole shard."""
        # A buffer that the full disk does not take: the file is about to be removed.
        with suppress(OSError):
            self._file.close()
        self._part.unlink(missing_ok=True)


#: What a row holds when its sample cannot be used; NaN where nothing else is said.
_MISSING = {
    "image_id": 0,
    "status": 0,
    "segmentation": FaceClass.IGNORE,
    "landmarks_478_status": MeshStatus.NO_IMAGE,
    "landmarks_478_attempt": Attempt.NONE,
    "landmarks_478_visibility": PointState.UNKNOWN,
}


def empty_face_rows(rows: int, pixels: int, without: Collection[str] = ()) -> dict[str, np.ndarray]:
    """Arrays for ``rows`` rows of the faces store, every entry missing.

    Args:
        rows: how many.
        pixels: height and width of the images.
        without: names of arrays to leave out.

    Returns:
        Array name to values, shapes and dtypes as in :func:`tfake.store.layouts.faces_layout`.
    """
    return {
        array.name: np.full((rows, *array.row_shape), _MISSING.get(array.name, np.nan), dtype=array.dtype)
        for array in faces_layout(pixels)
        if array.name not in without
    }
