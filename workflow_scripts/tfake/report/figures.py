"""The page's figures: matplotlib drawings that become part of the page's text, in its font and its colours."""

import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from tfake.report.pictures import class_colour
from tfake.report.temperatures import VariantTemperatures

# Colours that stand for the page's own: replaced after drawing, so that one drawing suits light and dark.
INK, LINE, ACCENT, SECOND = "#010203", "#040506", "#070809", "#0a0b0c"
_PAGE_COLOURS = {
    INK: "currentColor",
    LINE: "var(--line)",
    ACCENT: "var(--accent)",
    SECOND: "var(--second)",
}
_SERIES = (ACCENT, SECOND, "#3a9d5d", "#a05fc9", "#c99a2e", "#7c8794")
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
# The loss terms that losses.csv may hold, and what each is.
_LOSS_TERMS = {
    "total": "total (weighted sum)",
    "supervised": "supervised: pairs",
    "wasserstein": "patch Wasserstein",
    "prior": "temperature prior",
}


@dataclass(frozen=True)
class Drawing:
    """One figure drawn twice: for a desktop's width, and for a phone's."""

    wide: str  # an <svg> element
    narrow: str


def draw_temperatures(variants: Sequence[VariantTemperatures]) -> Drawing:
    """Dot plot of the mean temperature by class against the prior, one panel a variant.

    Args:
        variants: at least one; a class that occurs in none of them gets no line.

    Returns:
        The drawing: bars are one standard deviation each way, hollow diamonds the prior; °C.
    """
    present = {entry.face_class: entry.label for variant in variants for entry in variant.classes}
    order = sorted(present)
    labels = [present[face_class] for face_class in order]

    def panel(axes: Axes, variant: VariantTemperatures) -> None:
        for entry in variant.classes:
            place, colour = order.index(entry.face_class), class_colour(entry.face_class)
            axes.plot([entry.mean - entry.sd, entry.mean + entry.sd], [place] * 2, color=INK, linewidth=1.2, zorder=3)
            axes.plot(entry.mean, place, "o", color=colour, markeredgecolor=INK, markersize=8, zorder=4)
            axes.plot(entry.prior, place, "D", color="none", markeredgecolor=ACCENT, markeredgewidth=1.8, zorder=5)
        axes.axvline(variant.ambient_celsius, color=SECOND, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_title(f"{variant.variant}: ambient {variant.ambient_celsius:g} °C")
        axes.set_xlabel("temperature (°C)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)

    return draw_panels("temperatures", panel, variants, panel_height=0.7 + 0.27 * len(labels), share_x=True)


def draw_losses(losses: Mapping[str, pd.DataFrame]) -> Drawing:
    """Loss curves, one panel a term, one colour a condition; the thick line is a running mean.

    Args:
        losses: condition to its ``losses.csv``: ``step`` and the terms in K^2, not weighted.

    Returns:
        The drawing; a term that is positive throughout has a logarithmic axis.
    """
    terms = [term for term in _LOSS_TERMS if any(term in table for table in losses.values())]

    def panel(axes: Axes, term: str) -> None:
        for (condition, table), colour in zip(losses.items(), _SERIES * len(losses), strict=False):
            if term not in table:
                continue
            window = max(1, len(table) // 25)
            running = table[term].rolling(window, center=True, min_periods=1).mean()
            axes.plot(table["step"], table[term], color=colour, linewidth=0.6, alpha=0.35)
            axes.plot(table["step"], running, color=colour, linewidth=1.8, label=condition)
        positive = all((table[term] > 0).all() for table in losses.values() if term in table)
        if positive:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_title(_LOSS_TERMS[term])
        axes.set_xlabel("step")
        axes.set_ylabel("K²")
        axes.legend(frameon=False)

    return draw_panels("losses", panel, terms, panel_height=2.6)


def draw_panels(name: str, panel: Callable, items: Sequence, panel_height: float, share_x: bool = False) -> Drawing:
    """Draw one panel an item, in two columns for wide pages and in one for narrow.

    Args:
        name: of the drawing, unique on the page.
        panel: draws an item on axes.
        items: at least one.
        panel_height: inches.
        share_x: whether the panels share their x axis.
    """

    def render(columns: int, width: float, prefix: str) -> str:
        lines = math.ceil(len(items) / columns)
        with matplotlib.rc_context(_STYLE):
            figure = Figure(figsize=(width, lines * panel_height), layout="constrained")
            grid = figure.subplots(lines, columns, squeeze=False, sharex="all" if share_x else "none")
            for axes, item in zip(grid.flat, items, strict=False):
                panel(axes, item)
                axes.tick_params(labelbottom=True)
            for axes in grid.flat[len(items) :]:
                axes.set_visible(False)
            buffer = io.StringIO()
            # No metadata block: it holds the date and addresses.
            metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
            figure.savefig(buffer, format="svg", transparent=True, metadata=metadata)
        return _as_element(buffer.getvalue(), prefix)

    return Drawing(wide=render(min(2, len(items)), 10.0, f"{name}-wide"), narrow=render(1, 4.4, f"{name}-narrow"))


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
