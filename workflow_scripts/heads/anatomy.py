"""Places on the mean head that the mesh does not tell apart: the nose's outline and where anatomy keeps light out."""

import numpy as np

#: Half width (cm) of the nose by height (cm), from the lip to the root between the brows.
_NOSE_HEIGHT = (-3.05, -2.9, -2.4, -1.6, -0.8, 0.5, 2.0)
_NOSE_HALF_WIDTH = (0.0, 1.5, 1.95, 1.75, 1.15, 0.75, 0.5)


def on_nose(rest: np.ndarray) -> np.ndarray:
    """Which rest points (n, 3) cm belong to class NOSE: (n,) bool."""
    half = np.interp(rest[:, 1], _NOSE_HEIGHT, _NOSE_HALF_WIDTH, left=0, right=0)
    return (np.abs(rest[:, 0]) < half) & (rest[:, 2] > 8.0)


def openness(rest: np.ndarray) -> np.ndarray:
    """Share (n,) of soft light that reaches rest points (n, 3) past jaw, brow and nose; screen space cannot know it."""
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    throat = np.exp(-0.5 * (((y + 10.4) / 1.8) ** 2 + ((z - 3.4) / 3.2) ** 2 + (x / 6.0) ** 2))
    socket = np.exp(-0.5 * (((x - 2.3) / 0.9) ** 2 + ((y - 2.5) / 0.55) ** 2 + ((z - 8.3) / 0.9) ** 2))
    nostril = np.exp(-0.5 * ((x / 1.5) ** 2 + ((y + 3.0) / 0.3) ** 2 + ((z - 10.0) / 1.5) ** 2))
    return 1 - 0.72 * throat - 0.22 * socket - 0.25 * nostril
