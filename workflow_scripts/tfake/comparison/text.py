"""A comparison as Markdown: readable in a terminal as it stands."""

import re
from collections.abc import Iterable, Sequence

from tfake.comparison.differences import Comparison, StoreDifference
from tfake.comparison.pixels import PixelDifference

_SHA256 = re.compile("[0-9a-f]{64}")


def write_text(comparison: Comparison, pixels: Sequence[PixelDifference] = ()) -> str:
    """Write a comparison out.

    Args:
        comparison: of two datasets.
        pixels: of their variants; empty leaves the section out.

    Returns:
        Markdown with a line break at its end.
    """
    first, second = comparison.folders
    lines = [f"# {first} and {second}", ""]
    lines += ["The stores are the same, byte for byte." if comparison.identical else "The stores differ.", ""]
    lines += [f"Only in {first}: {name}" for name in comparison.only_first]
    lines += [f"Only in {second}: {name}" for name in comparison.only_second]
    lines += ["", "## Settings", ""]
    if comparison.config is None:
        lines += ["Not saved with both (config.yaml)."]
    else:
        lines += _table(("key", first, second), comparison.config) or ["The same."]
    for store in comparison.stores:
        lines += ["", f"## {store.name}", "", *_store(store, first, second)]
    if pixels:
        header = ("variant", "images", "equal", "bias", "mean absolute", "largest", "")
        rows = (
            (p.variant, p.images, p.equal, f"{p.bias:+.4f}", f"{p.mean_absolute:.4f}", f"{p.largest:.2f}", p.reason)
            for p in pixels
        )
        lines += ["", "## Pixels, second minus first", "", *_table(header, rows)]
    return "\n".join(line for line, after in zip(lines, [*lines[1:], "x"], strict=True) if line or after) + "\n"


def _store(store: StoreDifference, first: str, second: str) -> list[str]:
    if store.identical:
        return [f"The same: {store.files} files."]
    changed = ", ".join(f"{count} of {array}" for array, count in store.changed.items())
    lines = [f"{sum(store.changed.values())} of {store.files} files differ{': ' + changed if changed else ''}."]
    lines += [
        f"{count} more files in {folder}."
        for count, folder in ((store.only_first, first), (store.only_second, second))
        if count
    ]
    lines += ["", *_table(("attribute or count", first, second), (*store.attributes, *store.summary))]
    rows = [
        (
            entry.name,
            *entry.pixels,
            *(_number(value) for value in entry.mean),
            _number(None if None in entry.mean else entry.mean[1] - entry.mean[0], "+.2f"),
            *(_number(value) for value in entry.sd),
        )
        for entry in store.classes
    ]
    header = (f"class ({store.units})", "pixels", "pixels", "mean", "mean", "difference", "sd", "sd")
    return [*lines, "", *_table(header, rows)]


def _number(value: float | None, form: str = ".2f") -> str:
    return "-" if value is None else format(value, form)


def _cell(value) -> str:
    """A value in a table; of a SHA-256 its beginning."""
    text = str(value)
    return text[:12] if _SHA256.fullmatch(text) else text.replace("|", "\\|").replace("\n", " ")


def _table(header: Sequence[str], rows: Iterable[Sequence]) -> list[str]:
    """A Markdown table with columns of equal width; nothing without a row."""
    cells = [[_cell(cell) for cell in row] for row in rows]
    if not cells:
        return []
    cells = [list(header), *cells]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]
