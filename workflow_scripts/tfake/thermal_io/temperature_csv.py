"""Tables of temperatures, as cameras' programs write them: one image, or several below each other.

UTF-8 or UTF-16, with or without a byte order mark; header lines; semicolons, tabs, commas or blanks between the
numbers; decimal points or commas; a row and a column of pixel numbers around them; °C, °F or K, as the header says.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from tfake.core.radiometry import ZERO_CELSIUS_KELVIN
from tfake.thermal_io.frames import Frame, Recording, ThermalFileError, check_size

_LEAST_EDGE = 4
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
)
_EMPTY = {"", "-", "--", "---", "nan", "n/a", "#n/a", "null"}
_NUMBER = re.compile(r"([-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?|[-+]?\.\d+)\s*°?\s*([cfk]?)", re.IGNORECASE)
_UNITS = {
    "fahrenheit": re.compile(r"°\s*F\b|\bdeg\.?\s*F\b|fahrenheit|\(F\)|\[F\]", re.IGNORECASE),
    "kelvin": re.compile(r"kelvin|\(K\)|\[K\]|\bin K\b|°\s*K\b", re.IGNORECASE),
    "celsius": re.compile(r"°\s*C\b|\bdeg\.?\s*C\b|celsius|\(C\)|\[C\]|\u2103", re.IGNORECASE),
}
_LETTERS = {"c": "celsius", "f": "fahrenheit", "k": "kelvin"}
_DELIMITERS = (";", "\t", ",", " ")
#: Lines that are looked at to tell how a table is written.
_SAMPLE = 64


def open_temperature_csv(file: BinaryIO) -> Recording:
    """Read a table.

    Args:
        file: at its beginning.

    Raises:
        ThermalFileError: no text, no table of numbers, or one whose commas may be of either kind.
    """
    lines = decode_text(file.read()).splitlines()
    try:
        tables, header, cell_unit = _find_tables(lines)
    except (csv.Error, OverflowError) as error:
        raise ThermalFileError(f"it cannot be read as a table ({error})") from error
    tables = [_without_numbering(table) for table in tables]
    check_size(*tables[0].shape)
    unit = cell_unit or next((unit for unit, pattern in _UNITS.items() if pattern.search(header)), None)
    assumed = () if unit else ("the table names no unit: degrees Celsius",)
    frames = map(Frame, (_to_celsius(table, unit or "celsius") for table in tables))
    return Recording("csv", frames, is_celsius=True, announced=len(tables), assumed=assumed)


def decode_text(data: bytes) -> str:
    """Decode text of any of the encodings that programs on Windows write.

    Args:
        data: the file.

    Raises:
        ThermalFileError: it is no text.
    """
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    if encoding is None and data[:512].count(0) > len(data[:512]) // 4:
        encoding = "utf-16-le" if data[1:2] == b"\x00" else "utf-16-be"
    for attempt in (encoding,) if encoding else ("utf-8", "cp1252"):
        try:
            text = data.decode(attempt)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text and text.strip():
            return text
    raise ThermalFileError("it is no text")


def _find_tables(lines: Sequence[str]) -> tuple[list[np.ndarray], str, str | None]:
    """The tables of one size, the largest; the text around them; and the unit that stands in the cells."""
    best: tuple[int, str, str] | None = None
    # The middle of a file is table, whatever stands above.
    middle = max(0, len(lines) // 2 - _SAMPLE // 2)
    for delimiter in _DELIMITERS:
        for decimal in ".,":
            rows = _rows(lines[middle : middle + _SAMPLE], delimiter, decimal)
            widths = [len(row[1]) for row in rows if row[1] is not None]
            width = max(set(widths), key=lambda found: found * widths.count(found), default=0)
            score = width * widths.count(width)
            if width >= _LEAST_EDGE and (best is None or score > best[0]):
                best = (score, delimiter, decimal)
    if best is None:
        raise ThermalFileError(f"no table of at least {_LEAST_EDGE}x{_LEAST_EDGE} numbers in {len(lines)} lines")
    _, delimiter, decimal = best
    blocks: list[list[list[float]]] = [[]]
    header: list[str] = []
    units: set[str] = set()
    for text, cells, found in _rows(lines, delimiter, decimal):
        if cells is None:
            header.append(text)
            blocks.append([])
            continue
        if blocks[-1] and len(cells) != len(blocks[-1][0]):
            blocks.append([])
        blocks[-1].append(cells)
        units |= found
    if len(units) > 1:
        raise ThermalFileError(f"its cells have several units: {', '.join(sorted(units))}")
    tables = _joined([block for block in blocks if block])
    largest = max(tables, key=lambda table: len(table) * len(table[0]))
    same = [table for table in tables if (len(table), len(table[0])) == (len(largest), len(largest[0]))]
    if min(len(largest), len(largest[0])) < _LEAST_EDGE:
        raise ThermalFileError(f"no table of at least {_LEAST_EDGE}x{_LEAST_EDGE} numbers in {len(lines)} lines")
    if delimiter == "," and decimal == ".":
        _check_commas(np.array(largest), lines)
    return [np.array(table, dtype=np.float64) for table in same], "\n".join(header), next(iter(units), None)


def _joined(blocks: list[list[list[float]]]) -> list[list[list[float]]]:
    """Rows that stand alone, with an empty line behind each, are one table."""
    if len(blocks) > 1 and all(len(block) == 1 for block in blocks):
        widths = [len(block[0]) for block in blocks]
        width = max(set(widths), key=widths.count)
        return [[block[0] for block in blocks if len(block[0]) == width]]
    return blocks


def _rows(lines: Sequence[str], delimiter: str, decimal: str) -> Iterator[tuple[str, list[float] | None, set[str]]]:
    """Each line as it stands; its numbers, None where it is no row of numbers; and the units in its cells."""
    for line in lines:
        cells = line.split() if delimiter == " " else next(csv.reader([line], delimiter=delimiter), [])
        if cells and not cells[-1].strip():
            cells = cells[:-1]
        yield line, *_numbers(cells, decimal)


def _numbers(cells: Sequence[str], decimal: str) -> tuple[list[float] | None, set[str]]:
    numbers: list[float] = []
    units: set[str] = set()
    found = 0
    for cell in cells:
        text = cell.strip()
        if text.lower() in _EMPTY:
            numbers.append(float("nan"))
            continue
        if decimal == ",":
            if "." in text:
                return None, units
            text = text.replace(",", ".")
        match = _NUMBER.fullmatch(text)
        if match is None:
            return None, units
        numbers.append(float(match[1]))
        found += 1
        if match[2]:
            units.add(_LETTERS[match[2].lower()])
    return (numbers, units) if found else (None, units)


def _check_commas(table: np.ndarray, lines: Sequence[str]) -> None:
    """Refuse whole numbers between commas that may be the two halves of decimal numbers."""
    if table.shape[1] % 2 or any("." in line for line in lines) or not np.array_equal(table, np.rint(table)):
        return
    wholes, parts = table[:, ::2], table[:, 1::2]
    # In an image a pixel is about as far from its neighbour as from the one behind it.
    if np.abs(wholes - parts).mean() > 4 * (np.abs(np.diff(wholes, axis=1)).mean() + 0.5):
        raise ThermalFileError(
            "commas stand between its numbers and, as it seems, inside them: save it with semicolons"
        )


def _without_numbering(table: np.ndarray) -> np.ndarray:
    """Take away a first row and a first column that only count."""
    row = _counts(table[0]) or _counts(table[0, 1:])
    column = _counts(table[:, 0]) or _counts(table[1:, 0])
    table = table[int(row) :, int(column) :]
    if min(table.shape) < _LEAST_EDGE:
        raise ThermalFileError(f"no table of at least {_LEAST_EDGE}x{_LEAST_EDGE} numbers")
    return table


def _counts(values: np.ndarray) -> bool:
    return len(values) >= _LEAST_EDGE and values[0] in (0, 1) and bool((np.diff(values) == 1).all())


def _to_celsius(table: np.ndarray, unit: str) -> np.ndarray:
    if unit == "fahrenheit":
        table = (table - 32) / 1.8
    elif unit == "kelvin":
        table = table - ZERO_CELSIUS_KELVIN
    return table.astype(np.float32)
