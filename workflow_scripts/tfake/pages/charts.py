"""Drawings that become part of a page's text, in its font and its colours."""

import io
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Colours that stand for the page's own: replaced after drawing, so that one drawing suits light and dark.
INK, LINE, ACCENT, SECOND = "#010203", "#040506", "#070809", "#0a0b0c"
_PAGE_COLOURS = {
    INK: "currentColor",
    LINE: "var(--line)",
    ACCENT: "var(--accent)",
    SECOND: "var(--second)",
}
#: The same colours where a figure stands alone: page.css's for a light page.
_ALONE = {
    "currentColor": "#1b1d21",
    "var(--line)": "#d3d5d9",
    "var(--accent)": "#c2410c",
    "var(--second)": "#1d64b5",
    "var(--raised)": "#f2f2ef",
    "var(--muted)": "#575c66",
}
_SERIES = (ACCENT, SECOND, "#3a9d5d", "#a05fc9", "#c99a2e", "#7c8794", "#d6589f", "#2aa1a1")
#: Resolution of what a panel draws as pixels.
_RASTER_DPI = 160
_LINES, _MARKERS = ("-", "--", ":", "-."), "osD^vPX*"
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tfake",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": LINE,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
}


def series_style(number: int) -> dict[str, str]:
    """How one of several series is drawn: matplotlib's ``color`` and ``linestyle``; none of 32 pairs recurs."""
    return {"color": _SERIES[number % len(_SERIES)], "linestyle": _LINES[number // len(_SERIES) % len(_LINES)]}


def series_marker(number: int) -> dict[str, str]:
    """How the dots of one of several series are drawn: ``color`` and ``marker``; none of 64 pairs recurs."""
    marker = _MARKERS[(number + number // len(_SERIES)) % len(_MARKERS)]
    return {"color": series_style(number)["color"], "marker": marker, "linestyle": "none"}


def page_series() -> list[str]:
    """The series' colours as CSS has them, for charts that a page's script draws."""
    return [_PAGE_COLOURS.get(colour, colour) for colour in _SERIES]


@dataclass(frozen=True)
class Drawing:
    """One figure drawn twice: for a desktop's width, and for a phone's."""

    wide: str  # an <svg> element
    narrow: str

    def alone(self) -> str:
        """The wide drawing as an SVG file of its own."""
        return stand_alone(self.wide)


def stand_alone(svg: str) -> str:
    """Turn an ``<svg>`` element of the page into a file: the light page's colours, on white, with its namespaces."""
    for page, own in _ALONE.items():
        svg = svg.replace(page, own)
    if "xmlns=" not in svg:
        svg = svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    svg = svg.replace("<svg", '<svg style="background: #fff; font-family: sans-serif"', 1)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + svg.strip() + "\n"


def draw(
    name: str,
    panel: Callable[[Axes, Any], None],
    items: Sequence,
    panel_height: float,
    share_x: bool = False,
    columns: tuple[int, int] = (2, 1),
) -> Drawing:
    """Draw one panel an item.

    Args:
        name: of the figure; its elements' ids begin with it.
        panel: draws one item into its axes.
        items: at least one.
        panel_height: inches.
        share_x: whether all panels have one horizontal scale.
        columns: of panels, at most, on wide pages and on narrow ones.
    """

    def render(beside: int, width: float, prefix: str) -> str:
        lines = math.ceil(len(items) / beside)
        with matplotlib.rc_context(_STYLE):
            figure = Figure(figsize=(width, lines * panel_height), layout="constrained")
            grid = figure.subplots(lines, beside, squeeze=False, sharex="all" if share_x else "none")
            for axes, item in zip(grid.flat, items, strict=False):
                panel(axes, item)
                axes.tick_params(labelbottom=True)
            for axes in grid.flat[len(items) :]:
                axes.set_visible(False)
            buffer = io.StringIO()
            # No metadata block: it holds the date and addresses.
            metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            figure.savefig(buffer, format="svg", transparent=True, metadata=metadata, dpi=_RASTER_DPI)
        return _as_element(buffer.getvalue(), prefix)

    wide, narrow = (min(most, len(items)) for most in columns)
    return Drawing(wide=render(wide, 10.0, f"{name}-wide"), narrow=render(narrow, 4.4, f"{name}-narrow"))


def _as_element(svg: str, prefix: str) -> str:
    """Turn an SVG file into an element of a page: no prolog, free width, ids of its own, the page's colours."""
    svg = svg[svg.index("<svg") :]
    # Its style sheet would hold for the whole page; page.css says the same for figures alone.
    svg = re.sub(r"<style.*?</style>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r'^(<svg[^>]*?) height="[^"]*"', r"\1", svg)
    svg = re.sub(r'^(<svg[^>]*?) width="[^"]*"', r"\1", svg)
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<0>{prefix}-", svg)
    for drawn, meant in _PAGE_COLOURS.items():
        svg = svg.replace(drawn, meant)
    return svg.replace("<svg", '<svg aria-hidden="true" focusable="false"', 1)
