"""``pairs.csv``, a table that a paired set may hold: who is on a pair, and how warm the room was.

Its columns are ``name`` (of the pair, as ``PairedSet.names`` has it, or less the folder that the table lies in),
``subject`` and ``ambient_celsius``; the last two may be missing or empty.
"""

import math
from collections.abc import Container
from dataclasses import dataclass
from pathlib import PurePosixPath

from tfake.sources.file_trees import FileTree
from tfake.sources.text_tables import parse_number, read_rows
from tfake.sources.tree_names import inner_path

PAIR_TABLE = "pairs.csv"
_COLUMNS = ("name", "subject", "ambient_celsius")


@dataclass(frozen=True)
class PairNotes:
    """What the table says of one pair."""

    subject: str = ""  # "": the naming of the files decides
    ambient_celsius: float | None = None


def read_pair_tables(tree: FileTree, names: Container[str]) -> dict[str, PairNotes]:
    """Read the tables of a set: one at its top, or one in a folder for what lies below it.

    Args:
        tree: the set's files.
        names: the pairs there are; the tables need not name all.

    Returns:
        What they say, by pair.

    Raises:
        ValueError: no column ``name``, an unknown column, an unknown or repeated pair, or an ambient that is no
            temperature; with the table and the line's number.
    """
    notes: dict[str, PairNotes] = {}
    for table in tree.names:
        if PurePosixPath(table).name.lower() == PAIR_TABLE:
            try:
                _read(tree.read(table), PurePosixPath(table).parent, names, notes)
            except ValueError as error:
                raise ValueError(f"{tree.where}: {table}: {error}") from error
    return notes


def _read(data: bytes, folder: PurePosixPath, names: Container[str], notes: dict[str, PairNotes]) -> None:
    header, *rows = read_rows(data)
    found = header.cells
    if "name" not in found or set(found) - set(_COLUMNS) or len(set(found)) < len(found):
        raise ValueError(
            f"expected the columns {', '.join(_COLUMNS)}; found {', '.join(filter(None, found)) or 'none'}"
        )
    for row in rows:
        if row.is_blank:
            continue
        line = f"line {row.line}"
        if row.fault or len(row.cells) != len(found):
            raise ValueError(f"{line}: expected {len(found)} values{row.fault and ', but '}{row.fault}")
        cells = dict(zip(found, row.cells, strict=True))
        name = _find(cells["name"], folder, names)
        if name is None:
            raise ValueError(f"{line}: the set holds no pair {cells['name']!r}")
        if name in notes:
            raise ValueError(f"{line}: the pair {name!r} is there twice")
        notes[name] = PairNotes(cells.get("subject", ""), _read_ambient(cells.get("ambient_celsius", ""), line))


def _find(name: str, folder: PurePosixPath, names: Container[str]) -> str | None:
    inner = inner_path(name) or name
    places = ((folder / inner).as_posix(), inner)
    return next((place for place in places if place in names), None)


def _read_ambient(text: str, line: str) -> float | None:
    if not text:
        return None
    try:
        celsius = parse_number(text)
    except ValueError:
        celsius = math.nan
    if not -60 <= celsius <= 60:
        raise ValueError(f"{line}: expected an ambient of -60 to 60 degrees Celsius, found {text!r}")
    return celsius
