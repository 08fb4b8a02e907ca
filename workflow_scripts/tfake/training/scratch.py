"""Arrays that were costly to make and that memory has no room for, kept in a file until the process ends."""

import logging
import shutil
import tempfile
from collections.abc import Hashable
from pathlib import Path
from threading import Lock

import numpy as np

from tfake.positional_file import PositionalFile

#: The largest file of a training, over all its processes.
SCRATCH_BYTES = 32 << 30
# Of what the disk has free, at most this share is taken.
_SHARE_OF_FREE = 0.25


class ScratchFile:
    """Arrays by their key, in a file without a name; may be used from several threads.

    The file vanishes with the process, however that ends. What is in it lies in the kernel's page cache while there is
    memory for it.
    """

    def __init__(self, folder: str | Path, most_bytes: int = SCRATCH_BYTES) -> None:
        """Begin empty.

        Args:
            folder: on which disk.
            most_bytes: how large the file may become; a quarter of the disk's free space is never exceeded.

        Raises:
            OSError: no file can be made there.
        """
        self._file = PositionalFile(tempfile.TemporaryFile(dir=folder, buffering=0))  # noqa: SIM115 - as long as this
        self._most = min(most_bytes, int(shutil.disk_usage(folder).free * _SHARE_OF_FREE))
        self._end = 0
        self._places: dict[Hashable, tuple[int, np.dtype, tuple[int, ...]]] = {}
        self._lock = Lock()

    def get(self, key: Hashable) -> np.ndarray | None:
        """An array that was added, not to be written to; None where there was no room for it."""
        place = self._places.get(key)
        if place is None:
            return None
        start, dtype, shape = place
        count = int(np.prod(shape)) * dtype.itemsize
        return np.frombuffer(self._file.read(start, count), dtype).reshape(shape)

    def add(self, key: Hashable, array: np.ndarray) -> None:
        """Keep an array, if there is room. A full disk is a warning, and nothing is added from then on."""
        with self._lock:
            start = self._end
            if key in self._places or start + array.nbytes > self._most:
                return
            self._end += array.nbytes
        try:
            self._file.write(start, memoryview(np.ascontiguousarray(array)).cast("B"))
        except OSError as error:
            logging.warning("no more is kept in the scratch file: %s", error)
            self._most = 0
            return
        self._places[key] = (start, array.dtype, array.shape)
