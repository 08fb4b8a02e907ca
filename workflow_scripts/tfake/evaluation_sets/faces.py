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


def enter_face(faces: list[AnnotatedFace], account: Account, face: AnnotatedFace) -> None:
    """Take a face into a set, if it has a size.

    Args:
        faces: the set's faces, added to.
        account: notes why it is left out: ``no_points``, or ``no_extent`` where its box or its points have no area.
        face: the face; its row is entered.
    """
    known = face.points[np.isfinite(face.points).all(axis=1)]
    left, top, right, bottom = face.box
    if not len(known):
        account.leave_out(face.name, "no_points")
    elif not (np.isfinite(face.box).all() and right > left and bottom > top and np.ptp(known, axis=0).min() > 0):
        account.leave_out(face.name, "no_extent", f"its box is {left:g} {top:g} {right:g} {bottom:g}")
    else:
        faces.append(face)


def box_of(points: np.ndarray) -> tuple[float, float, float, float]:
    """The box around points: left, top, right, bottom.

    Args:
        points: (n, 2); NaN rows do not count; NaN throughout without any other.
    """
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return (np.nan,) * 4
    low, high = points.min(axis=0), points.max(axis=0)
    return (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
