"""The mesh of the face that the exact points belong to: attempt after attempt, until one agrees."""

from dataclasses import dataclass

import numpy as np

from tfake.codes import Attempt
from tfake.labels.backends import Finder
from tfake.labels.correspondence import mesh_error
from tfake.labels.detection import Detection
from tfake.labels.views import view_of


@dataclass(frozen=True)
class Found:
    """The mesh that agrees best.

    Attributes:
        detection: the face.
        attempt: how it was found.
        error: mean distance to the exact points, share of sqrt(w h).
        first: whether the first attempt found it.
    """

    detection: Detection
    attempt: Attempt
    error: float
    first: bool


def find_mesh(finder: Finder, rgb: np.ndarray, landmarks_70: np.ndarray, retry_above: float) -> Found | None:
    """Make attempts until one agrees with the exact points, which also choose among several faces.

    Args:
        finder: the backend.
        rgb: (H, W, 3) uint8.
        landmarks_70: (70, 2) exact points, pixels.
        retry_above: error above which the next attempt is made, share of sqrt(w h).

    Returns:
        The best of what was found, None when no attempt found anything.
    """
    best: Found | None = None
    for number, attempt in enumerate(finder.attempts):
        for detection in finder.find(rgb, view_of(attempt, landmarks_70)):
            error = mesh_error(detection.mesh, landmarks_70)
            if best is None or error < best.error:
                best = Found(detection, attempt, error, first=number == 0)
        if best is not None and best.error <= retry_above:
            break
    return best
