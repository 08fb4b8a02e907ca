"""The mean head every face is deformed from: its tables, its loops and its named places and regions."""

from functools import lru_cache
from pathlib import Path

import numpy as np

#: Rest positions (x, y, z) in cm of named places of the mean head; the frame is that of SurfaceBuffer.rest_position.
ANCHORS: dict[str, tuple[float, float, float]] = {
    "forehead": (0.0, 5.5, 9.4),
    "nose_tip": (0.0, -2.0, 11.5),
    "nose_bridge": (0.0, 1.6, 10.0),
    "left_eye": (3.12, 1.98, 8.33),
    "right_eye": (-3.12, 1.98, 8.33),
    "left_inner_canthus": (1.7, 1.7, 8.1),
    "right_inner_canthus": (-1.7, 1.7, 8.1),
    "left_cheek": (4.6, -1.1, 8.0),
    "right_cheek": (-4.6, -1.1, 8.0),
    "mouth": (0.0, -5.0, 9.4),
    "chin": (0.0, -8.1, 8.4),
    "left_ear": (7.8, 0.2, -1.0),
    "right_ear": (-7.8, 0.2, -1.0),
    "neck": (0.0, -12.5, 1.8),
}

#: Vertices of the FaceMesh topology, FaceMesh's numbering. The oval runs from the top over the subject's left.
FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
#: Lids from the outer to the inner corner, upper and lower, of the right and the left eye (corners in both).
UPPER_LID = {
    "right": (33, 246, 161, 160, 159, 158, 157, 173, 133),
    "left": (263, 466, 388, 387, 386, 385, 384, 398, 362),
}
LOWER_LID = {"right": (33, 7, 163, 144, 145, 153, 154, 155, 133), "left": (263, 249, 390, 373, 374, 380, 381, 382, 362)}
#: Lips in four rows from the outer edge to the opening, from the right to the left corner (corners in both lips).
UPPER_LIP = (
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306),
    (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
)
LOWER_LIP = (
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306),
    (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292),
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
)
#: Brows from the nose outwards: lower and upper edge.
BROW = {
    "right": ((55, 65, 52, 53, 46), (107, 66, 105, 63, 70)),
    "left": ((285, 295, 282, 283, 276), (336, 296, 334, 293, 300)),
}
FACE_VERTICES = 468
PUPIL = {"right": 468, "left": 469}

#: Half width (cm) of the nose by height (cm), from the lip to the root between the brows.
_NOSE_HEIGHT = (-3.05, -2.9, -2.4, -1.6, -0.8, 0.5, 2.0)
_NOSE_HALF_WIDTH = (0.0, 1.5, 1.95, 1.75, 1.15, 0.75, 0.5)


@lru_cache(maxsize=1)
def face_vertices() -> np.ndarray:
    """Rest positions (470, 3) float64 cm of FaceMesh's 468 vertices and the right and left pupil."""
    path = Path(__file__).with_name("face_vertices.csv")
    return np.loadtxt(path, delimiter=",", skiprows=5, usecols=(1, 2, 3))


@lru_cache(maxsize=1)
def face_triangles() -> np.ndarray:
    """Triangles (852, 3) int64 of the face patch, counter-clockwise seen from outside."""
    return np.loadtxt(Path(__file__).with_name("face_triangles.csv"), delimiter=",", skiprows=3, dtype=np.int64)


def on_nose(rest: np.ndarray) -> np.ndarray:
    """Which rest points (n, 3) cm belong to class NOSE: (n,) bool."""
    half = np.interp(rest[:, 1], _NOSE_HEIGHT, _NOSE_HALF_WIDTH, left=0, right=0)
    return (np.abs(rest[:, 0]) < half) & (rest[:, 2] > 8.0)


def openness(rest: np.ndarray) -> np.ndarray:
    """Fraction (n,) of soft light at rest points (n, 3) past jaw, brow and nose, which no depth buffer tells."""
    x, y, z = np.abs(rest[:, 0]), rest[:, 1], rest[:, 2]
    throat = np.exp(-0.5 * (((y + 10.4) / 1.8) ** 2 + ((z - 3.4) / 3.2) ** 2 + (x / 6.0) ** 2))
    socket = np.exp(-0.5 * (((x - 2.3) / 0.9) ** 2 + ((y - 2.5) / 0.55) ** 2 + ((z - 8.3) / 0.9) ** 2))
    nostril = np.exp(-0.5 * ((x / 1.5) ** 2 + ((y + 3.0) / 0.3) ** 2 + ((z - 10.0) / 1.5) ** 2))
    return 1 - 0.72 * throat - 0.22 * socket - 0.25 * nostril
