"""Bare skin: a smooth temperature over the rest position of the mean head.

The field is a normalised weighted mean of control points (Shepard's method),

    T(x) = sum_k w_k(x) T_k / sum_k w_k(x),    w_k(x) = (1 + |x - c_k|^2 / (16 r_k^2))^-8,

with a Student-like kernel that is a Gaussian of standard deviation r_k near its centre and has no underflow far away.
A control point is at T_k = celsius_at_24 + slope (ambient - 24), and moves with its region from person to person.
"""

from functools import cache

import numpy as np

from tfake.heat.subject import PATTERN_SPREAD, Subject, total_spread
from tfake.heat.tables import REFERENCE_CELSIUS, read_points, read_regions

#: No bare skin gets warmer than this without fever, whatever a person's offset.
WARMEST_CELSIUS = 36.4


def control_weights(positions: np.ndarray, tables: str = "measured") -> np.ndarray:
    """Weigh the control points at each position.

    Args:
        positions: (N, 3) float cm, rest frame.
        tables: which parameters.

    Returns:
        (N, C) array of the same dtype, rows sum to 1.
    """
    return _weigh(positions, *_kernel(positions.dtype, tables))


def kernel_weights(positions: np.ndarray, centres: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Weigh any control points: centres (C, 3) cm of reach (C,) cm at positions (N, 3), (N, C), rows sum to 1."""
    return _weigh(positions, *_squared_distance(centres, radii))


def _weigh(positions: np.ndarray, matrix: np.ndarray, constant: np.ndarray) -> np.ndarray:
    # Sums as products with ones: numpy's own sum over a short axis takes longer than the rest.
    squared = (positions * positions) @ np.ones((3, 1), positions.dtype)
    weights = np.concatenate((positions, squared), axis=1) @ matrix
    weights += constant
    for _ in range(3):
        weights *= weights
    np.reciprocal(weights, out=weights)
    weights /= weights @ np.ones((len(constant), 1), weights.dtype)
    return weights


@cache
def _kernel(dtype: np.dtype, tables: str) -> tuple[np.ndarray, np.ndarray]:
    points = read_points(tables)
    matrix, constant = _squared_distance(points.position, points.radius)
    return matrix.astype(dtype), constant.astype(dtype)


def _squared_distance(centres: np.ndarray, radii: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 + |x - c|^2 / (16 r^2) as a matrix on (x, y, z, |x|^2) and a constant."""
    scale = 1.0 / (16.0 * radii**2)
    return np.vstack((-2.0 * centres.T * scale, scale)), 1.0 + np.sum(centres**2, axis=1) * scale


def control_celsius(ambient_celsius: float, subject: Subject | None = None, tables: str = "measured") -> np.ndarray:
    """Temperatures of the control points.

    Args:
        ambient_celsius: °C.
        subject: the person, None for the mean one.
        tables: which parameters.

    Returns:
        (C,) float64 °C.
    """
    points = read_points(tables)
    celsius = points.celsius_at_24 + points.slope * (ambient_celsius - REFERENCE_CELSIUS)
    if subject is not None:
        celsius += (subject.pattern[points.region] - 1.0) * _from_region_mean(celsius, points.region)
        celsius += subject.region_kelvin(ambient_celsius, tables)[points.region]
        celsius += points.side * subject.asymmetry_kelvin(ambient_celsius, tables)[points.region]
        celsius += subject.cooling * (points.slope - points.slope.mean()) * (ambient_celsius - REFERENCE_CELSIUS)
    return np.minimum(celsius, WARMEST_CELSIUS)


def _from_region_mean(celsius: np.ndarray, region: np.ndarray) -> np.ndarray:
    """Distance (C,) of control points from the mean of their region's."""
    count = np.bincount(region)
    return celsius - (np.bincount(region, celsius) / np.maximum(count, 1))[region]


def skin_field(weights: np.ndarray, control: np.ndarray) -> np.ndarray:
    """Interpolate the skin's temperature.

    Args:
        weights: (N, C) float32 of :func:`control_weights`.
        control: (C,) °C from :func:`control_celsius`.

    Returns:
        (N,) float32 °C.
    """
    # About a mean, so that float32 keeps 1e-5 K.
    mean = control.mean()
    return weights @ (control - mean).astype(np.float32) + np.float32(mean)


def skin_spread(weights: np.ndarray, ambient_celsius: float, tables: str = "measured") -> np.ndarray:
    """Standard deviation between people of bare skin: of regions as wholes, and of the pattern within each.

    Args:
        weights: (N, C) float32 of :func:`control_weights`.
        ambient_celsius: °C.
        tables: which parameters.

    Returns:
        (N,) float32 K.
    """
    region = read_points(tables).region
    spread = total_spread(read_regions(tables).spread(ambient_celsius), ambient_celsius)
    regional = skin_field(weights, spread[region])
    within = skin_field(weights, _from_region_mean(control_celsius(ambient_celsius, tables=tables), region))
    return np.hypot(regional, np.float32(PATTERN_SPREAD) * within)
