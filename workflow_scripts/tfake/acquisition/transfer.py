"""Downloading one file: resumed where it was cut, and put in its place only when its length and SHA-256 are right."""

import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

import requests
from tqdm import tqdm

from tfake.acquisition.http import (
    ATTEMPTS,
    BACKOFF_SECONDS,
    BROKEN,
    LONGEST_BACKOFF_SECONDS,
    RemoteFile,
    TransferError,
    describe,
    iterate_body,
    request_from,
)

#: Seconds between two lines of progress; lines, since several downloads share a terminal.
REPORT_SECONDS = 5.0
#: Left free on the disk for everything else.
SPARE_BYTES = 1 << 28


def download(
    session: requests.Session,
    url: str,
    path: str | Path,
    expected_sha256: str | None = None,
    expected_bytes: int | None = None,
    backoff_seconds: float = BACKOFF_SECONDS,
) -> tuple[int, str]:
    """Download a file, or the rest of it.

    What has come lies in ``path.part``, and whose bytes they are in ``path.part.json``; both stay when the download
    fails, so that the next one goes on there.

    Args:
        session: from :func:`tfake.acquisition.http.open_session`.
        url: where the file is.
        path: where it shall be; it appears whole or not at all.
        expected_sha256: its SHA-256 if known.
        expected_bytes: its length if known.
        backoff_seconds: pause after a first cut; each further cut without progress doubles it.

    Returns:
        Its length in bytes and its SHA-256.

    Raises:
        TransferError: the server refuses, breaks off again and again, or its file has another length or SHA-256 than
            expected; the disk is too small.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remote = describe(session, url)
    if expected_bytes is not None and remote.bytes != expected_bytes:
        raise TransferError(f"{url}: expected {expected_bytes} bytes as recorded, its server now has {remote.bytes}")
    part = Path(f"{path}.part")
    _forget_another_file(part, remote)
    check_disk([remote], path.parent)
    _fill(session, remote, part, backoff_seconds)
    with open(part, "rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if expected_sha256 is not None and sha256 != expected_sha256:
        part.unlink()
        raise TransferError(f"{url}: its SHA-256 is {sha256}, expected {expected_sha256}; what came was deleted")
    os.replace(part, path)
    _identity_file(part).unlink()
    return remote.bytes, sha256


def check_disk(remotes: Sequence[RemoteFile], folder: str | Path) -> None:
    """Make sure that what is still to come of some files fits the disk.

    Args:
        remotes: the files, each to be put into ``folder`` under its own name.
        folder: where they will lie; it exists.

    Raises:
        TransferError: the disk is too small; the message says by how much.
    """
    missing = 0
    for remote in remotes:
        name = remote.url.rsplit("/", 1)[-1]
        present = [Path(folder, name), Path(folder, f"{name}.part")]
        missing += remote.bytes - max(file.stat().st_size if file.exists() else 0 for file in present)
    free = shutil.disk_usage(folder).free
    if missing + SPARE_BYTES > free:
        raise TransferError(
            f"{folder}: {missing / 1e9:.2f} GB are still to come and {SPARE_BYTES / 1e9:.2f} GB stay free, "
            f"but the disk has {free / 1e9:.2f} GB"
        )


def _identity_file(part: Path) -> Path:
    return Path(f"{part}.json")


def _forget_another_file(part: Path, remote: RemoteFile) -> None:
    """Delete a part that belongs to another file, or to another version of it."""
    identity = {"url": remote.url, "bytes": remote.bytes, "validator": remote.validator}
    recorded = _identity_file(part)
    if part.exists() and not (recorded.exists() and json.loads(recorded.read_text()) == identity):
        logging.warning("%s is of another version of %s: starting again", part, remote.url)
        part.unlink()
    recorded.write_text(json.dumps(identity))


def _fill(session: requests.Session, remote: RemoteFile, part: Path, backoff_seconds: float) -> None:
    """Append to ``part`` until it is as long as the server says, over any number of connections that make progress."""
    part.touch()
    furthest, idle = part.stat().st_size, 0
    progress = _Progress(remote, furthest)
    while (have := part.stat().st_size) != remote.bytes:
        reason = "the server ended early"
        try:
            start, response = request_from(session, remote, have)
            if start < have:
                logging.warning("%s: its server ignores byte ranges, so the download starts again", remote.url)
            _append(part, start, iterate_body(response), remote, progress)
        except BROKEN as error:
            reason = str(error)
        have = part.stat().st_size
        idle = 0 if have > furthest else idle + 1
        furthest = max(furthest, have)
        if have == remote.bytes:
            break
        if idle == ATTEMPTS:
            raise TransferError(
                f"{remote.url}: expected {remote.bytes} bytes, got no further than {furthest} in {ATTEMPTS} attempts; "
                f"the last: {reason}"
            )
        logging.warning("%s: cut at %d of %d bytes (%s): going on", remote.url, have, remote.bytes, reason)
        time.sleep(min(backoff_seconds * 2**idle, LONGEST_BACKOFF_SECONDS))
    progress.report(remote.bytes)


def _append(part: Path, start: int, chunks, remote: RemoteFile, progress: "_Progress") -> None:
    with open(part, "r+b") as file:
        file.truncate(start)
        position = file.seek(start)
        for chunk in chunks:
            position += len(chunk)
            if position > remote.bytes:
                raise TransferError(f"{remote.url}: its server announced {remote.bytes} bytes and sends more")
            file.write(chunk)
            progress.show(position)


class _Progress:
    """Lines with a bar, the rate and the time left, in the job's log and on its terminal."""

    def __init__(self, remote: RemoteFile, have: int):
        self._name, self._total, self._initial = remote.url.rsplit("/", 1)[-1], remote.bytes, have
        self._began = self._shown = time.monotonic()

    def show(self, have: int) -> None:
        if time.monotonic() - self._shown >= REPORT_SECONDS:
            self.report(have)

    def report(self, have: int) -> None:
        self._shown = time.monotonic()
        line = tqdm.format_meter(
            have,
            self._total,
            self._shown - self._began,
            prefix=self._name,
            ncols=100,
            unit="B",
            unit_scale=True,
            initial=min(self._initial, have),
        )
        logging.info(line)
