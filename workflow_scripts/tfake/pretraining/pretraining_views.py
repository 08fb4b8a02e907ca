"""Images without labels, and the crops that pretexts cut out of them."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tfake.imaging.crops import warp_linear
from tfake.imaging.thermal_augmentation import augment_thermal
from tfake.training.training_faces import Levels

#: Standard deviation of a crop's centre from the region's, over the crop's edge.
_SHIFT = 0.08
#: Least edge of a crop that holds the region, over the region's longer side.
_WHOLE = 1.15


@dataclass(frozen=True, eq=False)
class PretrainingImage:
    """A thermal image.

    Attributes:
        shape: height and width, pixels.
        region: left, top, right, bottom in pixels of what crops are cut around: a face where one is known, else the
            person, else all.
        read: gives its levels (:func:`tfake.imaging.crops.build_pyramid`), (H, W) float32 °C; the first may be smaller.
        subject: number of who it shows, from 0; -1 where that is none of the subjects to learn.
        five: (5, 2) float32 pixels: right eye, left eye, tip of the nose, right and left corner of the mouth (TFW's
            order); None where nobody knows.
    """

    shape: tuple[int, int]
    region: tuple[float, float, float, float]
    read: Callable[[], Levels]
    subject: int = -1
    five: np.ndarray | None = None


@dataclass(frozen=True)
class ViewSettings:
    """How crops are cut and shown.

    Attributes:
        pixels: edge of a crop.
        crop_scale: (least, largest) edge over the longer side of the region; a crop is never larger than the picture.
        rotation_degrees: largest rotation, either way, where a task allows one.
        thermal_strength: how much the display is varied (:func:`tfake.imaging.thermal_augmentation.augment_thermal`).
    """

    pixels: int
    crop_scale: tuple[float, float]
    rotation_degrees: float
    thermal_strength: float


def draw_crop(
    image: PretrainingImage,
    rng: np.random.Generator,
    settings: ViewSettings,
    turns: bool = True,
    mirrors: bool = True,
    whole: bool = False,
) -> np.ndarray:
    """Draw a square crop that lies in the picture.

    Args:
        image: the picture.
        rng: random numbers.
        settings: limits.
        turns: whether it may be rotated; its corners may then reach over the picture's edge. Upright crops never do.
        mirrors: whether it may be mirrored, which every other one is.
        whole: whether it holds the whole region before it is rotated, as far as the picture is large enough; its edge
            is then 1.15 of the region's at least.

    Returns:
        (2, 3) float64 from crop pixels (x, y, 1) to image pixels, pixel centres at integers.
    """
    height, width = image.shape
    left, top, right, bottom = image.region
    longer = max(right - left, bottom - top, 2.0)
    scale = math.exp(rng.uniform(*np.log(settings.crop_scale)))
    edge = min(longer * (max(scale, _WHOLE) if whole else scale), height, width)
    middle = np.array((left + right, top + bottom)) / 2
    shift = rng.normal(0, _SHIFT, 2) * edge
    if whole:
        room = np.maximum(edge - np.array((right - left, bottom - top)), 0) / 2
        shift = np.clip(shift, -room, room)
    centre = middle + shift
    # Pixel i covers i - 1/2 to i + 1/2.
    low, high = np.full(2, edge / 2 - 0.5), np.array((width, height)) - edge / 2 - 0.5
    centre = np.clip(centre, low, np.maximum(low, high))
    angle = math.radians(rng.uniform(-1, 1) * settings.rotation_degrees) if turns else 0.0
    mirror = -1.0 if mirrors and rng.random() < 0.5 else 1.0
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    linear = turn @ np.diag((mirror, 1.0)) * edge / settings.pixels
    half = (settings.pixels - 1) / 2
    return np.column_stack((linear, centre - linear @ np.array([half, half])))


def show_crop(
    image: PretrainingImage, matrix: np.ndarray, rng: np.random.Generator, settings: ViewSettings
) -> np.ndarray:
    """A crop as one camera or another displays it: (1, P, P) float16 in 0..1."""
    celsius = warp_linear(image.read(), matrix, settings.pixels, image.shape)
    return augment_thermal(celsius, rng, settings.thermal_strength)[None].astype(np.float16)


def to_crop(points: np.ndarray, matrix: np.ndarray, pixels: int) -> np.ndarray:
    """Points (n, 2) of the image in crop widths, 0 and 1 being the crop's outer edges: (n, 2) float32."""
    inside = (points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    return ((inside + 0.5) / pixels).astype(np.float32)
