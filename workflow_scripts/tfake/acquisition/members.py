"""The first samples of a remote archive, read member by member, so that 100 images need no 32 GB."""

import io
import logging
import os
import time
import zipfile
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
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
from tfake.sources.archive import Archive, MemberError, list_members
from tfake.sources.index import select_samples
from tfake.sources.samples import MEMBER_SUFFIXES, member_of

#: A request fetches this much: a few neighbouring samples, or a part of the directory.
REQUEST_BYTES = 4 << 20


class RemoteSplitFile(io.RawIOBase):
    """A remote file, or remote parts in order, read as one by requests for byte ranges."""

    def __init__(self, session: requests.Session, urls: Sequence[str], backoff_seconds: float = BACKOFF_SECONDS):
        """Ask for the parts' lengths.

        Args:
            session: from :func:`tfake.acquisition.http.open_session`.
            urls: the parts in order.
            backoff_seconds: pause after a first cut; each further one doubles it.

        Raises:
            TransferError: a part cannot be had.
        """
        self._session, self._backoff_seconds = session, backoff_seconds
        self._parts = [describe(session, url) for url in urls]
        self._starts = [0, *accumulate(part.bytes for part in self._parts)]
        self._position = 0
        self.fetched_bytes = 0

    def readable(self) -> bool:
        """Tell io that reading works."""
        return True

    def seekable(self) -> bool:
        """Tell io that seeking works."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move within the concatenation; see :meth:`io.IOBase.seek`."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._starts[-1]}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer) -> int:
        """Fetch up to ``REQUEST_BYTES`` of the part that holds the position; see :meth:`io.RawIOBase.readinto`."""
        if self._position >= self._starts[-1]:
            return 0
        part = bisect_right(self._starts, self._position) - 1
        start = self._position - self._starts[part]
        stop = min(start + min(len(buffer), REQUEST_BYTES), self._parts[part].bytes)
        data = self._fetch(part, start, stop)
        buffer[: len(data)] = data
        self._position += len(data)
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
    """An archive that stays where it is; see :class:`tfake.sources.archive.Archive`."""

    def __init__(self, session: requests.Session, urls: Sequence[str], backoff_seconds: float = BACKOFF_SECONDS):
        """Open a remote zip or its split parts; arguments and errors as :class:`RemoteSplitFile`."""
        self.paths = tuple(urls)
        self.remote = RemoteSplitFile(session, urls, backoff_seconds)
        self._stream = io.BufferedReader(self.remote, buffer_size=REQUEST_BYTES)


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
    part, copied = f"{path}.part", 0
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as target:
        for record in tqdm(table.itertuples(), "fetch samples", len(table)):
            for role in MEMBER_SUFFIXES:
                member = member_of(record, role)
                if member is None:
                    continue
                try:
                    # A ZipInfo of its own has no time stamp: the zip's bytes follow from the samples alone.
                    target.writestr(zipfile.ZipInfo(member.name), archive.read(member))
                    copied += 1
                except MemberError as error:
                    logging.warning("left out: %s", error)
    os.replace(part, path)
    return copied
