"""Temperatures at named places of a face: forehead, inner canthi, nose tip, cheeks, nostrils, mouth, chin, face.

Right and left are the person's own: the right side is on the image's left. Sizes are shares of the face's scale, the
geometric mean of the distances from outer to outer corner of the eyes and from the root of the nose to the chin, about
10 cm of an adult: .05 is about 5 mm.

The inner canthi are read by their maximum, as fever screening does it: IEC 80601-2-59:2017 and ISO/TR 13154:2017 take
the warmest pixel of the region medially adjacent to the inner canthi. They ask for more than this module can see to: a
calibrated thermograph, a black body in the picture, a face that looks at the camera without glasses, and 240 x 180
pixels of it. Breath is read below the nostrils by the mean (:mod:`tfake.landmarks.breathing`).

Places are mixtures of the 70 and of the 478 points, of which a network finds one set; the other is carried over by the
mean head (:func:`tfake.landmarks.adapters.plain_map`). So the forehead, which has none of the 70 points, is exact for
478 points and a guess of good sense for 70.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np

from tfake.core.codes import BOTH_POINTS, LANDMARKS
from tfake.labels.conventions import set_of_points
from tfake.thermal_io.scales import Scale

#: Fewer pixels than this tell no temperature.
MIN_PIXELS = 4
#: A side of the face is turned away where it has less of the width between the outer corners of the eyes: about 35°.
_TURNED_AWAY = 0.3
#: Points that tell how uncertain a place is: those nearest to its centre.
_NEAREST = 4
_SHIFT = 4
_CELSIUS = Scale("celsius")
_NASION, _CHIN, _NOSE_BASE = 27, 8, 33
_OUTER_EYES = {"right": 36, "left": 45}

_STATISTICS: dict[str, Callable[[np.ndarray], Any]] = {"mean": np.mean, "median": np.median, "max": np.max}


@dataclass(frozen=True, eq=False)
class Place:
    """A place of the face.

    Attributes:
        name: what it is called.
        corners: its outline, or its centre alone, as mixtures of the 70 points and, from 70 on, of the 478. None: the
            convex hull of all points that the network finds.
        radius: of a disc around the centre, a share of the face's scale; 0 for an outline.
        statistic: of its pixels: ``mean``, ``median`` or ``max``.
        side: ``right`` or ``left``, where it can be turned away; otherwise empty.
        downwards: by which share of the way from the root to the base of the nose it lies below its corners.
    """

    name: str
    corners: tuple[Mapping[int, float], ...] | None
    radius: float
    statistic: str
    side: str = ""
    downwards: float = 0.0


class PlaceReading(NamedTuple):
    """What was read at a place.

    Attributes:
        place: its name.
        celsius: °C; NaN where too few pixels have a temperature.
        pixels: how many were read.
        sigma: standard deviation of the place's position, pixels.
        valid: nothing speaks against it.
        reason: what does; empty where nothing does.
    """

    place: str
    celsius: float
    pixels: int
    sigma: float
    valid: bool
    reason: str


def _mesh(index: int, weight: float = 1.0) -> dict[int, float]:
    return {LANDMARKS + index: weight}


def _middle(a: int, b: int) -> dict[int, float]:
    return _mesh(a, 0.5) | _mesh(b, 0.5)


# Columns of the mesh's forehead, from the person's right: near the hair, in the middle, and at the brows' upper edge.
_COLUMNS = ((67, 69, 66), (109, 108, 107), (10, 151, 9), (338, 337, 336), (297, 299, 296))
_FOREHEAD = (
    *(_middle(upper, middle) for upper, middle, _ in _COLUMNS),
    *(_middle(middle, lower) for _, middle, lower in reversed(_COLUMNS)),
)


def _pair(name: str, right: Mapping[int, float], left: Mapping[int, float], radius: float, statistic: str, **more):
    return (
        Place(f"right_{name}", (right,), radius, statistic, "right", **more),
        Place(f"left_{name}", (left,), radius, statistic, "left", **more),
    )


#: Every place that is read, in order.
PLACES = (
    Place("forehead", _FOREHEAD, 0.0, "median"),
    *_pair("inner_canthus", {39: 1.0}, {42: 1.0}, 0.06, "max"),
    Place("nose_tip", (_mesh(4),), 0.06, "mean"),
    *_pair("cheek", _middle(50, 205), _middle(280, 425), 0.1, "median"),
    *_pair("nostril", {32: 1.0}, {34: 1.0}, 0.06, "mean", downwards=0.06),
    Place("mouth", tuple({point: 1.0} for point in range(48, 60)), 0.0, "median"),
    Place("chin", ({8: 0.5, 57: 0.5},), 0.08, "median"),
    Place("face_max", None, 0.0, "max"),
    Place("face_median", None, 0.0, "median"),
)


def read_temperatures(image: np.ndarray, landmarks: np.ndarray, sigma: np.ndarray) -> list[PlaceReading]:
    """Read a face's temperatures.

    Args:
        image: (H, W) float in °C, NaN where there is none; or uint16 counts of 0.01 K.
        landmarks: (70, 2), (478, 2) or, the 70 first, (548, 2) pixels; pixel centres at integers.
        sigma: (L,) pixels, of each point.

    Returns:
        One reading a place of ``PLACES``.

    Raises:
        ValueError: the image holds no temperatures, or the points are of no set that has places.
    """
    celsius = as_celsius(image)
    points = np.asarray(landmarks, np.float64)
    face = _both_sets(points)
    scale = face_scale(face)
    return [_read(celsius, place, face, points, np.asarray(sigma), scale) for place in PLACES]


def as_celsius(image: np.ndarray) -> np.ndarray:
    """The temperatures of an image, (H, W) float32 in °C.

    Raises:
        ValueError: it has none; with what was found.
    """
    image = np.asarray(image)
    if image.ndim != 2 or not _CELSIUS.takes(image.dtype):
        raise ValueError(
            "expected temperatures, (H, W) float in °C or uint16 counts of 0.01 K; "
            f"found {image.dtype} of shape {image.shape}"
        )
    return _CELSIUS.convert(image)


def face_scale(face: np.ndarray) -> float:
    """The length that places are measured in, pixels: about 10 cm. Of the 70 points, or of all 548."""
    eyes = np.linalg.norm(face[_OUTER_EYES["right"]] - face[_OUTER_EYES["left"]])
    return float(np.sqrt(eyes * np.linalg.norm(face[_NASION] - face[_CHIN])))


def _both_sets(points: np.ndarray) -> np.ndarray:
    """(548, 2): the 70 points and the 478."""
    if len(points) == BOTH_POINTS:
        return points
    from tfake.landmarks.adapters import plain_map  # here, for it brings torch

    found = set_of_points(len(points))
    return np.concatenate([plain_map(points, found, wanted) for wanted in ("face70", "mesh478")])


@cache
def _mixture(place: Place) -> np.ndarray:
    table = np.zeros((len(place.corners), BOTH_POINTS))
    for row, corner in enumerate(place.corners):
        for point, weight in corner.items():
            table[row, point] = weight
    return table


def _read(
    celsius: np.ndarray, place: Place, face: np.ndarray, points: np.ndarray, sigma: np.ndarray, scale: float
) -> PlaceReading:
    if place.corners is None:
        corners = cv2.convexHull(points.astype(np.float32))[:, 0].astype(np.float64)
    else:
        corners = _mixture(place) @ face + place.downwards * (face[_NOSE_BASE] - face[_NASION])
    centre = corners.mean(axis=0)
    reach = place.radius * scale if place.radius else float(np.linalg.norm(corners - centre, axis=1).mean())
    nearest = np.argsort(np.linalg.norm(points - centre, axis=1))[:_NEAREST]
    uncertain = float(sigma[nearest].mean())
    inside = _outline(corners, celsius.shape) if not place.radius else _disc(centre, reach, celsius.shape)
    values = celsius[inside]
    values = values[np.isfinite(values)]
    reason = ""
    if len(values) < MIN_PIXELS:
        reason = f"{len(values)} pixels with a temperature, fewer than {MIN_PIXELS}"
    elif _is_cut(corners, 0.0 if not place.radius else reach, celsius.shape):
        reason = "cut by the edge of the picture"
    elif place.side and _share(face, place.side) < _TURNED_AWAY:
        reason = "turned away"
    elif uncertain > reach:
        reason = f"its place is uncertain by {uncertain:.1f} pixels, more than its size of {reach:.1f}"
    statistic = _STATISTICS[place.statistic]
    value = float(statistic(values)) if len(values) >= MIN_PIXELS else float("nan")
    return PlaceReading(place.name, value, len(values), uncertain, not reason, reason)


def _disc(centre: np.ndarray, radius: float, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels whose centres lie in a disc."""
    first = np.clip(np.floor(centre - radius), 0, None).astype(int)
    last = np.clip(np.ceil(centre + radius) + 1, 0, shape[1::-1]).astype(int)
    rows, columns = np.mgrid[first[1] : max(last[1], first[1]), first[0] : max(last[0], first[0])]
    near = np.hypot(columns - centre[0], rows - centre[1]) <= radius
    return rows[near], columns[near]


def _outline(corners: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape, np.uint8)
    # Fixed-point coordinates; what lies beyond the picture is kept within what OpenCV's integers hold.
    limit = 1 << (30 - _SHIFT)
    fixed = np.round(np.clip(corners, -limit, limit) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 1, shift=_SHIFT)
    return mask.view(bool)


def _is_cut(corners: np.ndarray, radius: float, shape: tuple[int, ...]) -> bool:
    """Whether a place reaches beyond the picture."""
    return bool(
        (corners.min(axis=0) - radius < -0.5).any()
        or (corners.max(axis=0) + radius > np.array(shape[1::-1]) - 0.5).any()
    )


def _share(face: np.ndarray, side: str) -> float:
    """The share of a side in the width between the outer corners of the eyes: .5 of a face that looks ahead."""
    across = face[_OUTER_EYES["left"]] - face[_OUTER_EYES["right"]]
    along = (face[[_OUTER_EYES["right"], _NASION]] @ across) / max(float(across @ across), 1e-9)
    right = float(along[1] - along[0])
    return right if side == "right" else 1 - right
