"""Random access to a zip archive, or to its raw split parts, without unpacking or joining anything.

FaceSynthetics is published as one flat zip or as plain byte slices of it (``.zip.001`` ...). The central directory is
read once, by :func:`list_members`; afterwards a job reads a member from its recorded :class:`Member` alone, so that
no job pays for a directory of 300,000 entries.
"""

import bz2
import errno
import io
import os
import re
import struct
import zipfile
import zlib
from abc import abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import accumulate, pairwise
from pathlib import Path

from tfake.core.files import PositionalFile


class Concatenation(io.RawIOBase):
    """A read-only stream over parts whose lengths are known; how a part is read is the subclass's."""

    def __init__(self, lengths: Sequence[int]):
        """Stand at the start of parts whose lengths in bytes are given in order."""
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
        """Read ``count`` bytes from ``start`` on, fewer only at the end; the stream's position is not moved."""
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


_PART = re.compile(r"^(?P<stem>.+)\.(?P<number>\d{3,})$")
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")  # APPNOTE.TXT 4.3.7
_LOCAL_SIGNATURE = b"PK\x03\x04"
_ENCRYPTED = 0x1
_EXTRA_BYTES = 64
_UNPACKERS: dict[int, Callable[[bytes | memoryview], bytes]] = {
    zipfile.ZIP_DEFLATED: partial(zlib.decompress, wbits=-zlib.MAX_WBITS),
    zipfile.ZIP_BZIP2: bz2.decompress,
}


class ArchiveError(ValueError):
    """The archive as a whole cannot be used; the message says which file and why."""


class MemberError(ValueError):
    """One member cannot be read: its header, its length or its CRC is wrong."""


@dataclass(frozen=True)
class Member:
    """Where one member lies in the archive, as the central directory tells it (bytes; ``crc`` is CRC-32)."""

    name: str
    offset: int
    compressed_bytes: int
    bytes: int
    method: int
    crc: int


class SplitFile(Concatenation):
    """Several files read as one, in the order given, as if they had been concatenated."""

    def __init__(self, paths: Sequence[str | Path]):
        """Open every part, in order.

        Raises:
            FileNotFoundError: a part does not exist.
        """
        self._files = [PositionalFile(open(path, "rb", buffering=0)) for path in paths]  # noqa: SIM115 - closed in close()
        super().__init__([file.size for file in self._files])

    def read_part(self, part: int, start: int, buffer: memoryview) -> int:
        """Read a part's file; see :meth:`Concatenation.read_part`."""
        data = self._files[part].read(start, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close every part."""
        for file in self._files:
            file.close()
        super().close()


class Archive:
    """A zip, or its split parts, opened for reading single members.

    May be used from several threads, sent to another process, or found in a forked one.
    """

    def __init__(self, paths: Sequence[str | Path]):
        """Check that the parts exist and are numbered without a gap; nothing is read yet.

        Args:
            paths: one zip, or all its raw split parts in order (``x.zip.001``, ``x.zip.002``, ...).

        Raises:
            ArchiveError: no path, a file that does not exist, or parts that are not .001, .002, ... of one name.
        """
        self.paths = tuple(str(path) for path in paths)
        _check_parts(self.paths)

    def __getstate__(self):
        """Leave the open files behind: each process that was not forked opens its own."""
        return {"paths": self.paths}

    def open_stream(self) -> io.BufferedReader:
        """The archive's bytes as one seekable file, whose position is the caller's own."""
        return io.BufferedReader(SplitFile(self.paths), buffer_size=1 << 16)

    def read_at(self, start: int, count: int) -> bytes:
        """Bytes of the archive; fewer than ``count`` only at its end."""
        return self._file.read_at(start, count)

    @cached_property
    def _file(self) -> SplitFile:
        return SplitFile(self.paths)

    def read(self, member: Member) -> bytes:
        """Read and check one member.

        Args:
            member: its place, from :func:`list_members` or the index.

        Returns:
            The member's uncompressed bytes.

        Raises:
            MemberError: not a local header there, another length than recorded, or a CRC that does not match.
        """
        # Header and data in one go: what lies between them is the name and seldom more than some bytes.
        begin = _LOCAL_HEADER.size + len(member.name.encode())
        read = self.read_at(member.offset, begin + _EXTRA_BYTES + member.compressed_bytes)
        if len(read) < _LOCAL_HEADER.size or read[:4] != _LOCAL_SIGNATURE:
            raise MemberError(f"{member.name}: no local file header at byte {member.offset}")
        _, _, flags, *_, name_bytes, extra_bytes = _LOCAL_HEADER.unpack_from(read)
        if flags & _ENCRYPTED:
            raise MemberError(f"{member.name}: is encrypted")
        begin = _LOCAL_HEADER.size + name_bytes + extra_bytes
        packed = memoryview(read)[begin : begin + member.compressed_bytes]
        if len(packed) < member.compressed_bytes:
            packed = self.read_at(member.offset + begin, member.compressed_bytes)
        data = _unpack(packed, member)
        if len(data) != member.bytes:
            raise MemberError(f"{member.name}: expected {member.bytes} bytes, found {len(data)}")
        if (crc := zlib.crc32(data)) != member.crc:
            raise MemberError(f"{member.name}: CRC is {crc:08x}, the archive's directory says {member.crc:08x}")
        return data


def open_archive(paths: Sequence[str | Path]) -> Archive:
    """Open a zip or its split parts; see :class:`Archive` for arguments and errors."""
    return Archive(paths)


def list_members(archive: Archive) -> list[Member]:
    """Read the central directory: the archive's file members, in directory order.

    Raises:
        ArchiveError: the bytes are no zip, are cut short, or hold no member.
    """
    where = ", ".join(archive.paths)
    try:
        with zipfile.ZipFile(archive.open_stream()) as directory:
            infos = [info for info in directory.infolist() if not info.is_dir()]
    except zipfile.BadZipFile as error:
        head = archive.read_at(0, 4)
        if not head:
            reason = "it is empty"
        elif head == _LOCAL_SIGNATURE:
            reason = "it begins like a zip but has no directory at its end: it is cut short, or a later part is missing"
        else:
            reason = "it is not a zip"
        raise ArchiveError(f"cannot read the archive {where}: {reason} ({error})") from error
    if not infos:
        raise ArchiveError(f"the archive {where} is a zip without any member")
    return [
        Member(info.filename, info.header_offset, info.compress_size, info.file_size, info.compress_type, info.CRC)
        for info in infos
    ]


def _check_parts(paths: Sequence[str]) -> None:
    if not paths:
        raise ArchiveError("no archive path was given")
    for path in paths:
        if os.path.isdir(path):
            raise ArchiveError(f"the archive {path} is a folder; expected a zip, or its split parts")
        if not os.path.isfile(path):
            raise ArchiveError(f"the archive {path} does not exist" + (" (a split part)" if len(paths) > 1 else ""))
    if len(paths) == 1 and not _PART.match(paths[0]):
        return
    matches = [_PART.match(path) for path in paths]
    for path, match in zip(paths, matches, strict=True):
        if match is None or match["stem"] != (matches[0]["stem"] if matches[0] else None):
            raise ArchiveError(f"{path} is not a part of {paths[0]}: parts are named NAME.001, NAME.002, ...")
    numbers = [0, *(int(match["number"]) for match in matches)]
    for before, after in pairwise(numbers):
        if after != before + 1:
            missing = f"{matches[0]['stem']}.{before + 1:03d}"
            raise ArchiveError(f"the split archive lacks the part {missing}; given: {', '.join(paths)}")


def _unpack(data: bytes | memoryview, member: Member) -> bytes:
    if member.method == zipfile.ZIP_STORED:
        return bytes(data)
    if member.method not in _UNPACKERS:
        known = "neither stored (0), nor deflated (8), nor bzip2 (12)"
        raise MemberError(f"{member.name}: compression method {member.method} is {known}")
    try:
        return _UNPACKERS[member.method](data)
    except (zlib.error, OSError, ValueError) as error:
        raise MemberError(f"{member.name}: cannot be unpacked ({error})") from error
