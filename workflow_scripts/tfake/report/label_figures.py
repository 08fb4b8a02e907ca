"""The drawings of the page's section on dense labels."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from tfake.codes import MeshStatus
from tfake.report.drawing import ACCENT, INK, SECOND, Drawing, draw
from tfake.report.words import words_of

_BINS = 30
_LARGEST = 0.1
# Faces drawn one by one: every dot is text in the page.
_DRAWN = 2000
_COLOURS = {MeshStatus.OK: SECOND, MeshStatus.RETRIED: ACCENT, MeshStatus.REJECTED: INK}


def draw_errors(
    error: np.ndarray, left_out: np.ndarray, yaw: np.ndarray, status: np.ndarray, retry: float, reject: float
) -> Drawing:
    """Histogram of the errors before and after correction, and errors against yaw.

    Args:
        error: (N,) of the mesh as it was found, NaN where none was.
        left_out: (N,) after correction, at points that were left out; NaN without points.
        yaw: (N,) degrees.
        status: (N,) codes of :class:`MeshStatus`.
        retry: error above which attempts go on.
        reject: error above which a mesh is rejected.

    Returns:
        The drawing; errors beyond a tenth of the face are drawn at a tenth. Of many faces, those drawn against yaw are
        spread evenly over the rows.
    """
    found = np.isfinite(error)
    drawn = np.zeros(len(error), dtype=bool)
    drawn[np.rint(np.linspace(0, len(error) - 1, min(_DRAWN, len(error)))).astype(int)] = True

    def histogram(axes: Axes) -> None:
        edges = np.linspace(0, _LARGEST, _BINS + 1)
        for values, colour, label in ((error, SECOND, "as found"), (left_out, ACCENT, "corrected, at withheld points")):
            shown = values[found & np.isfinite(values)]
            if len(shown):
                median = np.median(shown)
                axes.hist(np.minimum(shown, _LARGEST), edges, histtype="step", color=colour, linewidth=1.8, label=label)
                axes.axvline(median, color=colour, linewidth=1, linestyle=(0, (1, 2)))
        axes.set_title("error before and after correction (dots: medians)")
        axes.set_xlabel("share of the face's size")
        axes.set_ylabel("faces")
        axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.legend(frameon=False)

    def scatter(axes: Axes) -> None:
        for code, colour in _COLOURS.items():
            chosen = found & drawn & (status == code)
            if chosen.any():
                axes.plot(
                    yaw[chosen],
                    np.minimum(error[chosen], _LARGEST),
                    "o",
                    color=colour,
                    markersize=3.5,
                    alpha=0.7,
                    label=words_of(code),
                )
        fitted = drawn & (status == MeshStatus.FITTED)
        if fitted.any():
            axes.plot(
                yaw[fitted], np.zeros(fitted.sum()), "|", color=INK, markersize=9, label="fitted (no error to show)"
            )
        for height in (retry, reject):
            axes.axhline(height, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        shown = "" if drawn.all() else f" of {_DRAWN:,} faces"
        axes.set_title(f"error against yaw{shown} (above the lines: tried again, rejected)")
        axes.set_xlabel("yaw (degrees), to the image's right")
        axes.set_ylabel("share of the face's size")
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_ylim(bottom=-0.002)
        axes.legend(frameon=False)

    return draw("label-errors", lambda axes, paint: paint(axes), (histogram, scatter), panel_height=3.0)
