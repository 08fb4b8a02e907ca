"""Downloading one file: resumed where it was cut, and put in its place only when it is the file that was asked for.

It is held to its length, its SHA-256 and, where it should be a zip, how it begins and ends; a web page in place of a
file, as servers send that ask to log in, is refused at its first bytes.
"""

import hashlib
import io
import json
import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import requests
from tqdm import tqdm

from tfake.acquisition.http import (
    ATTEMPTS,
    BACKOFF_SECONDS,
    BROKEN,
    LONGEST_BACKOFF_SECONDS,
    ContentError,
    RemoteFile,
    TransferError,
    describe,
    is_encoded,
    iterate_body,
    request_from,
)

_PAGE_TYPES = re.compile(r"(text/|application/(json|xml|xhtml|problem))", re.IGNORECASE)
_ZIP_BEGINS, _ZIP_ENDS = b"PK\x03\x04", b"PK\x05\x06"
#: The end record and the longest comment behind it.
_ZIP_TAIL_BYTES = 22 + 65535
_SHOWN_BYTES = 80


def refuse_page(head: bytes, content_type: str, url: str) -> None:
    """Refuse a web page or an error message where a file was asked for.

    Raises:
        ContentError: the first bytes are those of one, or begin as the content's type lets expect.
    """
    text = head[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()
    is_markup = re.match(rb"<(!|\?|html|head|body|Error)", text, re.IGNORECASE) is not None
    is_message = _PAGE_TYPES.match(content_type) is not None and text[:1] in (b"<", b"{", b"[")
    if is_markup or is_message:
        begins = text[:_SHOWN_BYTES].decode("utf-8", "replace")
        sent = f"a page ({content_type or 'of no type'}) in place of the file"
        raise ContentError(
            f"{url}: its server sent {sent}; it begins {begins!r}. "
            "Log in or renew the address, or download the file by hand and name its path"
        )


def check_zip(path: str | Path, url: str, is_first: bool = True, is_last: bool = True) -> None:
    """Make sure that a file is a zip, or its first or last part, by how it begins and ends.

    Raises:
        ContentError: it is none.
    """
    with open(path, "rb") as file:
        begins = file.read(len(_ZIP_BEGINS))
        file.seek(max(0, os.fstat(file.fileno()).st_size - _ZIP_TAIL_BYTES))
        ends = file.read()
    if is_first and begins != _ZIP_BEGINS:
        raise ContentError(f"{url}: expected a zip; what came begins with {begins!r}")
    if is_last and _ZIP_ENDS not in ends:
        raise ContentError(
            f"{url}: expected a zip; what came has no directory at its end, so it is cut short or no zip"
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
    check: Callable[[Path], None] | None = None,
) -> tuple[int, str]:
    """Download a file, or the rest of it.

    What has come lies in ``path.part``, and whose bytes they are in ``path.part.json``; both stay when the download
    breaks off, so that the next one goes on there, and are deleted when it is not the file. A file whose server tells
    no length cannot be gone on with: it begins anew.

    Args:
        session: from :func:`tfake.acquisition.http.open_session`.
        url: where the file is.
        path: where it shall be; it appears whole or not at all.
        expected_sha256: its SHA-256 if known.
        expected_bytes: its length if known.
        backoff_seconds: pause after a first cut; each further cut without progress doubles it.
        check: looks at what came before it is put in its place, and raises a ``ContentError`` where it is not the file.

    Returns:
        Its length in bytes and its SHA-256.

    Raises:
        TransferError: the server refuses, or breaks off again and again; the disk is too small.
        ContentError: the server's file has another length or SHA-256 than expected, or is a page.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remote = describe(session, url)
    _expect_length(url, remote.bytes, expected_bytes)
    part = Path(f"{path}.part")
    _forget_another_file(part, remote)
    check_disk({path.name: remote}, path.parent)
    part.touch()
    bar = {"desc": path.name, "total": remote.bytes, "initial": part.stat().st_size, "unit": "B", "unit_scale": True}
    lines = {"ncols": 100, "mininterval": REPORT_SECONDS, "file": _LogLines(), "ascii": False, "disable": False}
    try:
        with tqdm(**bar, **lines) as progress:
            _fill(session, remote, part, backoff_seconds, progress)
        length = part.stat().st_size
        _expect_length(url, length, expected_bytes)
        sha256 = _expect_sha256(url, part, expected_sha256)
        if check is not None:
            check(part)
    except ContentError:
        part.unlink()
        _identity_file(part).unlink()
        raise
    os.replace(part, path)
    _identity_file(part).unlink()
    return length, sha256


def _expect_length(url: str, found: int | None, expected: int | None) -> None:
    if None not in (found, expected) and found != expected:
        raise ContentError(f"{url}: expected {expected} bytes as recorded, its server now has {found}")


def _expect_sha256(url: str, part: Path, expected: str | None) -> str:
    with open(part, "rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if expected is not None and found != expected:
        raise ContentError(f"{url}: its SHA-256 is {found}, expected {expected}; what came was deleted")
    return found


def check_disk(remotes: Mapping[str, RemoteFile], folder: str | Path) -> None:
    """Make sure that what is still to come of some files fits the disk; nothing is known of those without a length.

    Args:
        remotes: the files, by the name that each will have in ``folder``.
        folder: where they will lie; it exists.

    Raises:
        TransferError: the disk is too small; the message says by how much.
    """
    missing = 0
    for name, remote in remotes.items():
        if remote.bytes is None:
            continue
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
    # A signed address has another query each time; with a validator, the rest of it tells.
    url = remote.url.partition("?")[0] if remote.validator else remote.url
    identity = {"url": url, "bytes": remote.bytes, "validator": remote.validator}
    recorded = _identity_file(part)
    try:
        is_same = json.loads(recorded.read_text()) == identity
    except (OSError, ValueError):
        is_same = False
    if part.exists() and not is_same:
        logging.warning("%s is of another version of %s: starting again", part, remote.url)
        part.unlink()
    recorded.write_text(json.dumps(identity))


def _fill(session: requests.Session, remote: RemoteFile, part: Path, backoff_seconds: float, progress: tqdm) -> None:
    """Append to ``part`` until it is as long as the server says, over any number of connections that make progress.

    Without a length, an answer that ends as HTTP wants it to is the whole file.
    """
    furthest, idle = part.stat().st_size, 0
    while (have := part.stat().st_size) != remote.bytes:
        reason, ended = "the server ended early", False
        try:
            start, response = request_from(session, remote, 0 if remote.bytes is None else have)
            if start == 0 and is_encoded(response):
                remote = replace(remote, bytes=None)
            if start < have:
                logging.warning("%s: its server takes no byte ranges, so the download starts again", remote.url)
            content_type = response.headers.get("Content-Type", "")
            _append(part, start, iterate_body(response), remote, content_type, progress)
            ended = True
        except BROKEN as error:
            reason = str(error)
        have = part.stat().st_size
        idle = 0 if have > furthest else idle + 1
        furthest = max(furthest, have)
        if have == remote.bytes or (ended and remote.bytes is None):
            break
        if idle == ATTEMPTS:
            raise TransferError(
                f"{remote.url}: expected {remote.bytes or 'some'} bytes, got no further than {furthest} in {ATTEMPTS} "
                f"attempts; the last: {reason}"
            )
        logging.warning("%s: cut at %d of %s bytes (%s): going on", remote.url, have, remote.bytes or "?", reason)
        time.sleep(min(backoff_seconds * 2**idle, LONGEST_BACKOFF_SECONDS))


def _append(
    part: Path, start: int, chunks: Iterator[bytes], remote: RemoteFile, content_type: str, progress: tqdm
) -> None:
    with open(part, "r+b") as file:
        file.truncate(start)
        position = file.seek(start)
        for chunk in chunks:
            if position == 0:
                refuse_page(chunk, content_type, remote.url)
            position += len(chunk)
            if remote.bytes is not None and position > remote.bytes:
                raise TransferError(f"{remote.url}: its server announced {remote.bytes} bytes and sends more")
            file.write(chunk)
            progress.update(position - progress.n)


class _LogLines(io.StringIO):
    """Where a progress bar writes to become lines of the job's log and its terminal, which several downloads share."""

    def write(self, text: str) -> int:
        if line := text.strip():
            logging.info(line)
        return len(text)
