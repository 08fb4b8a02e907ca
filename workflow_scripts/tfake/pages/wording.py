"""Codes, numbers and tables as a reader writes them."""

import math
from collections.abc import Iterable, Sequence
from enum import Enum
from itertools import pairwise
from typing import Any

_UNKNOWN = "not measured"


def words_of(code: Enum) -> str:
    """A code's name in words: ``MISSING_MEMBER`` to ``missing member``."""
    return code.name.lower().replace("_", " ")


def plural(count: int, noun: str) -> str:
    """A count with its noun: ``1 image``, ``1,200 images``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def bytes_in_words(size: float) -> str:
    """A number of bytes with its decimal unit, three digits: ``5.64 MB``; NaN is ``not measured``."""
    if math.isnan(size):
        return _UNKNOWN
    for unit in ("B", "kB", "MB", "GB"):
        if size < 999.5:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:,.3g} TB"


def seconds_in_words(seconds: float, decimals: int = 1) -> str:
    """A duration in its two largest units: ``4.2 s``, ``3 min 20 s``, ``2 h 05 min``; NaN is ``not measured``."""
    if math.isnan(seconds):
        return _UNKNOWN
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    for (name, size), (lower, lower_size) in pairwise(units):
        if seconds >= size:
            whole, rest = divmod(round(seconds / lower_size), size // lower_size)
            return f"{whole} {name} {rest:02d} {lower}"
    return f"{seconds:.{decimals}f} s"


def core_hours(seconds: float) -> str:
    """Processor time as a cluster counts it: ``0.13 core hours``."""
    return f"{seconds / 3600:,.2f} core hours"


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> list[str]:
    """The lines of a Markdown table whose columns have equal widths, so that it reads as it stands, too."""
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    first, *lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    return [first, "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines]
