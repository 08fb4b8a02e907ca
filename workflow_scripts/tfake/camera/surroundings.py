"""What the camera sees behind the person: the room's temperature, or an indoor scene around it."""

import cv2
import numpy as np

from tfake.sensor import blur


def indoor_field(rng: np.random.Generator, pixels: tuple[int, int], spread_kelvin: float) -> np.ndarray:
    """How much an indoor scene differs from the room's temperature: warm above, plates of furniture, a window, a lamp.

    The ingredients' relative sizes are a judgement; the whole has mean 0 and the given spread.

    Args:
        rng: source of randomness.
        pixels: (width, height).
        spread_kelvin: standard deviation over the picture, K.

    Returns:
        (height, width) float32 K.
    """
    width, height = pixels
    # Air is layered: the wall under the ceiling is warmer than the one above the floor.
    field = np.repeat(np.linspace(rng.uniform(0.2, 0.8), 0.0, height, dtype=np.float32)[:, None], width, axis=1)
    for _ in range(rng.integers(4, 10)):
        _paint(field, rng, (0.08, 0.5), rng.normal(0.0, 0.6))
    window, lamp = rng.uniform(size=2)
    if window < 0.4:
        _paint(field, rng, (0.2, 0.5), -rng.uniform(1.0, 3.0))
    if lamp < 0.4:
        _paint(field, rng, (0.04, 0.12), rng.uniform(2.0, 6.0))
    drafts = rng.standard_normal((6, 8)).astype(np.float32)
    field += 0.3 * cv2.resize(drafts, pixels, interpolation=cv2.INTER_CUBIC)
    # The scene behind a face in focus is out of focus.
    field = blur(field, 0.01 * width).astype(np.float64)
    field -= field.mean()
    return (field * (spread_kelvin / field.std())).astype(np.float32)


def _paint(field: np.ndarray, rng: np.random.Generator, sides: tuple[float, float], kelvin: float) -> None:
    """Add a plate: a rectangle with sides between two shares of the picture's width."""
    height, width = field.shape
    extent = rng.uniform(*sides, size=2) * width
    x, y = rng.uniform(-0.1, 0.9, size=2) * (width, height)
    left, top = max(0, round(x)), max(0, round(y))
    field[top : max(0, round(y + extent[1])), left : max(0, round(x + extent[0]))] += np.float32(kelvin)
