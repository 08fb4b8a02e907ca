"""Skin in texture space: relief and colour maps painted once on the mean head, sampled at every visible pixel.

Texture coordinates are azimuthal equidistant directions seen from a point inside the head, with the pole on the face's
axis: no seam but a single point at the back of the head, and nearly frontal on the face.
"""

from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np

from tfake.core.classes import FaceClass
from tfake.mesh.head import head_mesh
from tfake.mesh.raster import rasterise

_SIDE = 896
_CENTRE = np.array([0.0, 0.5, 0.0])
_TEXELS_PER_RADIAN = _SIDE / (2 * np.pi)
#: Channels of `relief_map` (heights cm) and of `colour_map` (weights).
RELIEF = ("pores", "wrinkles", "smile_folds", "lip_grooves")
COLOUR = ("blood", "shade", "mottle", "freckles")


def texture_coordinates(rest: np.ndarray) -> np.ndarray:
    """Texel positions (n, 2) float32 of rest points (n, 3) cm."""
    direction = rest - _CENTRE
    across = np.hypot(direction[:, 0], direction[:, 1])
    radius = np.arctan2(across, direction[:, 2]) * _TEXELS_PER_RADIAN / np.maximum(across, 1e-6)
    centre = (_SIDE - 1) / 2
    return np.stack([centre + radius * direction[:, 0], centre - radius * direction[:, 1]], axis=1).astype(np.float32)


def sample(texture: np.ndarray, coordinates: np.ndarray) -> np.ndarray:
    """Bilinear values (n, C) of a texture (S, S, C) at texel positions (n, 2)."""
    # cv2.remap takes at most 32767 rows, so the list is folded into lines.
    line = 4096
    count = len(coordinates)
    folded = np.zeros((-(-count // line) * line, 2), dtype=np.float32)
    folded[:count] = coordinates
    folded = folded.reshape(-1, line, 2)
    result = cv2.remap(texture, folded, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return result.reshape(folded.shape[0] * line, -1)[:count]


def relief_gradient(rest: np.ndarray, coordinates: np.ndarray, strengths: np.ndarray) -> np.ndarray:
    """Gradient (n, 3) of the skin's relief at rest points (n, 3), a vector in the rest frame without unit.

    Args:
        rest: (n, 3) cm.
        coordinates: (n, 2) their texel positions.
        strengths: (4,) weight of each channel of RELIEF, or (n, 4).
    """
    slope_u, slope_v = (
        np.einsum("nc,nc->n", sample(m, coordinates), np.broadcast_to(strengths, (len(rest), 4)).astype(np.float32))
        for m in _relief_slopes()
    )
    direction = rest - _CENTRE
    distance = np.linalg.norm(direction, axis=1)
    cosine, sine = direction[:, 0], direction[:, 1]
    across = np.maximum(np.hypot(cosine, sine), 1e-6)
    cosine, sine = cosine / across, sine / across
    polar = np.arctan2(across, direction[:, 2])
    stretch = np.maximum(polar / np.maximum(np.sin(polar), 1e-3), 1.0)
    outward = np.stack([cosine * np.cos(polar), sine * np.cos(polar), -np.sin(polar)], axis=1)
    around = np.stack([-sine, cosine, np.zeros_like(sine)], axis=1)
    along_outward = (slope_u * cosine - slope_v * sine)[:, None] * outward
    along_around = ((-slope_u * sine - slope_v * cosine) * stretch)[:, None] * around
    return (along_outward + along_around) * (_TEXELS_PER_RADIAN / distance)[:, None]


@lru_cache(maxsize=1)
def _painted() -> tuple[np.ndarray, np.ndarray]:
    """Rest position (S, S, 3) under every texel and its class (S, S)."""
    mesh = head_mesh()
    screen = np.concatenate([texture_coordinates(mesh.rest), np.ones((len(mesh.rest), 1))], axis=1)
    outer = np.linalg.norm(screen[:, :2] - _SIDE / 2, axis=1)
    inside = (outer[mesh.triangles] < 0.46 * _SIDE).all(axis=1) & (mesh.classes != FaceClass.MOUTH_INTERIOR)
    seen = rasterise(screen, mesh.triangles[inside], (_SIDE, _SIDE), two_sided=True)
    rest = np.full((_SIDE * _SIDE, 3), 99.0, dtype=np.float32)
    rest[seen.pixels] = seen.interpolate(mesh.rest, mesh.triangles[inside])
    classes = np.zeros(_SIDE * _SIDE, dtype=np.uint8)
    classes[seen.pixels] = mesh.classes[inside][seen.triangle]
    return rest.reshape(_SIDE, _SIDE, 3), classes.reshape(_SIDE, _SIDE)


def _noise(rng: np.random.Generator, sigma: float) -> np.ndarray:
    """Smooth noise (S, S) of unit variance with features of sigma texels."""
    field = cv2.GaussianBlur(rng.standard_normal((_SIDE, _SIDE)).astype(np.float32), (0, 0), sigma)
    return field / field.std()


def _spot(rest: np.ndarray, centre: tuple[float, float], width: tuple[float, float]) -> np.ndarray:
    """Gaussian spot (S, S) in the frontal plane, mirrored; only on the front half of the head."""
    x = np.abs(rest[..., 0]) if centre[0] else rest[..., 0]
    spot = np.exp(-0.5 * (((x - centre[0]) / width[0]) ** 2 + ((rest[..., 1] - centre[1]) / width[1]) ** 2))
    return spot * (rest[..., 2] > 1.0)


def _crease(rest: np.ndarray, places: tuple[tuple[float, float], ...], width: float, warp: np.ndarray) -> np.ndarray:
    """Depth profile (S, S) 0..1 of a mirrored fold along a polyline in the frontal plane."""
    x, y = np.abs(rest[..., 0]) + 0.06 * warp, rest[..., 1] + 0.06 * warp
    nearest = np.full(x.shape, 9.0, dtype=np.float32)
    for (ax, ay), (bx, by) in pairwise(places):
        dx, dy = bx - ax, by - ay
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
        nearest = np.minimum(nearest, np.hypot(x - ax - t * dx, y - ay - t * dy))
    return np.exp(-0.5 * (nearest / width) ** 2) * (rest[..., 2] > 1.0)


@lru_cache(maxsize=1)
def relief_map() -> np.ndarray:
    """Heights (S, S, 4) float32 cm, channels as in RELIEF, at full strength."""
    rest, classes = _painted()
    rng = np.random.default_rng(20211017)
    fine, warp, broad = _noise(rng, 1.1), _noise(rng, 14), _noise(rng, 30)
    nose = 1 + 0.8 * _spot(rest, (0, -1.9), (1.3, 1.0)) + 0.4 * _spot(rest, (3.2, -1.0), (1.5, 1.2))
    pores = 0.0052 * nose * np.minimum(fine, 0.8) + 0.0042 * _noise(rng, 2.6)
    lines = np.cos(2 * np.pi * (rest[..., 1] + 0.10 * warp + 0.012 * rest[..., 0] ** 2) / 0.82)
    forehead = np.maximum(lines - 0.45, 0) * _spot(rest, (0, 5.6), (3.3, 0.95)) * (1 + 0.4 * broad)
    folds = 0.10 * _crease(rest, ((2.05, -1.6), (2.75, -2.8), (3.35, -4.0), (3.5, -5.1)), 0.16, warp)
    wrinkles = -0.05 * forehead - folds - 0.05 * _crease(rest, ((0.45, 2.9), (0.5, 4.0)), 0.07, warp)
    wrinkles -= 0.022 * _crease(rest, ((1.8, 0.95), (2.5, 0.35), (3.5, 0.30)), 0.16, warp)
    wrinkles -= 0.05 * _crease(rest, ((3.3, -5.4), (3.35, -6.4), (3.1, -7.2)), 0.12, warp)
    for tip in ((6.0, 2.9), (6.1, 2.1), (5.9, 1.3)):
        wrinkles -= 0.035 * _crease(rest, ((4.75, 1.95), tip), 0.06, warp)
    smile = -0.11 * _crease(rest, ((2.1, -1.7), (2.9, -2.8), (3.6, -4.0), (3.75, -5.0)), 0.20, warp)
    lips = (classes == FaceClass.TOP_LIP) | (classes == FaceClass.BOTTOM_LIP)
    grooves = 0.011 * np.cos(2 * np.pi * (rest[..., 0] + 0.05 * _noise(rng, 4)) / 0.21)
    grooves *= cv2.GaussianBlur(lips.astype(np.float32), (0, 0), 1.5) * (1 + 0.5 * broad)
    philtrum = -0.05 * np.exp(-0.5 * (rest[..., 0] / 0.20) ** 2) * _spot(rest, (0, -3.5), (1.0, 0.45))
    return np.dstack([pores + philtrum, wrinkles, smile, grooves]).astype(np.float32)


@lru_cache(maxsize=1)
def _relief_slopes() -> tuple[np.ndarray, np.ndarray]:
    relief = cv2.GaussianBlur(relief_map(), (0, 0), 0.7)
    return np.gradient(relief, axis=1).astype(np.float32), np.gradient(relief, axis=0).astype(np.float32)


@lru_cache(maxsize=1)
def colour_map() -> np.ndarray:
    """Weights (S, S, 4) float32, channels as in COLOUR: blood 0..1, shade 0..1, mottle ~N(0,1), freckles 0..1."""
    rest, _ = _painted()
    rng = np.random.default_rng(20211018)
    blood = 0.9 * _spot(rest, (3.9, -0.9), (1.6, 1.3)) + 0.9 * _spot(rest, (0, -2.1), (1.1, 0.9))
    blood += 0.35 * _spot(rest, (0, -7.6), (1.5, 0.9)) + 0.45 * _spot(rest, (3.1, 1.9), (1.6, 0.6))
    blood *= 1 + 0.22 * _noise(rng, 9)
    shade = 0.55 * _spot(rest, (2.6, 1.0), (1.3, 0.5)) + 0.5 * _spot(rest, (2.4, 2.5), (1.5, 0.5))
    shade += 0.75 * _spot(rest, (0.75, -2.95), (0.42, 0.20)) + 0.3 * _spot(rest, (2.1, -1.9), (0.22, 0.5))
    mottle = 0.6 * _noise(rng, 2.2) + 0.5 * _noise(rng, 7) + 0.5 * _noise(rng, 22)
    spots = np.clip((_noise(rng, 1.35) - 1.75) * 1.6, 0, 1)
    freckles = spots * np.clip(_spot(rest, (2.4, -0.2), (2.6, 1.9)) + 0.25, 0, 1)
    return np.dstack([blood, shade, mottle, freckles]).astype(np.float32)


@lru_cache(maxsize=1)
def noise_map() -> np.ndarray:
    """Noise (S, S, 3) float32 of unit variance with features of about 0.5, 2.5 and 9 texels: hair is drawn with it."""
    rng = np.random.default_rng(20211019)
    return np.dstack([_noise(rng, sigma) for sigma in (0.6, 2.2, 8.0)]).astype(np.float32)
