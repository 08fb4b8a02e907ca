"""How a picture is shown to the detector: its contrast stretched, and brought to the sizes that the network knows."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from tfake.detector.face_maps import COARSEST_STRIDE

# What becomes black and white of a gray scene, and how flat a scene is not stretched any further.
_STRETCH_PERCENT, _LEAST_CONTRAST = (1.0, 99.5), 0.02
# A picture whose edge is this many times the search's is looked at once more, twice as large.
_TWICE_FROM = 1.6


class View(NamedTuple):
    """A picture at one size.

    Attributes:
        image: (h, w, 3) float32 in 0..1, edges multiples of 32.
        scale: (2,) float64, pixels of the view a pixel of the picture, across and down.
    """

    image: np.ndarray
    scale: np.ndarray


def is_gray(image: np.ndarray) -> bool:
    """Whether (H, W, 3) has no colours."""
    return bool(np.ptp(image, axis=2).max() < 1e-4)


def stretch_scene(image: np.ndarray) -> np.ndarray:
    """Stretch a scene's contrast: cameras' gains and rooms' temperatures mean nothing.

    Args:
        image: (H, W) or (H, W, C) float32.

    Returns:
        The same shape, float32 in 0..1, cut off below the 1st and above the 99.5th percentile.
    """
    low, high = np.percentile(image, _STRETCH_PERCENT)
    return np.clip((image - low) / max(high - low, _LEAST_CONTRAST), 0, 1).astype(np.float32)


def make_views(picture: np.ndarray, search_pixels: int) -> Iterator[View]:
    """Show a picture at the sizes that it is searched at.

    Args:
        picture: (H, W, 3) float32 in 0..1, as :func:`tfake.landmarks.preprocessing.preprocess` gives it.
        search_pixels: edge of a square of the area that pictures are brought to.

    Yields:
        The view of that area, and one of twice its edge of a picture that has the pixels for it. Both edges are rounded
        to multiples of 32, which changes the aspect by a few percent.
    """
    height, width = picture.shape[:2]
    edge = math.sqrt(height * width)
    shown = stretch_gray(picture)
    for target in (search_pixels, 2 * search_pixels)[: 1 + (edge >= _TWICE_FROM * search_pixels)]:
        size = [round_edge(side * target / edge) for side in (width, height)]
        method = cv2.INTER_AREA if target < edge else cv2.INTER_LINEAR
        yield View(cv2.resize(shown, size, interpolation=method), np.array(size) / (width, height))


def stretch_gray(picture: np.ndarray) -> np.ndarray:
    """``stretch_scene`` of a picture without colours; others as they are."""
    if not is_gray(picture):
        return picture
    return np.repeat(stretch_scene(picture[..., 0])[..., None], 3, axis=2)


def round_edge(pixels: float) -> int:
    """The nearest edge that the network takes."""
    return max(1, round(pixels / COARSEST_STRIDE)) * COARSEST_STRIDE
