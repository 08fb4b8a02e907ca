"""An annotated face of a test set, and a test set as a whole."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from tfake.evaluation_sets.account import Account


@dataclass(frozen=True)
class AnnotatedFace:
    """One face as somebody annotated it.

    Attributes:
        name: which row or file it comes from; nothing else in the set has this name.
        image: the image's name, for :attr:`EvaluationSet.read_image`; several faces may share one.
        convention: what the points mean, a name of :data:`tfake.landmarks.conventions.CONVENTIONS`.
        points: (n, 2) float64 pixels, pixel centres at integers; NaN where a point is not annotated.
        box: left, top, right, bottom in pixels: the annotated box, or that of the points.
        groups: what the results are told apart by: subject, view and so on.
    """

    name: str
    image: str
    convention: str
    points: np.ndarray
    box: tuple[float, float, float, float]
    groups: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> float:
        """sqrt(w h) of the box, pixels."""
        left, top, right, bottom = self.box
        return float(np.sqrt((right - left) * (bottom - top)))


@dataclass(frozen=True)
class EvaluationSet:
    """The annotated faces of one test set.

    Attributes:
        faces: what can be used, in the set's own order.
        account: what became of every row.
        read_image: from a face's ``image`` to (H, W) float32 in °C, uint16 counts or uint8, or (H, W, 3) uint8.
    """

    faces: tuple[AnnotatedFace, ...]
    account: Account
    read_image: Callable[[str], np.ndarray]


def box_of(points: np.ndarray) -> tuple[float, float, float, float]:
    """The box around points: left, top, right, bottom.

    Args:
        points: (n, 2); NaN rows do not count.
    """
    low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
