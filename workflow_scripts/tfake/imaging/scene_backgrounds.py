"""What is behind people in a thermal scene: rooms, walls as warm as skin, sky, clutter, or nothing at all; in °C."""

import math
from collections.abc import Callable

import cv2
import numpy as np

from tfake.imaging.textures import draw_texture

# °C of a room, of a wall that the sun or a heater warms up to skin, and of the sky.
_ROOM, _WARM_WALL, _SKY = (12.0, 31.0), (30.0, 38.0), (-25.0, 15.0)


def draw_background(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Draw a scene without people: (H, W) float32 °C of a shape (H, W)."""
    draw = _BACKGROUNDS[rng.choice(len(_BACKGROUNDS), p=_SHARES)]
    return draw(rng, shape).astype(np.float32)


def smooth_field(rng: np.random.Generator, shape: tuple[int, ...], amplitude: float, cells: int = 4) -> np.ndarray:
    """A soft pattern: (H, W) float32 of mean 0 about, with a standard deviation of ``amplitude`` at its cells."""
    coarse = rng.normal(0, amplitude, (cells, cells)).astype(np.float32)
    return cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)


def _slope(rng: np.random.Generator, shape: tuple[int, int], kelvin: float) -> np.ndarray:
    """A plane that rises by up to some kelvin across the picture."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    angle = rng.uniform(0, 2 * math.pi)
    along = math.cos(angle) * x / shape[1] + math.sin(angle) * y / shape[0]
    return np.float32(rng.uniform(0, kelvin)) * along


def _plates(rng: np.random.Generator, celsius: np.ndarray, kelvin: float) -> np.ndarray:
    """Furniture, doors and panes: polygons and rectangles that are some kelvin warmer or colder."""
    height, width = celsius.shape
    canvas = celsius.copy()
    for _ in range(rng.integers(0, 9)):
        middle = rng.uniform(0, 1, 2) * (width, height)
        reach = np.exp(rng.uniform(np.log(0.03), np.log(0.5), 2)) * (width, height)
        corners = middle + reach * ((-1, -1), (1, -1), (1, 1), (-1, 1))
        if rng.random() < 0.4:
            corners = corners + rng.normal(0, 0.3, (4, 2)) * reach
        share = np.zeros_like(canvas)
        cv2.fillPoly(share, [np.round(corners).astype(np.int32)], 1.0)
        share = cv2.GaussianBlur(share, (0, 0), rng.uniform(0.3, 1.5))
        canvas += share * (np.float32(rng.normal(0, kelvin)) + smooth_field(rng, canvas.shape, 0.2 * kelvin))
    return canvas


def _room(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    base = np.float32(rng.uniform(*_ROOM)) + _slope(rng, shape, 4) + smooth_field(rng, shape, rng.uniform(0, 0.6))
    return _plates(rng, base, rng.uniform(0.3, 3))


def _warm_wall(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    base = np.float32(rng.uniform(*_WARM_WALL)) + _slope(rng, shape, 3) + smooth_field(rng, shape, 0.5)
    return _plates(rng, base, rng.uniform(0.3, 2))


def _outdoors(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A cold sky above a horizon, with clouds, above ground with bushes and houses."""
    height, width = shape
    sky = np.float32(rng.uniform(*_SKY)) + smooth_field(rng, shape, 2, 6)
    sky += np.linspace(0, rng.uniform(0, 15), height, dtype=np.float32)[:, None]
    ground = np.float32(rng.uniform(0, 32)) + smooth_field(rng, shape, 1.5, int(rng.integers(4, 24)))
    ground = _plates(rng, ground, rng.uniform(1, 5))
    level = height * rng.uniform(0.1, 1.1)
    skyline = level + rng.uniform(0, 0.15) * height * smooth_field(rng, (1, width), 1, int(rng.integers(3, 20)))[0]
    return np.where(np.arange(height)[:, None] < skyline, sky, ground)


def _clutter(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    texture = cv2.resize(draw_texture(rng, max(shape)).mean(axis=2), shape[::-1], interpolation=cv2.INTER_AREA)
    return np.float32(rng.uniform(*_ROOM)) + np.float32(rng.uniform(1, 18)) * (texture - texture.mean())


def _blank(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A background that somebody has cut away: far below everything."""
    return np.full(shape, rng.uniform(0, 22), np.float32)


_BACKGROUNDS: tuple[Callable[[np.random.Generator, tuple[int, int]], np.ndarray], ...] = (
    _room,
    _warm_wall,
    _outdoors,
    _clutter,
    _blank,
)
_SHARES = (0.5, 0.12, 0.13, 0.17, 0.08)
