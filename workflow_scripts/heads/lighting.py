"""Light: one key light with cast shadows, and soft light from the surroundings."""

from dataclasses import dataclass

import cv2
import numpy as np

from tfake.mesh.raster import Fragments, rasterise_depth

_MAP_PIXELS = 288
_REACH = 17.0


@dataclass(frozen=True)
class Lighting:
    """Linear RGB radiances in camera space.

    Attributes:
        direction: (3,) unit vector towards the key light.
        key: (3,) colour of the key light.
        sky, ground: (3,) soft light from above and below.
        left, right: (3,) soft light from image left and right, without shadow.
    """

    direction: np.ndarray
    key: np.ndarray
    sky: np.ndarray
    ground: np.ndarray
    left: np.ndarray
    right: np.ndarray


def draw_lighting(rng: np.random.Generator, surroundings: dict[str, np.ndarray], studio: bool) -> Lighting:
    """Draw a key light that goes with the surroundings.

    Args:
        rng: source of randomness.
        surroundings: mean linear RGB "top", "bottom", "left", "right" of the background.
        studio: even white light from the front.
    """
    if studio:
        direction = np.array([rng.uniform(-0.25, 0.25), 0.45, 1.0])
        white = np.ones(3)
        direction /= np.linalg.norm(direction)
        return Lighting(direction, 0.75 * white, 0.75 * white, 0.45 * white, 0.3 * white, 0.3 * white)
    azimuth, height = np.radians(np.clip(rng.normal(0, 55), -125, 125)), np.radians(rng.uniform(8, 65))
    direction = np.array([np.sin(azimuth) * np.cos(height), np.sin(height), np.cos(azimuth) * np.cos(height)])
    warm = rng.normal(0.03, 0.11)
    tint = np.array([1 + warm, 1.0, 1 - 1.2 * warm]) * rng.uniform(0.96, 1.04, 3)
    if rng.uniform() < 0.08:
        tint = rng.uniform(0.65, 1.25, 3)
    hardness = rng.uniform(0.3, 1.5)
    top, bottom, left, right = (_tinted(surroundings[k]) for k in ("top", "bottom", "left", "right"))
    return Lighting(direction, hardness * tint, 0.46 * top, 0.22 * bottom, 0.24 * left, 0.24 * right)


def _tinted(colour: np.ndarray) -> np.ndarray:
    """Hue of a surrounding at a brightness between its own and a common one: eyes adapt, cameras expose."""
    mean = max(float(colour.mean()), 1e-3)
    return (0.80 + 0.20 * np.clip(colour / mean, 0, 2)) * (0.35 + 0.65 * mean**0.3)


def shadow(
    placed: np.ndarray, triangles: np.ndarray, lighting: Lighting, points: np.ndarray, normals: np.ndarray
) -> np.ndarray:
    """How much of the key light reaches each point, by a shadow map (Williams, 1978) with filtered comparisons.

    Args:
        placed: (n, 3) camera-space vertices, cm.
        triangles: (m, 3) that cast shadows.
        lighting: the key light's direction is used.
        points: (P, 3) camera-space surface points.
        normals: (P, 3) their unit normals.

    Returns:
        (P,) float32 0..1.
    """
    towards = lighting.direction
    aside = np.cross((0.0, 1.0, 0.0), towards)
    aside /= np.linalg.norm(aside)
    basis = np.stack([aside, -np.cross(towards, aside), towards], axis=1)
    centre = np.median(points, axis=0)
    scale = _MAP_PIXELS / (2 * _REACH)
    offset = np.array([_MAP_PIXELS / 2, _MAP_PIXELS / 2, 100.0])
    screen = (placed - centre) @ basis * (scale, scale, 1.0) + offset
    # Parallel light has no perspective: a plane's depth is linear on the map as it stands.
    depth = rasterise_depth(screen, triangles, (_MAP_PIXELS, _MAP_PIXELS))
    seen = (points + 0.12 * normals - centre) @ basis * (scale, scale, 1.0) + offset
    lit = np.zeros(len(points), dtype=np.float32)
    height = (seen[:, 2] + 0.06).astype(np.float32)
    x, y = np.rint(seen[:, 0]).astype(int), np.rint(seen[:, 1]).astype(int)
    padded = cv2.copyMakeBorder(depth, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=0.0).ravel()
    side = _MAP_PIXELS + 8
    base = (np.clip(y, -2, _MAP_PIXELS + 1) + 4) * side + np.clip(x, -2, _MAP_PIXELS + 1) + 4
    taps = ((0, 0), (-2, -1), (1, -2), (2, 1), (-1, 2))
    for dx, dy in taps:
        lit += padded[base + dy * side + dx] <= height
    return lit / len(taps)


def soften(values: np.ndarray, fragments: Fragments, sigma: float) -> np.ndarray:
    """Blur values (P,) over the covered part of the image, which hides the grain of a shadow map."""
    shape = fragments.depth.shape
    sheet = np.zeros((2, shape[0] * shape[1]), dtype=np.float32)
    sheet[0, fragments.pixels], sheet[1, fragments.pixels] = values, 1.0
    blurred, weight = (cv2.GaussianBlur(s.reshape(shape), (0, 0), sigma).ravel()[fragments.pixels] for s in sheet)
    return blurred / np.maximum(weight, 1e-3)


def crevices(fragments: Fragments, focal: float) -> np.ndarray:
    """Ambient occlusion (P,) 0..1 (1 is open) from the depth picture by unsharp masking (Luft et al., 2006)."""
    covered = fragments.depth > 0
    distance = np.where(covered, 1.0 / np.maximum(fragments.depth, 1e-6), 0.0).astype(np.float32)
    distance[~covered] = distance.max()
    open_fraction = np.ones(len(fragments.pixels), dtype=np.float32)
    for radius_cm, strength in ((0.5, 0.55), (1.6, 0.24)):
        sigma = radius_cm * focal / float(np.median(distance))
        small = cv2.resize(distance, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        mean = cv2.resize(cv2.GaussianBlur(small, (0, 0), max(sigma / 2, 0.6)), distance.shape[::-1])
        deeper = (distance - mean).ravel()[fragments.pixels]
        open_fraction *= 1 - np.clip(strength * deeper / radius_cm, 0, 0.55)
    return open_fraction
