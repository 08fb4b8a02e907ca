"""What the page says of the dense labels: attempts, errors, and the worst faces drawn large."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from tfake.core.codes import LABELLED, Attempt, MeshStatus
from tfake.pages.charts import ACCENT, INK, SECOND, Drawing, draw
from tfake.pages.page_images import THUMBNAIL_PIXELS, photo_uri, points_path
from tfake.pages.wording import words_of
from tfake.products.report.image_sources import FaceSource, spread_rows

_BINS = 30
_LARGEST = 0.1
# Faces drawn one by one: every dot is text in the page.
_DRAWN = 2000
_COLOURS = {MeshStatus.OK: SECOND, MeshStatus.RETRIED: ACCENT, MeshStatus.REJECTED: INK}
#: Faces cut out and drawn large.
_WORST = 24
#: Edge of a worst face's picture over that of its points' box.
_MARGIN = 1.35

#: How the picture was shown to the mesh detector.
ATTEMPTS = {
    Attempt.GUIDED: "cut out closely around the source's points, turned level",
    Attempt.WIDE: "the same with more around it",
    Attempt.FULL: "the whole picture",
    Attempt.MIRRORED: "the close cut, mirrored",
    Attempt.LIFTED: "the close cut, its shadows brightened",
    Attempt.NONE: "the detector found no face in any of these",
}
#: How a face came to its 478 points.
STATUSES = {
    MeshStatus.OK: "found at the first attempt",
    MeshStatus.RETRIED: "a later attempt was nearer to the exact points",
    MeshStatus.FITTED: "no attempt was near enough: a mean face is fitted to the exact points",
    MeshStatus.REJECTED: "found too far off; without 478 points",
    MeshStatus.NOT_FOUND: "no face was found; without 478 points",
}


@dataclass(frozen=True)
class WorstFace:
    """One of the faces whose labels are trusted least, cut out and drawn large."""

    image_id: str
    row: int
    status: str
    note: str
    uri: str
    size: int  # edge of the picture, in whose pixels the points are
    exact: str
    raw: str
    corrected: str


@dataclass(frozen=True)
class LabelQuality:
    """What the section needs."""

    # Name and meaning of an attempt, rows by status, rows in all.
    attempts: tuple[tuple[str, str, tuple[int, ...], int], ...]
    statuses: tuple[tuple[str, str], ...]  # name and meaning
    rows: int
    labelled: int
    error: float  # medians; NaN where there is none
    corrected: float
    drawing: Drawing
    worst: tuple[WorstFace, ...]

    @property
    def lowered(self) -> float:
        """By how much of itself correction lowers the median error."""
        return 1.0 - self.corrected / self.error


def measure_labels(source: FaceSource, settings: Mapping[str, Any]) -> LabelQuality:
    """Read the quality of all dense labels, and draw the worst.

    Args:
        source: the samples and their labels.
        settings: the ``labels`` block of the config.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
    """
    store = source.labels
    names = ("status", "attempt", "error", "left_out_error")
    status, attempt, error, left_out = (store[f"landmarks_478_{name}"][:] for name in names)
    usable = status != MeshStatus.NO_IMAGE
    present = [code for code in MeshStatus if (status[usable] == code).any()]
    table = [
        (
            words_of(code),
            ATTEMPTS[code],
            tuple(int((chosen & (status == kind)).sum()) for kind in present),
            int(chosen.sum()),
        )
        for code in Attempt
        if (chosen := usable & (attempt == code)).any()
    ]
    placed = np.isin(status, (MeshStatus.OK, MeshStatus.RETRIED))
    return LabelQuality(
        attempts=tuple(table),
        statuses=tuple((words_of(code), STATUSES[code]) for code in present),
        rows=int(usable.sum()),
        labelled=int(np.isin(status, LABELLED).sum()),
        error=float(np.median(error[placed])) if placed.any() else float("nan"),
        corrected=float(np.median(left_out[placed])) if placed.any() else float("nan"),
        drawing=draw_errors(
            error, left_out, store["head_pose"][:, 0], status, settings["retry_above"], settings["reject_above"]
        ),
        worst=tuple(_draw_worst(source, _rank(status, error, left_out))),
    )


def _rank(status: np.ndarray, error: np.ndarray, left_out: np.ndarray) -> list[int]:
    """The rows to look at first: without points, then fitted, then by error."""
    rank = np.nan_to_num(error, nan=0.0) + np.nan_to_num(left_out, nan=1.0)
    rank[status == MeshStatus.FITTED] = 10.0 + rank[status == MeshStatus.FITTED]
    rank[~np.isin(status, LABELLED)] += 100.0
    usable = np.flatnonzero(status != MeshStatus.NO_IMAGE)
    return usable[np.argsort(-rank[usable], kind="stable")][:_WORST].tolist()


def _draw_worst(source: FaceSource, rows: Sequence[int]) -> Iterator[WorstFace]:
    store = source.labels
    for record in source.usable(rows, "draw worst faces"):
        row = record.Index
        exact = store["landmarks_70"][row]
        middle = (exact.min(axis=0) + exact.max(axis=0)) / 2
        step = _MARGIN * float(np.ptp(exact, axis=0).max()) / THUMBNAIL_PIXELS
        corner = middle - step * (THUMBNAIL_PIXELS - 1) / 2
        to_image = np.column_stack([step * np.eye(2), corner])
        cut = cv2.warpAffine(
            source.read_rgb(record),
            to_image,
            (THUMBNAIL_PIXELS, THUMBNAIL_PIXELS),
            flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP,
        )
        error, left_out = (float(store[f"landmarks_478_{name}"][row]) for name in ("error", "left_out_error"))
        known = [f"found {100 * error:.1f} % off", f"corrected to {100 * left_out:.1f} %"]
        yield WorstFace(
            image_id=record.image_id,
            row=row,
            status=words_of(MeshStatus(int(store["landmarks_478_status"][row]))),
            note=", ".join(text for text, value in zip(known, (error, left_out), strict=True) if np.isfinite(value)),
            uri=photo_uri(cut),
            size=THUMBNAIL_PIXELS,
            exact=points_path((exact - corner) / step),
            raw=points_path((store["landmarks_478_raw"][row][:, :2] - corner) / step),
            corrected=points_path((store["landmarks_478"][row][:, :2] - corner) / step),
        )


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
    drawn[spread_rows(0, len(error), _DRAWN)] = True

    def histogram(axes: Axes) -> None:
        edges = np.linspace(0, _LARGEST, _BINS + 1)
        for values, colour, label in ((error, SECOND, "as found"), (left_out, ACCENT, "corrected, at withheld points")):
            shown = values[found & np.isfinite(values)]
            if len(shown):
                median = np.median(shown)
                axes.hist(np.minimum(shown, _LARGEST), edges, histtype="step", color=colour, linewidth=1.8, label=label)
                axes.axvline(median, color=colour, linewidth=1, linestyle=(0, (1, 2)))
        axes.set_title("error before and after correction (dots: medians)")
        axes.set_xlabel("fraction of the face's size")
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
        axes.set_ylabel("fraction of the face's size")
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_ylim(bottom=-0.002)
        axes.legend(frameon=False)

    return draw("label-errors", lambda axes, paint: paint(axes), (histogram, scatter), panel_height=3.0)
