"""Tables and texts as people's programs write them: any byte order mark, line end, delimiter and decimal sign.

A file is read line by line, so that an open quote costs its own line and no other.
"""

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

_BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")


@dataclass(frozen=True)
class TableRow:
    """One line of a table.

    Attributes:
        line: its number in the file, from 1.
        cells: its values, without the blanks around them; numbers with a decimal point.
        fault: why they cannot be told apart, then there are none; "" where they can.
    """

    line: int
    cells: tuple[str, ...]
    fault: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether it holds nothing but delimiters and blanks."""
        return not self.fault and not any(self.cells)


def decode_text(data: bytes, errors: str = "replace") -> str:
    """Decode a text: UTF-8 or UTF-16, with or without a byte order mark, or else Windows' western code page.

    Args:
        data: the file's bytes.
        errors: as of ``bytes.decode``: what becomes of bytes that the encoding does not know.

    Returns:
        The text; lines end in a line feed.
    """
    return re.sub(r"\r\n?", "\n", data.decode(_encoding_of(data), errors))


def read_rows(data: bytes) -> Iterator[TableRow]:
    """Take a table of values between commas, semicolons or tabs apart.

    Args:
        data: the file's bytes. With semicolons or tabs, ``21,5`` is 21.5.

    Yields:
        A row a line, blank ones included.
    """
    lines = decode_text(data).removesuffix("\n").split("\n")
    delimiter = _delimiter_of(next((line for line in lines if line.strip(" ,;\t")), ""))
    for number, line in enumerate(lines, start=1):
        try:
            cells = next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error as error:
            yield TableRow(number, (), f"a quote is open or a cell too long ({error})")
            continue
        cells = [cell.strip() for cell in cells]
        if delimiter != ",":
            cells = [cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell for cell in cells]
        yield TableRow(number, tuple(cells))


def parse_number(text: str | None) -> float:
    """A finite number.

    Args:
        text: what should be one; None: a cell that is not there.

    Raises:
        ValueError: it is none.
    """
    try:
        number = math.nan if text is None or "_" in text else float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("a number is missing" if not text else f"expected a finite number, found {text!r}")
    return number


def _encoding_of(data: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return encoding
    # Without a mark, every other byte of a western text in UTF-16 is 0.
    zeros = [data[start:2000:2].count(0) for start in (0, 1)]
    if max(zeros) > len(data[:2000]) / 4:
        return "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _delimiter_of(line: str) -> str:
    bare = re.sub(r'"[^"]*"', "", line)
    # A decimal comma a value at most comes with the semicolons.
    return next((mark for mark in ";\t" if bare.count(mark) > 0 and bare.count(",") <= bare.count(mark) + 1), ",")
