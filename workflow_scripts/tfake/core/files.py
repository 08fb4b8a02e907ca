"""Files that appear whole, files that threads and forked processes share, and an end on request."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from threading import Lock


def write_whole(path: str, write: Callable[[str], object]) -> None:
    """Let something write a file beside its place, and put it there once it is whole.

    Args:
        path: the file.
        write: given the path to write to.
    """
    write(f"{path}.part")
    os.replace(f"{path}.part", path)


def write_text_whole(path: str | os.PathLike[str], text: str) -> None:
    """Write a text in UTF-8, whole or not at all."""
    write_whole(os.fspath(path), lambda part: Path(part).write_text(text, encoding="utf-8"))


class PositionalFile:
    """An open file without a position of its own: no reader moves another one's."""

    def __init__(self, file: FileIO) -> None:
        """Wrap a file that was opened without a buffer; it is closed with this."""
        self._file = file
        self._lock = Lock()

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return os.fstat(self._file.fileno()).st_size

    def read(self, start: int, count: int) -> bytes:
        """Read ``count`` bytes from ``start`` on; fewer only at the end of the file."""
        parts = []
        while count > 0 and (part := self._read_once(start, count)):
            parts.append(part)
            start, count = start + len(part), count - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def write(self, start: int, data: memoryview) -> None:
        """Write flat data from ``start`` on.

        Raises:
            OSError: the disk is full.
        """
        while len(data):
            written = self._write_once(start, data)
            start, data = start + written, data[written:]

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

    def _write_once(self, start: int, data: memoryview) -> int:
        if hasattr(os, "pwrite"):
            return os.pwrite(self._file.fileno(), data, start)
        with self._lock:
            self._file.seek(start)
            return self._file.write(data)


@contextmanager
def stopping_on_sigterm() -> Iterator[Callable[[], bool]]:
    """Whether SIGTERM came. Schedulers send it some seconds before they kill: enough for a checkpoint."""
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        yield lambda: bool(received)
    finally:
        signal.signal(signal.SIGTERM, before)
