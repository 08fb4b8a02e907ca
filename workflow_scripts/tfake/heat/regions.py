"""Bare skin: a smooth temperature over the rest position of the mean head.

The field is a normalised weighted mean of control points (Shepard's method),

    T(x) = sum_k w_k(x) T_k / sum_k w_k(x),    w_k(x) = (1 + |x - c_k|^2 / (16 r_k^2))^-8,

with a Student-like kernel that is a Gaussian of standard deviation r_k near its centre and has no underflow far away.
A control point is at T_k = t_region + contrast * deviation_k, where contrast = (37 - ambient) / (37 - 20), since
differences on the skin fade as ambient comes near the core. The t_region are solved for, so that the mean over each
region's sample points, the cooler cornea included, is exactly that region's line.
"""

from functools import cache

import numpy as np

from tfake.heat.tables import COLD_CELSIUS, read_points, read_regions

CORE_CELSIUS = 37.0
#: No region of bare skin gets warmer than this, whatever a person's offset.
WARMEST_CELSIUS = 36.4


def contrast(ambient_celsius: float) -> float:
    """Scale of differences on the skin, 1 at an ambient of 20 °C and 0 at the core's 37 °C."""
    return max(0.0, (CORE_CELSIUS - ambient_celsius) / (CORE_CELSIUS - COLD_CELSIUS))


def control_weights(positions: np.ndarray, tables: str = "measured") -> np.ndarray:
    """Weigh the control points at each position.

    Args:
        positions: (N, 3) float cm, rest frame.
        tables: which parameters.

    Returns:
        (N, C) array of the same dtype, rows sum to 1.
    """
    matrix, constant = _kernel(positions.dtype, tables)
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
    """1 + |x - c|^2 / (16 r^2) as a matrix on (x, y, z, |x|^2) and a constant."""
    points = read_points("control", tables)
    scale = 1.0 / (16.0 * points.radius**2)
    matrix = np.vstack((-2.0 * points.position.T * scale, scale))
    constant = 1.0 + np.sum(points.position**2, axis=1) * scale
    return matrix.astype(dtype), constant.astype(dtype)


@cache
def _sample_means(tables: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Regions that have samples (S,), and their means' dependence on region temperatures (S, S) and deviations (S,)."""
    controls, samples = read_points("control", tables), read_points("sample", tables)
    spatial = np.unique(samples.region)
    weights = control_weights(samples.position, tables)
    means = np.stack([weights[samples.region == region].mean(axis=0) for region in spatial])
    by_region = means @ (controls.region[:, None] == spatial)
    later = np.array([samples.deviation[samples.region == region].mean() for region in spatial])
    return spatial, by_region, means @ controls.deviation + later


def control_celsius(
    ambient_celsius: float,
    region_kelvin: np.ndarray | None = None,
    asymmetry_kelvin: np.ndarray | None = None,
    tables: str = "measured",
    relief: float = 1.0,
) -> np.ndarray:
    """Solve for the control points' temperatures.

    Args:
        ambient_celsius: °C.
        region_kelvin: (R,) offset of this subject's region means from the lines; None for the mean subject.
        asymmetry_kelvin: (R,) half the difference left minus right of this subject; None for the mean subject.
        tables: which parameters.
        relief: factor on the differences within regions, and of each region from the mean of all.

    Returns:
        (C,) float64 °C.
    """
    controls = read_points("control", tables)
    spatial, by_region, deviation = _sample_means(tables)
    wanted = read_regions(tables).celsius(ambient_celsius)
    if region_kelvin is not None:
        wanted = np.minimum(wanted + region_kelvin, WARMEST_CELSIUS)
    scale = contrast(ambient_celsius) * relief
    region = np.zeros_like(wanted)
    region[spatial] = np.linalg.solve(by_region, wanted[spatial] - scale * deviation)
    celsius = region[controls.region] + scale * controls.deviation
    if asymmetry_kelvin is not None:
        celsius += controls.side * asymmetry_kelvin[controls.region]
    return celsius


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
