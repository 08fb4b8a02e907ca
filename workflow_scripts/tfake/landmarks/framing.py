"""Which part of a picture a landmark network looks at.

A network learns from crops around all points that it finds. One for both landmark sets looks around 548 points, up to
the hair, also where it is asked for 70 of them, which end at the brows: around these alone it would look too low.
"""

from functools import cache

import numpy as np

from tfake.core.codes import BOTH_POINTS, ROWS_OF_BOTH
from tfake.labels.conventions import reference_face


@cache
def growth_to_whole_face(points: int, learnt_points: int) -> tuple[float, float, float, float]:
    """How far the box of some points grows to hold all that a network learnt, on the mean face that looks ahead.

    Args:
        points: that the box is of: 70 or 478.
        learnt_points: of the network.

    Returns:
        To the left, up, to the right and down, over the box's width or height: 0 or more.
    """
    if learnt_points != BOTH_POINTS or points == learnt_points:
        return (0.0, 0.0, 0.0, 0.0)
    face = reference_face()[:, :2]
    known = face[ROWS_OF_BOTH[points]]
    edges = np.ptp(known, axis=0)
    before, after = (known.min(axis=0) - face.min(axis=0)) / edges, (face.max(axis=0) - known.max(axis=0)) / edges
    return (*before.tolist(), *after.tolist())


def to_whole_face(boxes: np.ndarray, points: int, learnt_points: int) -> np.ndarray:
    """Boxes (F, 4) of some points, grown by ``growth_to_whole_face``."""
    left, up, right, down = growth_to_whole_face(points, learnt_points)
    edges = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    return boxes + edges * np.array((-left, -up, right, down))
