"""The page's figures: matplotlib drawings that become part of the page's text, in its font and its colours."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from tfake.report.distributions import Distribution
from tfake.report.drawing import ACCENT, INK, SECOND, Drawing, draw, series_style
from tfake.report.pictures import class_colour
from tfake.report.temperatures import VariantTemperatures

# In lines: half a shape's height, and how far below it CHARLOTTE's marks lie; and the share of bins that are not drawn.
_HALF_HEIGHT, _BESIDE, _INVISIBLE = 0.33, 0.38, 0.002
# The loss terms that losses.csv may hold, and what each is.
_LOSS_TERMS = {
    "total": "total (weighted sum)",
    "supervised": "supervised: pairs",
    "wasserstein": "patch Wasserstein",
    "prior": "temperature prior",
    "validation": "error on held-out pairs",
}


def draw_temperatures(variants: Sequence[VariantTemperatures]) -> Drawing:
    """Draw how temperatures spread in each class, against the prior and CHARLOTTE, one panel a variant.

    Args:
        variants: at least one; a class that occurs in none of them gets no line.

    Returns:
        The drawing, °C: shapes are the pixels of the sampled faces, ticks their median, dots the mean of all pixels,
        hollow diamonds the prior, squares with bars CHARLOTTE's mean and standard deviation between people.
    """
    present = {entry.face_class: entry.label for variant in variants for entry in variant.classes}
    order = sorted(present)
    labels = [present[face_class] for face_class in order]

    def panel(axes: Axes, variant: VariantTemperatures) -> None:
        for entry in variant.classes:
            place, colour = order.index(entry.face_class), class_colour(entry.face_class)
            if entry.face_class in variant.distributions:
                _draw_shape(axes, place, variant.distributions[entry.face_class], colour)
            axes.plot(entry.mean, place, "o", color=colour, markeredgecolor=INK, markersize=6, zorder=4)
            axes.plot(entry.prior, place, "D", color="none", markeredgecolor=ACCENT, markeredgewidth=1.8, zorder=5)
            if entry.face_class in variant.measured:
                found = variant.measured[entry.face_class]
                ends = [found.mean - found.sd, found.mean + found.sd]
                axes.plot(ends, [place + _BESIDE] * 2, color=SECOND, linewidth=1.6, zorder=4)
                axes.plot(found.mean, place + _BESIDE, "s", color=SECOND, markersize=4.5, zorder=5)
        axes.axvline(variant.ambient_celsius, color=SECOND, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_title(f"{variant.variant}: ambient {variant.ambient_celsius:g} °C")
        axes.set_xlabel("temperature (°C)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)

    return draw("temperatures", panel, variants, panel_height=0.7 + 0.34 * len(labels), share_x=True)


def _draw_shape(axes: Axes, place: int, found: Distribution, colour: str) -> None:
    """The histogram of one class around its line, and its median; roots of the shares, or no tail would show."""
    shown = np.flatnonzero(found.share > _INVISIBLE * found.share.max())
    # One empty bin at each end closes the shape where a class has but one temperature.
    chosen = slice(max(0, shown[0] - 1), shown[-1] + 2)
    middles = ((found.edges[:-1] + found.edges[1:]) / 2)[chosen]
    half = _HALF_HEIGHT * np.sqrt(found.share[chosen] / found.share.max())
    axes.fill_between(middles, place - half, place + half, color=colour, edgecolor=INK, linewidth=0.4, zorder=3)
    axes.plot([found.median] * 2, [place - _HALF_HEIGHT, place + _HALF_HEIGHT], color=INK, linewidth=1.2, zorder=4)


def draw_losses(losses: Mapping[str, pd.DataFrame]) -> Drawing:
    """Loss curves, one panel a term, one colour a condition; the thick line is a running mean.

    Args:
        losses: condition to its ``losses.csv``: ``step``, the terms in K^2, not weighted, and the validation error in
            K at the steps where it was measured.

    Returns:
        The drawing; a term that is positive throughout has a logarithmic axis.
    """
    terms = [term for term in _LOSS_TERMS if any(term in table and table[term].any() for table in losses.values())]

    def panel(axes: Axes, term: str) -> None:
        for number, (condition, table) in enumerate(losses.items()):
            style = series_style(number)
            if term not in table:
                continue
            if term == "validation":
                measured = table[table[term].notna()]
                axes.plot(measured["step"], measured[term], marker="o", markersize=4, label=condition, **style)
                continue
            window = max(1, len(table) // 25)
            running = table[term].rolling(window, center=True, min_periods=1).mean()
            axes.plot(table["step"], table[term], color=style["color"], linewidth=0.6, alpha=0.35)
            axes.plot(table["step"], running, linewidth=1.8, label=condition, **style)
        positive = all((table[term].dropna() > 0).all() for table in losses.values() if term in table)
        if positive:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_title(_LOSS_TERMS[term])
        axes.set_xlabel("step")
        axes.set_ylabel("K" if term == "validation" else "K²")
        axes.legend(frameon=False)

    return draw("losses", panel, terms, panel_height=2.6)
