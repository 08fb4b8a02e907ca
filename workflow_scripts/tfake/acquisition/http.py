"""HTTP with patience: what a server says of a file, and its bytes from anywhere in it, checked to be those asked for.

``requests`` speaks HTTP, and urllib3's ``Retry`` asks again, ever later, when a server is busy or cannot be reached. A
connection that breaks in the middle of a body is the callers' matter: they know what they already have. Neither pooch
nor fsspec goes on with a file that was cut: both begin again, without ``If-Range`` and without a check that a range is
the one that was asked for.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import requests
import urllib3
from requests.adapters import HTTPAdapter

#: Requests of one kind before giving up: with a factor of 2 s, about two minutes.
ATTEMPTS = 6
BACKOFF_SECONDS = 2.0
LONGEST_BACKOFF_SECONDS = 60.0
#: To connect, and without a byte of a body.
TIMEOUT_SECONDS = (20.0, 60.0)
#: A cut loses what had not yet come of one chunk.
CHUNK_BYTES = 1 << 16
#: What a broken connection raises; another attempt may succeed.
BROKEN = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
)
_BUSY = (408, 429, 500, 502, 503, 504)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


class TransferError(RuntimeError):
    """A file cannot be had from its server; the message says which, what was expected, and what came."""


class ContentError(TransferError):
    """What came, or would come, is not the file that was asked for."""


@dataclass(frozen=True)
class RemoteFile:
    """What a server says of a file."""

    url: str
    bytes: int | None  # its length; None where the server does not tell
    validator: str  # ETag or date, which changes with its content; "" where there is none


def open_session(backoff_seconds: float = BACKOFF_SECONDS) -> requests.Session:
    """A session that repeats what a busy or absent server refused; each pause is twice as long as the one before."""
    retry = urllib3.Retry(
        total=ATTEMPTS,
        backoff_factor=backoff_seconds,
        backoff_max=LONGEST_BACKOFF_SECONDS,
        status_forcelist=_BUSY,
        allowed_methods=("GET", "HEAD"),
        raise_on_status=False,
        retry_after_max=int(LONGEST_BACKOFF_SECONDS),
    )
    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    # Lengths and ranges are those of the file, not of a compressed form of it.
    session.headers["Accept-Encoding"] = "identity"
    return session


def describe(session: requests.Session, url: str) -> RemoteFile:
    """Ask a server for a file's length and identity.

    Many servers refuse HEAD, above all for signed addresses, or tell no length with it: then the first byte is asked
    for.

    Raises:
        TransferError: no such file, or no connection.
    """
    try:
        response = session.head(url, timeout=TIMEOUT_SECONDS, allow_redirects=True)
        if response.status_code in _BUSY or _length_of(response) is not None:
            _expect(response, url, (200,))
        if _length_of(response) is None:
            with session.get(url, headers={"Range": "bytes=0-0"}, stream=True, timeout=TIMEOUT_SECONDS) as response:
                _expect(response, url, (200, 206))
    except (requests.RequestException, ValueError) as error:  # the latter: it sends us on to no address
        raise TransferError(f"{url}: no answer from its server ({error})") from error
    validator = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
    return RemoteFile(url, _length_of(response), validator)


def is_encoded(response: requests.Response) -> bool:
    """Whether a body comes compressed though that was not asked for, so that lengths and ranges say nothing."""
    return response.headers.get("Content-Encoding", "identity").lower() not in ("", "identity")


def _length_of(response: requests.Response) -> int | None:
    """The whole file's length, where an answer tells it."""
    if is_encoded(response) or response.status_code not in (200, 206):
        return None
    if response.status_code == 206:
        match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        return int(match[3]) if match and match[3].isdigit() else None
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None


def request_from(session: requests.Session, remote: RemoteFile, start: int) -> tuple[int, requests.Response]:
    """Ask for a file's bytes from an offset to its end.

    Args:
        session: from :func:`open_session`.
        remote: from :func:`describe`.
        start: the first byte wanted; 0 where the file's length is not known.

    Returns:
        The offset at which the answer begins, which is 0 where the server ignores ranges or its file has changed, and
        the answer, whose body is not read yet.

    Raises:
        TransferError: the server refuses, or answers with other bytes than those asked for.
        requests.RequestException: the connection breaks; see ``BROKEN``.
    """
    headers = {"Range": f"bytes={start}-"} if start else {}
    if start and remote.validator and not remote.validator.startswith("W/"):
        headers["If-Range"] = remote.validator
    response = session.get(remote.url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS)
    _expect(response, remote.url, (200, 206))
    if response.status_code == 200:
        return 0, response
    _check_range(response, remote, start, remote.bytes)
    return start, response


def read_range(session: requests.Session, remote: RemoteFile, start: int, stop: int) -> bytes:
    """Read a file's bytes ``start`` to ``stop``.

    Args:
        session: from :func:`open_session`.
        remote: from :func:`describe`.
        start: the first byte wanted.
        stop: the end (exclusive).

    Raises:
        TransferError: the server ignores ranges, refuses, or answers with other bytes than those asked for.
        requests.RequestException: the connection breaks; see ``BROKEN``.
    """
    headers = {"Range": f"bytes={start}-{stop - 1}"}
    with session.get(remote.url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as response:
        _expect(response, remote.url, (200, 206))
        if response.status_code == 200:
            raise TransferError(
                f"{remote.url}: its server ignores byte ranges, so single members cannot be read from it; "
                "set source.download: whole"
            )
        _check_range(response, remote, start, stop)
        return response.content


def iterate_body(response: requests.Response) -> Iterator[bytes]:
    """A body's bytes as they come; raises as ``BROKEN`` says when it ends before its announced length."""
    with response:
        yield from response.iter_content(CHUNK_BYTES)


def _expect(response: requests.Response, url: str, codes: tuple[int, ...]) -> None:
    if response.status_code in codes:
        return
    hint = {
        401: "; it asks to log in",
        403: "; it asks to log in, or a signed address is too old",
        404: "; the address may have moved",
        410: "; the address may have moved",
    }.get(response.status_code, "")
    raise TransferError(f"{url}: its server answered {response.status_code} {response.reason}{hint}")


def _check_range(response: requests.Response, remote: RemoteFile, start: int, stop: int) -> None:
    found = response.headers.get("Content-Range", "")
    match = _CONTENT_RANGE.fullmatch(found)
    expected = f"bytes {start}-{stop - 1}/{remote.bytes}"
    if not match or (int(match[1]), int(match[2])) != (start, stop - 1) or match[3] not in ("*", str(remote.bytes)):
        raise TransferError(f"{remote.url}: asked for {expected}, its server sent {found!r}")
