"""Crops: random ones for training, square ones around faces for a network, and points back in the image's pixels.

A random crop is one affine map an image, applied alike to everything registered with it. Training sees small crops,
inference whole images of 512 pixels. To leave no gap between the two, the magnification is drawn log-uniformly between
"the whole image in the crop" and a little above native resolution, so that the network meets the very detail of
inference, and the whole head as well. Shrinking starts from the next finer area-averaged level of a pyramid, so that it
does not alias. Class maps and masks are only ever sampled by nearest.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

# A crop is drawn again when it holds less of the foreground than this, up to _TRIES times.
_LEAST_FOREGROUND = 0.15
_TRIES = 4


@dataclass(frozen=True)
class CropSettings:
    """Limits of the random affine map and of the colours; see ``TrainingSettings`` for the meaning of each."""

    pixels: int
    largest_zoom: float
    rotation_degrees: float
    shear_degrees: float
    photometric_strength: float


def build_pyramid(image: np.ndarray) -> tuple[np.ndarray, ...]:
    """A (H, W) or (H, W, C) image and its halves by area, until the shorter edge is below 128 pixels."""
    levels = [image]
    while min(levels[-1].shape[:2]) >= 128:
        height, width = levels[-1].shape[:2]
        levels.append(cv2.resize(levels[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA))
    return tuple(levels)


def draw_crop(
    rng: np.random.Generator, foreground: np.ndarray, settings: CropSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Draw the affine map of one crop.

    Args:
        rng: the random generator.
        foreground: (H, W) bool; crops are centred near it and hold some of it.
        settings: the limits.

    Returns:
        (2, 3) float64 that takes crop pixels (x, y, 1) to source pixels, and the foreground's crop, (pixels, pixels)
        bool.
    """
    candidates = ForegroundPixels(foreground)
    for _ in range(_TRIES):
        matrix = _draw_once(rng, candidates, foreground.shape, settings)
        crop = warp_nearest(foreground.view(np.uint8), matrix, settings.pixels)
        if cv2.countNonZero(crop) >= _LEAST_FOREGROUND * crop.size:
            break
    return matrix, crop.view(bool)


def choose_level(source_per_crop_pixel: float) -> int:
    """The coarsest level of a pyramid that still is as fine as a crop, 0 being the image itself."""
    return max(0, math.floor(math.log2(source_per_crop_pixel) + 1e-9))


def warp_linear(
    pyramid: Sequence[np.ndarray], matrix: np.ndarray, pixels: int, shape: tuple[int, int] | None = None
) -> np.ndarray:
    """Sample a crop bilinearly from the pyramid level next finer than its resolution.

    Args:
        pyramid: from ``build_pyramid``.
        matrix: (2, 3), from ``draw_crop``.
        pixels: edge of the crop.
        shape: height and width of the image that the matrix is about, where the pyramid begins with a coarser level;
            None: its first level is the image.

    Returns:
        (pixels, pixels) or (pixels, pixels, C) of the pyramid's dtype; outside the image its border goes on, so that
        no value at the border is mixed with one that never was.
    """
    height, width = shape or pyramid[0].shape[:2]
    (a, b), (c, d) = matrix[:, :2].tolist()
    first_per_crop_pixel = math.sqrt(abs(a * d - b * c)) * pyramid[0].shape[0] / height
    level = min(len(pyramid) - 1, choose_level(first_per_crop_pixel))
    level_height, level_width = pyramid[level].shape[:2]
    # Integer coordinates are pixel centres: x_level = (x + 1/2) width_level / width - 1/2.
    scale = np.array([[level_width / width], [level_height / height]])
    to_level = matrix * scale
    to_level[:, 2] += 0.5 * scale[:, 0] - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(pyramid[level], to_level, (pixels, pixels), flags=flags, borderMode=cv2.BORDER_REPLICATE)


def warp_nearest(ids: np.ndarray, matrix: np.ndarray, pixels: int, outside: int = 0) -> np.ndarray:
    """Sample a crop of class ids or of a mask by nearest.

    Args:
        ids: (H, W) uint8.
        matrix: (2, 3), from ``draw_crop``.
        pixels: edge of the crop.
        outside: the id where the crop leaves the image.

    Returns:
        (pixels, pixels) uint8 that holds no id which is neither in ``ids`` nor ``outside``.
    """
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(ids, matrix, (pixels, pixels), flags=flags, borderValue=outside)


class ForegroundPixels:
    """The pixels of a foreground, or of an image without any, in reading order; only the asked one is looked for."""

    def __init__(self, foreground: np.ndarray) -> None:
        """Count them: (H, W) bool."""
        counts = np.count_nonzero(foreground, axis=1)
        if not counts.any():
            foreground = np.ones_like(foreground)
            counts = np.full(len(foreground), foreground.shape[1])
        self._foreground, self._ends = foreground, np.cumsum(counts)

    def __len__(self) -> int:
        """How many there are."""
        return int(self._ends[-1])

    def __getitem__(self, place: int) -> tuple[int, int]:
        """Column and row of one."""
        row = int(np.searchsorted(self._ends, place, side="right"))
        before = int(self._ends[row - 1]) if row else 0
        return int(np.flatnonzero(self._foreground[row])[place - before]), row


def _draw_once(
    rng: np.random.Generator, places: ForegroundPixels, shape: tuple[int, ...], settings: CropSettings
) -> np.ndarray:
    coarsest = min(settings.pixels / max(shape), settings.largest_zoom)
    zoom = math.exp(rng.uniform(math.log(coarsest), math.log(settings.largest_zoom)))
    angle = math.radians(rng.uniform(-settings.rotation_degrees, settings.rotation_degrees))
    shear = math.tan(math.radians(rng.uniform(-settings.shear_degrees, settings.shear_degrees)))
    mirror = rng.choice((-1.0, 1.0))
    rotation = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    linear = rotation @ np.array([[mirror, shear], [0.0, 1.0]]) / zoom
    # At the coarsest zoom the crop is centred on the image, at native zoom on some foreground pixel.
    pick = places[int(rng.integers(len(places)))]
    middle = np.array([shape[1] - 1, shape[0] - 1]) / 2
    pull = 1 - min(1.0, coarsest / zoom)
    centre = (1 - pull) * middle + pull * np.array(pick)
    half = (settings.pixels - 1) / 2
    return np.concatenate((linear, (centre - linear @ np.array([half, half]))[:, None]), axis=1)


#: Left, top, right, bottom in pixels.
Box = tuple[float, float, float, float]

#: How much wider than the face's box a crop is: T-FAKE's own inference.
MARGIN = 1.25


def box_iou(a: Box, b: Box) -> float:
    """Intersection over union."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def box_overlap(a: Box, b: Box) -> float:
    """Intersection over the smaller of two boxes: 1 where one lies within the other."""
    common = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
    return common / max(smaller, 1e-9)


def square_around(box: np.ndarray | Box, margin: float = MARGIN) -> np.ndarray:
    """The network's crop for a box, ``margin`` times as wide as the box's longer side.

    Returns:
        (3,) float64: left and top edge, and edge length; pixel centres are at integers.
    """
    left, top, right, bottom = map(float, box)
    side = max(right - left, bottom - top, 1.0) * margin
    return np.array(((left + right - side) / 2, (top + bottom - side) / 2, side))


def square_around_image(shape: tuple[int, ...]) -> np.ndarray:
    """The smallest square around a whole image of this shape, as ``square_around`` gives it."""
    height, width = shape[:2]
    side = max(height, width)
    return np.array(((width - side) / 2 - 0.5, (height - side) / 2 - 0.5, float(side)))


def crop_squares(image: np.ndarray, squares: np.ndarray, pixels: int) -> np.ndarray:
    """Cut squares out of an image.

    Args:
        image: (H, W, 3) float32.
        squares: (F, 3) left and top edge, edge length, in pixels of the image; they may reach beyond it.
        pixels: edge of the crops.

    Returns:
        (F, 3, pixels, pixels) float32; what is beyond the image is 0.
    """
    crops = np.empty((len(squares), 3, pixels, pixels), dtype=np.float32)
    for index, (left, top, side) in enumerate(squares):
        scale = side / pixels
        # Pixel i of the crop is centred (i + 1/2) / pixels of the way through the square.
        crops[index] = warp_crop(
            image, np.array(((scale, 0.0, left + scale / 2), (0.0, scale, top + scale / 2))), pixels
        )
    return crops


def warp_crop(image: np.ndarray, matrix: np.ndarray, pixels: int) -> np.ndarray:
    """One crop of an image (H, W, 3), as a network is shown it.

    Args:
        image: float32.
        matrix: (2, 3) from the crop's pixels to the image's.
        pixels: edge of the crop.

    Returns:
        (3, pixels, pixels) float32; what is beyond the image is 0.
    """
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    # Linear interpolation alone would skip pixels.
    source = cv2.blur(image, (int(scale) | 1,) * 2) if scale > 2 else image
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(source, matrix, (pixels, pixels), flags=flags, borderMode=cv2.BORDER_CONSTANT)
    return crop.transpose(2, 0, 1)


def to_image_coordinates(found: np.ndarray, squares: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predictions in the image: from (F, L, 3) x, y and standard deviation in crop widths, and the (F, 3) squares.

    Returns:
        (F, L, 2) pixels, pixel centres at integers, and (F, L) standard deviations in pixels.
    """
    side = squares[:, None, 2]
    return found[..., :2] * side[..., None] + squares[:, None, :2], found[..., 2] * side
