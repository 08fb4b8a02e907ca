"""A file that is read by position, so that threads and forked processes may share it."""

import os
from pathlib import Path
from threading import Lock


class PositionalFile:
    """An open file without a position of its own: no reader moves another one's."""

    def __init__(self, path: str | Path) -> None:
        """Open it.

        Args:
            path: the file.

        Raises:
            FileNotFoundError: it does not exist.
        """
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 - closed in close()
        self._lock = Lock()

    @property
    def bytes(self) -> int:
        """Its length."""
        return os.fstat(self._file.fileno()).st_size

    def read(self, start: int, count: int) -> bytes:
        """Read some bytes.

        Args:
            start: the first one.
            count: how many.

        Returns:
            The bytes; fewer than asked for only at the end of the file.
        """
        parts = []
        while count > 0 and (part := self._read_once(start, count)):
            parts.append(part)
            start, count = start + len(part), count - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def _read_once(self, start: int, count: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._file.fileno(), count, start)
        # Windows has no positional read; nor does it fork, so that a lock between threads suffices.
        with self._lock:
            self._file.seek(start)
            return self._file.read(count)
