"""Random access to a zip archive, or to its raw split parts, without unpacking or joining anything.

FaceSynthetics is published as one flat zip or as plain byte slices of it (``.zip.001`` ...). The central directory is
read once, by :func:`list_members`; afterwards a job reads a member from its recorded :class:`Member` alone, so that
no job pays for a directory of 300,000 entries.
"""

import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tfake.sources.concatenation import Concatenation

_PART = re.compile(r"^(?P<stem>.+)\.(?P<number>\d{3,})$")
_LOCAL_HEADER = struct.Struct("<4s5H3I2H")  # APPNOTE.TXT 4.3.7
_LOCAL_SIGNATURE = b"PK\x03\x04"
_ENCRYPTED = 0x1


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
        """Open every part.

        Args:
            paths: the parts in order.

        Raises:
            FileNotFoundError: a part does not exist.
        """
        self._files = [open(path, "rb") for path in paths]  # noqa: SIM115 - closed in close()
        super().__init__([os.fstat(file.fileno()).st_size for file in self._files])

    def read_part(self, part: int, start: int, buffer: memoryview) -> int:
        """Read a part's file; see :meth:`Concatenation.read_part`."""
        self._files[part].seek(start)
        return self._files[part].readinto(buffer)

    def close(self) -> None:
        """Close every part."""
        for file in self._files:
            file.close()
        super().close()


class Archive:
    """A zip, or its split parts, opened for reading single members; may be sent to another process."""

    def __init__(self, paths: Sequence[str | Path]):
        """Check that the parts exist and are numbered without a gap; nothing is read yet.

        Args:
            paths: one zip, or all its raw split parts in order (``x.zip.001``, ``x.zip.002``, ...).

        Raises:
            ArchiveError: no path, a file that does not exist, or parts that are not .001, .002, ... of one name.
        """
        self.paths = tuple(str(path) for path in paths)
        _check_parts(self.paths)
        self._stream: io.BufferedReader | None = None

    def __getstate__(self):
        """Leave the open file behind: each process opens its own."""
        return {"paths": self.paths, "_stream": None}

    @property
    def stream(self) -> io.BufferedReader:
        """The archive's bytes as one seekable file, opened at first use."""
        if self._stream is None:
            self._stream = io.BufferedReader(SplitFile(self.paths), buffer_size=1 << 16)
        return self._stream

    def read(self, member: Member) -> bytes:
        """Read and check one member.

        Args:
            member: its place, from :func:`list_members` or the index.

        Returns:
            The member's uncompressed bytes.

        Raises:
            MemberError: not a local header there, another length than recorded, or a CRC that does not match.
        """
        self.stream.seek(member.offset)
        header = self.stream.read(_LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or header[:4] != _LOCAL_SIGNATURE:
            raise MemberError(f"{member.name}: no local file header at byte {member.offset}")
        _, _, flags, *_, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(header)
        if flags & _ENCRYPTED:
            raise MemberError(f"{member.name}: is encrypted")
        self.stream.seek(name_bytes + extra_bytes, io.SEEK_CUR)
        data = _inflate(self.stream.read(member.compressed_bytes), member)
        if len(data) != member.bytes:
            raise MemberError(f"{member.name}: expected {member.bytes} bytes, found {len(data)}")
        if (crc := zlib.crc32(data)) != member.crc:
            raise MemberError(f"{member.name}: CRC is {crc:08x}, the archive's directory says {member.crc:08x}")
        return data


def open_archive(paths: Sequence[str | Path]) -> Archive:
    """Open a zip or its split parts; see :class:`Archive` for arguments and errors."""
    return Archive(paths)


def list_members(archive: Archive) -> list[Member]:
    """Read the central directory.

    Args:
        archive: the archive.

    Returns:
        Its file members, in directory order.

    Raises:
        ArchiveError: the bytes are no zip, are cut short, or hold no member.
    """
    where = ", ".join(archive.paths)
    try:
        with zipfile.ZipFile(archive.stream) as directory:
            infos = [info for info in directory.infolist() if not info.is_dir()]
    except zipfile.BadZipFile as error:
        if archive.stream.seek(0, io.SEEK_END) == 0:
            reason = "it is empty"
        elif archive.stream.seek(0) == 0 and archive.stream.read(4) == _LOCAL_SIGNATURE:
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


def _inflate(data: bytes, member: Member) -> bytes:
    if member.method == zipfile.ZIP_STORED:
        return data
    if member.method == zipfile.ZIP_DEFLATED:
        try:
            return zlib.decompress(data, wbits=-zlib.MAX_WBITS)
        except zlib.error as error:
            raise MemberError(f"{member.name}: cannot be inflated ({error})") from error
    raise MemberError(f"{member.name}: compression method {member.method} is neither stored (0) nor deflated (8)")
