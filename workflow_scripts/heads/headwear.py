"""Caps, beanies, brimmed hats, headbands and hoods, built around the skull."""

from dataclasses import dataclass, replace

import numpy as np

from heads.clothing import draw_dye
from heads.parts import Material, Part, make_part
from tfake.core.classes import FaceClass
from tfake.mesh.topology import grid_triangles

_CENTRE, _RADII = np.array([0.0, 3.4, 0.2]), np.array([7.75, 9.75, 10.0])
_COLUMNS = 56


@dataclass(frozen=True)
class Headwear:
    """A hat at rest.

    Attributes:
        parts: of class HEADWEAR.
        line: height in cm above which it covers the scalp, below the nape if it covers all; None if it hides none.
    """

    parts: list[Part]
    line: float | None


def _dome(rim: np.ndarray, margin: float, peak: float, squareness: float) -> np.ndarray:
    """Rows of a crown (R, C, 3) from its rim heights (C,) to the top; margin and peak in cm beyond the skull."""
    angle = 2 * np.pi * np.arange(_COLUMNS) / _COLUMNS
    rows = np.linspace(0, 1, 14)[:, None]
    radii = _RADII + margin
    start = np.arcsin(np.clip((rim - _CENTRE[1]) / (radii[1] + peak), -0.95, 0.95))
    latitude = start + rows * (np.pi / 2 - start)
    level = np.sin(latitude)
    wide = (1 - np.abs(level) ** squareness) ** (1 / squareness)
    x = radii[0] * wide * np.sin(angle)
    z = radii[2] * wide * np.cos(angle)
    return _CENTRE + np.stack([x, (radii[1] + peak) * level, z], axis=-1)


def _sheet(points: np.ndarray, colour: np.ndarray, closed: bool, pattern: float) -> Part:
    rows, columns = points.shape[:2]
    around = np.broadcast_to(np.arange(columns) * 0.85, (rows, columns))
    coordinates = np.stack([around, points[..., 1], np.full((rows, columns), pattern)], axis=-1).reshape(-1, 3)
    return make_part(
        points.reshape(-1, 3),
        grid_triangles(rows, columns, closed)[:, ::-1],
        FaceClass.HEADWEAR,
        Material.CLOTH,
        coordinates=coordinates,
        colour=colour,
        two_sided=True,
        sway=1.0,
    )


def _brim(edge: np.ndarray, outward: np.ndarray, width: np.ndarray, droop: np.ndarray) -> np.ndarray:
    """A brim (R, C, 3) from the rim's edge (C, 3) outwards by width (C,), sinking by droop (C,), and its underside."""
    fraction = np.array([0.0, 0.35, 0.7, 1.0, 1.0, 0.5, 0.0])[:, None, None]
    below = np.array([0.0, 0.0, 0.0, 0.0, 0.18, 0.18, 0.18])[:, None, None]
    down = np.array([0.0, 1.0, 0.0])
    return edge + fraction * width[:, None] * outward - (fraction**2 * droop[:, None] + below) * down


def draw_headwear(rng: np.random.Generator) -> Headwear:
    """Draw a hat."""
    kind = str(rng.choice(("cap", "beanie", "hat", "band", "scarf"), p=(0.32, 0.3, 0.2, 0.08, 0.10)))
    angle = 2 * np.pi * np.arange(_COLUMNS) / _COLUMNS
    front = (1 + np.cos(angle)) / 2
    colour = draw_dye(rng)
    high = rng.uniform(6.4, 8.2)
    if kind == "beanie":
        rim = 2.6 + (high - 1.0 - 2.6) * front**0.8
        dome = _dome(rim, rng.uniform(0.45, 0.9), rng.uniform(0.2, 2.8), 1.9)
        fold = rng.uniform(2.0, 4.0)
        band = np.stack([dome[0], dome[0], dome[0] + (0, fold * 0.5, 0), dome[0] + (0, fold, 0)])
        spread = np.array([0.0, 0.45, 0.5, 0.25])[:, None, None]
        band = band + spread * (dome[0] - _CENTRE) * (1, 0, 1) / 8.0 - (0, 0.2, 0)
        shade = colour * rng.uniform(0.6, 1.5) if rng.uniform() < 0.4 else colour
        return Headwear([_sheet(dome, colour, True, 4.27), _sheet(band, shade, True, 4.27)], float(rim.min()) + 1.0)
    if kind == "band":
        rim = 4.5 + 3.2 * front
        dome = _dome(rim, 0.35, 0.0, 2.0)
        return Headwear([_sheet(dome[:4], colour, True, 0.0)], None)
    if kind == "scarf":
        return Headwear(_scarf(rng, colour), -20.0)
    direction = np.stack([np.sin(angle), np.zeros(_COLUMNS), np.cos(angle)], axis=1)
    if kind == "cap":
        rim = 3.6 + (high - 3.6) * front
        dome = _dome(rim, 0.5, 0.6, 2.0)
        reach = np.arange(-10, 11)
        ahead = 0.35 * direction[reach] + 0.65 * np.array([0, 0, 1.0])
        width = rng.uniform(5.5, 7.2) * np.sqrt(np.clip(1 - (reach / 10.6) ** 2, 0, 1))
        sheet = _brim(dome[0][reach], ahead, width, 1.4 + 1.1 * (reach / 10.0) ** 2)
        brim = _sheet(sheet, colour * rng.choice((1.0, 0.5)), False, 0.0)
        return Headwear([_sheet(dome, colour, True, 0.0), brim], 4.6)
    dome = _dome(4.2 + (high - 4.6) * front, 0.5, rng.uniform(0.5, 2.5), rng.uniform(2.4, 4.0))
    droop = np.full(_COLUMNS, rng.uniform(-0.6, 1.8))
    brim = _brim(dome[0], direction, np.full(_COLUMNS, rng.uniform(4.0, 8.0)), droop)
    ribbon = _sheet(dome[:3] + 0.12 * direction, colour * 0.25, True, 0.0)
    return Headwear([_sheet(dome, colour, True, 0.0), _sheet(brim, colour, True, 0.0), ribbon], 5.2)


def _scarf(rng: np.random.Generator, colour: np.ndarray) -> list[Part]:
    """A head scarf: a sheet from an opening around the face over the head, and its fall over neck and shoulders."""
    columns = 48
    angle = np.linspace(-np.pi, np.pi, columns, endpoint=False)
    sine, cosine, zero = np.sin(angle), np.cos(angle), 0 * angle
    opening = np.stack([6.9 * sine, -1.0 + 9.4 * cosine, 6.0 + 2.4 * cosine**2 - 3.2 * sine**2], axis=1)
    opening[:, 2] -= 0.6 * (cosine < 0)
    crown = np.stack([9.0 * sine, 0.6 + 13.4 * cosine, -1.0 + zero], axis=1)
    nape = np.stack([3.5 * sine, -1.0 + 7.5 * cosine, -11.6 + zero], axis=1)
    rows = np.linspace(0, 1, 16)[:, None, None]
    # A quadratic Bezier sheet through the crown.
    hood = (1 - rows) ** 2 * opening + 2 * rows * (1 - rows) * (2 * crown - 0.5 * (opening + nape)) + rows**2 * nape
    wave = 0.16 * np.sin(3 * angle + 7 * rows[..., 0] + rng.uniform(0, 6)) * rows[..., 0]
    hood = hood + wave[..., None] * np.stack([sine, cosine, zero], axis=1)
    lip = hood[:1] + (0, 0, -0.9) - 0.03 * (hood[:1] - (0, -1, 5))
    fall = np.linspace(0, 1, 12)[:, None]
    wide, deep = 7.2 + 11.0 * fall**1.8, 6.6 + 3.0 * fall
    sway = 1 + 0.035 * np.sin(5 * angle + rng.uniform(0, 6)) * fall
    cape = np.stack(
        np.broadcast_arrays(wide * sine * sway, -6.4 - 10.5 * fall, -1.6 + (deep + 2.2 * fall) * cosine * sway), axis=-1
    )
    return [
        _sheet(np.concatenate([lip, hood])[:, ::-1], colour, True, 0.0),
        replace(_sheet(cape, colour, True, 0.0), sway=None),
    ]
