"""The first samples of a remote archive, read member by member, so that 100 images need no 32 GB."""

import io
import logging
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

import requests
from tqdm import tqdm

from tfake.acquisition.http import (
    ATTEMPTS,
    BACKOFF_SECONDS,
    BROKEN,
    LONGEST_BACKOFF_SECONDS,
    TransferError,
    describe,
    read_range,
)
from tfake.archive.index import select_samples
from tfake.archive.samples import member_of
from tfake.archive.zip_archive import Archive, Concatenation, MemberError, list_members
from tfake.core.codes import MEMBER_SUFFIXES
from tfake.core.files import write_whole

#: A request fetches this much: a few neighbouring samples, or a part of the directory.
REQUEST_BYTES = 4 << 20


class RemoteSplitFile(Concatenation):
    """A remote file, or remote parts in order, read as one by requests for byte ranges."""

    def __init__(self, session: requests.Session, urls: Sequence[str], backoff_seconds: float = BACKOFF_SECONDS):
        """Ask for the lengths of the parts, in order; ``backoff_seconds`` is the pause after a first cut, then doubled.

        Raises:
            TransferError: a part cannot be had.
        """
        self._session, self._backoff_seconds = session, backoff_seconds
        self._parts = [describe(session, url) for url in urls]
        for part in self._parts:
            if part.bytes is None:
                raise TransferError(
                    f"{part.url}: its server does not tell the file's length, so single members cannot be read from "
                    "it; set source.download: whole"
                )
        super().__init__([part.bytes for part in self._parts])
        self.fetched_bytes = 0

    def read_part(self, part: int, start: int, buffer: memoryview) -> int:
        """Fetch up to ``REQUEST_BYTES`` of a part; see :meth:`tfake.archive.zip_archive.Concatenation.read_part`."""
        data = self._fetch(part, start, start + min(len(buffer), REQUEST_BYTES))
        buffer[: len(data)] = data
        self.fetched_bytes += len(data)
        return len(data)

    def _fetch(self, part: int, start: int, stop: int) -> bytes:
        remote = self._parts[part]
        for attempt in range(ATTEMPTS):
            try:
                return read_range(self._session, remote, start, stop)
            except BROKEN as error:
                last = error
                logging.warning("%s: bytes %d to %d were cut (%s): asking again", remote.url, start, stop, error)
                time.sleep(min(self._backoff_seconds * 2**attempt, LONGEST_BACKOFF_SECONDS))
        raise TransferError(f"{remote.url}: bytes {start} to {stop} were cut in {ATTEMPTS} attempts; the last: {last}")


class RemoteArchive(Archive):
    """An archive that stays where it is, read by one thread; see :class:`tfake.archive.zip_archive.Archive`."""

    def __init__(self, session: requests.Session, urls: Sequence[str], backoff_seconds: float = BACKOFF_SECONDS):
        """Open a remote zip or its split parts; arguments and errors as :class:`RemoteSplitFile`."""
        self.paths = tuple(urls)
        self.remote = RemoteSplitFile(session, urls, backoff_seconds)
        self._stream = io.BufferedReader(self.remote, buffer_size=REQUEST_BYTES)

    def open_stream(self) -> io.BufferedReader:
        """The one stream there is: neighbouring members come with the same request."""
        return self._stream  # type: ignore[return-value]

    def read_at(self, start: int, count: int) -> bytes:
        """See :meth:`tfake.archive.zip_archive.Archive.read_at`."""
        self._stream.seek(start)
        return self._stream.read(count)


def copy_first_samples(archive: Archive, images: int, path: str | Path) -> int:
    """Copy an archive's first samples into a zip of their own, the same bytes whatever the way they came.

    A member that is unreadable there is left out with a warning: its sample is then a row with a status, as ever.

    Args:
        archive: the open archive.
        images: how many samples to take, in order of their ids.
        path: the zip to write; it appears whole or not at all.

    Returns:
        How many members were copied.

    Raises:
        ArchiveError: the archive cannot be read or holds too few samples.
        TransferError: its server refuses, ignores ranges, or breaks off again and again.
    """
    table = select_samples(list_members(archive), images, ", ".join(archive.paths))
    found = (member_of(record, role) for record in table.itertuples() for role in MEMBER_SUFFIXES)
    members = [member for member in found if member is not None]
    copied = 0

    def copy(part: str) -> None:
        nonlocal copied
        with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as target:
            for member in tqdm(members, "fetch samples"):
                try:
                    # A ZipInfo of its own has no time stamp: the zip's bytes follow from the samples alone.
                    target.writestr(zipfile.ZipInfo(member.name), archive.read(member))
                    copied += 1
                except MemberError as error:
                    logging.warning("left out: %s", error)

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    write_whole(str(path), copy)
    return copied
