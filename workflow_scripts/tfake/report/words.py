"""Codes and numbers as a reader writes them."""

import math
from enum import Enum

_UNKNOWN = "not measured"


def words_of(code: Enum) -> str:
    """A code's name in words: ``MISSING_MEMBER`` to ``missing member``."""
    return code.name.lower().replace("_", " ")


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
    if seconds < 60:
        return f"{seconds:.{decimals}f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def core_hours(seconds: float) -> str:
    """Processor time as a cluster counts it: ``0.13 core hours``."""
    return f"{seconds / 3600:,.2f} core hours"


def plural(count: int, noun: str) -> str:
    """A count with its noun: ``1 image``, ``1,200 images``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
