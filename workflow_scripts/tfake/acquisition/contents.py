"""Whether what came is a file at all, and the zip that it should be: servers answer with pages that ask to log in."""

import os
import re
from pathlib import Path

from tfake.acquisition.http import ContentError

_PAGE_TYPES = re.compile(r"(text/|application/(json|xml|xhtml|problem))", re.IGNORECASE)
_ZIP_BEGINS, _ZIP_ENDS = b"PK\x03\x04", b"PK\x05\x06"
#: The end record and the longest comment behind it.
_ZIP_TAIL_BYTES = 22 + 65535
_SHOWN_BYTES = 80


def refuse_page(head: bytes, content_type: str, url: str) -> None:
    """Refuse a web page or an error message where a file was asked for.

    Args:
        head: the first bytes of the body.
        content_type: as the server calls it.
        url: the file's address, for the message.

    Raises:
        ContentError: it is one.
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
    """Make sure that a file is a zip, or a part of one, by how it begins and ends.

    Args:
        path: what came.
        url: where from, for the message.
        is_first: whether the zip begins here.
        is_last: whether it ends here.

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
