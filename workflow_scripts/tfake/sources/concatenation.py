"""Several byte strings read as one, in the order given, wherever each of them lies."""

import errno
import io
from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate


class Concatenation(io.RawIOBase):
    """A read-only stream over parts whose lengths are known; how a part is read is the subclass's."""

    def __init__(self, lengths: Sequence[int]):
        """Stand at the start.

        Args:
            lengths: bytes of each part, in order.
        """
        self._starts = [0, *accumulate(lengths)]
        self._position = 0

    @abstractmethod
    def read_part(self, part: int, start: int, buffer: memoryview) -> int:
        """Fill some of ``buffer`` from a part.

        Args:
            part: its number, from 0.
            start: the first byte wanted, within the part.
            buffer: where the bytes go; never longer than what the part has left.

        Returns:
            How many bytes were read.
        """

    def read_at(self, start: int, count: int) -> bytes:
        """Read some bytes, wherever the stream stands: it is not moved.

        Args:
            start: the first one.
            count: how many.

        Returns:
            The bytes; fewer than asked for only at the end of the last part.
        """
        data = bytearray(max(0, min(count, self._starts[-1] - start)))
        done = 0
        while done < len(data) and (read := self._read_some(start + done, memoryview(data)[done:])):
            done += read
        return bytes(data[:done])

    def readable(self) -> bool:
        """Tell io that reading works."""
        return True

    def seekable(self) -> bool:
        """Tell io that seeking works."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move within the concatenation; see :meth:`io.IOBase.seek`."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, f"negative seek position {base + offset}")
        self._position = base + offset
        return self._position

    def readinto(self, buffer) -> int:
        """Read from the part that holds the position, never across its end; see :meth:`io.RawIOBase.readinto`."""
        count = self._read_some(self._position, memoryview(buffer).cast("B"))
        self._position += count
        return count

    def _read_some(self, start: int, buffer: memoryview) -> int:
        if start >= self._starts[-1]:
            return 0
        part = bisect_right(self._starts, start) - 1
        return self.read_part(part, start - self._starts[part], buffer[: self._starts[part + 1] - start])
