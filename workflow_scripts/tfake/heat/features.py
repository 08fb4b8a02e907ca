"""Small warm and cool marks of every face: canthi, lid margins, the seam of the lips, folds, nostrils.

Each is a chain of bumps (1 - d^2 / radius^2)^3 along vertices of the face, too small for the smooth field of
:mod:`tfake.heat.regions`, and drawn at the image's own size.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from tfake.heat.tables import read_rows
from tfake.heat.vascular import Vessels
from tfake.mesh.template import face_vertices

_SPACING_CM = 0.2
_BREATHES = "nostril"
#: Where marks are, rest frame, cm: nothing else is looked at.
_LOWEST, _HIGHEST = (-4.6, -6.2, 7.0), (4.6, 3.4, 12.5)


@dataclass(frozen=True)
class Marks:
    """What the marks add to skin in the cold, (H, W) float32 K.

    Attributes:
        warmth: of all marks, for the mean person.
        breath: 0..1, how much of a pixel's temperature follows the breath.
    """

    warmth: np.ndarray
    breath: np.ndarray


def draw_marks(
    places: np.ndarray, visible: np.ndarray, tables: str = "measured", creases: np.ndarray | float = 0.0
) -> Marks:
    """Draw the marks.

    Args:
        places: (H, W, 3) float32 cm of each pixel on the mean head.
        visible: (H, W) bool, where skin may be.
        tables: which parameters.
        creases: (H, W) float32 K, what the picture shows of folds and wrinkles.
    """
    shape = places.shape[:2]
    warmth, breath = np.zeros(shape, np.float32) + creases, np.zeros(shape, np.float32)
    inside = np.flatnonzero(cv2.inRange(places, _LOWEST, _HIGHEST).view(bool) & visible)
    here = np.ascontiguousarray(places.reshape(-1, 3)[inside])
    for breathes, mark in _marks(tables):
        warm = mark.evaluate(here)
        warmth.ravel()[inside] += warm
        if breathes:
            # The bump's own height cancels: what is left is where it is.
            breath.ravel()[inside] += warm / np.float32(mark.kelvin.min())
    return Marks(warmth, breath)


@cache
def _marks(tables: str) -> tuple[tuple[bool, Vessels], ...]:
    """Each mark: whether it follows the breath, and its bumps."""
    return tuple((row["feature"] == _BREATHES, _bumps(row)) for row in read_rows(tables, "features.csv"))


def _bumps(row: dict[str, str]) -> Vessels:
    course = face_vertices()[[int(vertex) for vertex in row["vertices"].split()]]
    chain, overlap = course, 1.0
    radius = float(row["radius_cm"])
    if len(course) > 1:
        along = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(course, axis=0), axis=1))))
        at = np.arange(0.0, along[-1], _SPACING_CM)
        chain = np.stack([np.interp(at, along, course[:, axis]) for axis in range(3)], axis=1)
        # A chain of unit bumps sums to 32/35 radius / spacing.
        overlap = max(radius * 32.0 / 35.0 / _SPACING_CM, 1.0)
    sides = (1, -1) if row["paired"] == "1" else (1,)
    centres = np.concatenate([chain * (side, 1.0, 1.0) for side in sides])
    return Vessels(centres, np.full(len(centres), radius), np.full(len(centres), float(row["kelvin"]) / overlap))
