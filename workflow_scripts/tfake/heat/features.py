"""Small warm and cool marks of every face: canthi, lid margins, the seam of the lips, folds, nostrils.

Each is a chain of bumps (1 - d^2 / radius^2)^3 along vertices of the face, too small for the smooth field of
:mod:`tfake.heat.regions`, and drawn at the image's own size.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from tfake.heat.tables import read_rows
from tfake.heat.vascular import Vessels
from tfake.mesh.template import face_vertices

_SPACING_CM = 0.2
_BREATHES = "nostril"
#: Where marks are, rest frame, cm: nothing else is looked at.
_LOWEST, _HIGHEST = np.float32((-4.6, -6.2, 7.0)), np.float32((4.6, 3.4, 12.5))


@dataclass(frozen=True)
class Marks:
    """What the marks add to skin in the cold, (H, W) float32 K.

    Attributes:
        warmth: of all marks, for the mean person.
        breath: 0..1, how much of a pixel's temperature follows the breath.
    """

    warmth: np.ndarray
    breath: np.ndarray


def draw_marks(places: np.ndarray, visible: np.ndarray, tables: str = "measured") -> Marks:
    """Draw the marks.

    Args:
        places: (H, W, 3) float32 cm of each pixel on the mean head.
        visible: (H, W) bool, where skin may be.
        tables: which parameters.
    """
    shape = places.shape[:2]
    warmth, breath = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    chains = _chains(tables)
    near = visible & ((places > _LOWEST) & (places < _HIGHEST)).all(axis=2)
    inside = np.flatnonzero(near)
    if chains and len(inside):
        here = np.ascontiguousarray(places.reshape(-1, 3)[inside])
        steady, breathing = chains
        warmth.ravel()[inside] = steady.evaluate(here) + breathing.evaluate(here)
        # The bump's own height cancels: what is left is where it is.
        breath.ravel()[inside] = breathing.evaluate(here) / np.float32(breathing.kelvin.min(initial=-1e-6))
    return Marks(warmth, breath)


@cache
def _chains(tables: str) -> tuple[Vessels, Vessels] | None:
    """Bumps of the marks that do not follow the breath, and of those that do; None where a set of tables has none."""
    rows = read_rows(tables, "features.csv")
    if not rows:
        return None
    return tuple(
        _bumps([row for row in rows if (row["feature"] == _BREATHES) == breathes]) for breathes in (False, True)
    )


def _bumps(rows: list[dict[str, str]]) -> Vessels:
    centres, radii, kelvin = [np.zeros((0, 3))], [np.zeros(0)], [np.zeros(0)]
    for row in rows:
        course = face_vertices()[[int(vertex) for vertex in row["vertices"].split()]]
        chain, overlap = course, 1.0
        radius = float(row["radius_cm"])
        if len(course) > 1:
            along = np.concatenate(([0.0], np.cumsum(np.linalg.norm(np.diff(course, axis=0), axis=1))))
            at = np.arange(0.0, along[-1], _SPACING_CM)
            chain = np.stack([np.interp(at, along, course[:, axis]) for axis in range(3)], axis=1)
            # A chain of unit bumps sums to 32/35 radius / spacing.
            overlap = max(radius * 32.0 / 35.0 / _SPACING_CM, 1.0)
        for side in (1, -1) if row["paired"] == "1" else (1,):
            centres.append(chain * (side, 1.0, 1.0))
            radii.append(np.full(len(chain), radius))
            kelvin.append(np.full(len(chain), float(row["kelvin"]) / overlap))
    return Vessels(np.concatenate(centres), np.concatenate(radii), np.concatenate(kelvin))
