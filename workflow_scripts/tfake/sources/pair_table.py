"""``pairs.csv``, a table that a paired set may hold: who is on a pair, and how warm the room was.

Its columns are ``name`` (of the pair, as ``PairedSet.names`` has it), ``subject`` and ``ambient_celsius``; the last
two may be missing or empty.
"""

import csv
import io
import math
from collections.abc import Container
from dataclasses import dataclass

PAIR_TABLE = "pairs.csv"
_COLUMNS = ("name", "subject", "ambient_celsius")


@dataclass(frozen=True)
class PairNotes:
    """What the table says of one pair."""

    subject: str = ""  # "": the naming of the files decides
    ambient_celsius: float | None = None


def read_pair_table(where: str, data: bytes, names: Container[str]) -> dict[str, PairNotes]:
    """Read the table.

    Args:
        where: the folder or zip, for messages.
        data: the table's bytes: UTF-8, with or without a byte order mark.
        names: the pairs there are; the table need not name all.

    Returns:
        What it says, by pair.

    Raises:
        ValueError: no column ``name``, an unknown column, an unknown or repeated pair, or an ambient that is no
            temperature; with the line's number.
    """
    try:
        return _read(data.decode("utf-8-sig"), names)
    except (ValueError, csv.Error) as error:
        raise ValueError(f"{where}: {PAIR_TABLE}: {error}") from error


def _read(text: str, names: Container[str]) -> dict[str, PairNotes]:
    rows = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found = tuple(rows.fieldnames or ())
    if "name" not in found or set(found) - set(_COLUMNS):
        raise ValueError(f"expected the columns {', '.join(_COLUMNS)}; found {', '.join(found) or 'none'}")
    notes: dict[str, PairNotes] = {}
    for row in rows:
        line = f"line {rows.line_num}"
        if None in row or None in row.values():
            raise ValueError(f"{line}: expected {len(found)} values")
        if row["name"] not in names:
            raise ValueError(f"{line}: the set holds no pair {row['name']!r}")
        if row["name"] in notes:
            raise ValueError(f"{line}: the pair {row['name']!r} is there twice")
        ambient = _read_ambient(row.get("ambient_celsius", ""), line)
        notes[row["name"]] = PairNotes(row.get("subject", "").strip(), ambient)
    return notes


def _read_ambient(text: str, line: str) -> float | None:
    if not text.strip():
        return None
    try:
        celsius = float(text)
    except ValueError:
        celsius = math.nan
    if not -60 <= celsius <= 60:
        raise ValueError(f"{line}: expected an ambient of -60 to 60 degrees Celsius, found {text!r}")
    return celsius
