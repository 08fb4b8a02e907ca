"""Images within a page: temperatures to colours, pictures to data URIs, points to SVG paths, counts to text."""

import base64
import math
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import matplotlib
import numpy as np

from tfake.core.classes import CLASS_COLOURS, FaceClass
from tfake.core.radiometry import KELVIN_PER_COUNT, NEVER_WRITTEN, NO_IMAGE, ZERO_CELSIUS_KELVIN

_PALETTE = "inferno"
#: What the viewer offers: name to matplotlib's; all but the last rise evenly in lightness.
_OFFERED = {
    "inferno": "inferno",
    "white hot": "gray",
    "black hot": "gray_r",
    "viridis": "viridis",
    "cividis": "cividis",
    "turbo": "turbo",
}
_COLOURS = 256
_MISSING_COLOUR = (128, 128, 128)
# Fraction of the pixels that may fall below, and above, the scale: single hot pixels must not flatten every picture.
_CLIPPED = 0.0005


@dataclass(frozen=True)
class TemperatureScale:
    """Whole degrees Celsius at both ends; colours between them are linear in temperature."""

    low: int
    high: int
    palette: str = _PALETTE  # matplotlib's name

    def paint(self, celsius: np.ndarray) -> np.ndarray:
        """Colour (H, W) °C as (H, W, 3) uint8 RGB; NaN is gray, and values off the scale take its end colours."""
        fraction = (np.nan_to_num(celsius, nan=self.low) - self.low) / (self.high - self.low)
        step = np.clip(np.rint(fraction * (_COLOURS - 1)), 0, _COLOURS - 1).astype(np.uint8)
        painted = _lookup_table(self.palette)[step]
        painted[np.isnan(celsius)] = _MISSING_COLOUR
        return painted

    def ticks(self) -> list[tuple[int, float]]:
        """Whole degrees to write beside a colour bar, at most 11, and where each lies: 0 at low, 1 at high."""
        span = self.high - self.low
        step = next(step for step in (1, 2, 5, 10, 20, 50, 100) if span / step <= 10)
        first = math.ceil(self.low / step) * step
        return [(value, (value - self.low) / span) for value in range(first, self.high + 1, step)]

    def gradient(self, stops: int = 17) -> str:
        """The palette as a CSS gradient from left (low) to right (high)."""
        table = _lookup_table(self.palette)
        colours = [table[round(stop * (_COLOURS - 1) / (stops - 1))] for stop in range(stops)]
        return f"linear-gradient(to right, {', '.join('#' + bytes(colour).hex() for colour in colours)})"


def fit_scale(images: Iterable[np.ndarray]) -> TemperatureScale:
    """Choose the scale that holds all but a thousandth of the pixels of some uint16 counts of 0.01 K.

    It is at least 2 K wide, and 15 to 40 °C when there is no pixel at all; ``NO_IMAGE`` and ``NEVER_WRITTEN`` take no
    part.
    """
    histogram = np.zeros(NO_IMAGE + 1, dtype=np.int64)
    for counts in images:
        histogram += np.bincount(counts.ravel(), minlength=len(histogram))
    histogram[[NEVER_WRITTEN, NO_IMAGE]] = 0
    cumulative = np.cumsum(histogram)
    if not cumulative[-1]:
        return TemperatureScale(15, 40)
    ends = np.searchsorted(cumulative, np.array([_CLIPPED, 1 - _CLIPPED]) * cumulative[-1])
    low, high = ends * KELVIN_PER_COUNT - ZERO_CELSIUS_KELVIN
    low, high = math.floor(low), math.ceil(high)
    return TemperatureScale(low, max(high, low + 2))


def offered_palettes() -> dict[str, str]:
    """The viewer's palettes: name to 256 colours, low to high, as ``rrggbb`` one after the other."""
    return {name: _lookup_table(palette).tobytes().hex() for name, palette in _OFFERED.items()}


def _lookup_table(palette: str) -> np.ndarray:
    return (matplotlib.colormaps[palette](np.arange(_COLOURS))[:, :3] * 255).round().astype(np.uint8)


#: Edge of a thumbnail; larger images are shrunk to it.
THUMBNAIL_PIXELS = 256
_PHOTO_QUALITY = 82
_LOSSLESS = 101  # OpenCV: a WebP quality above 100 is lossless
#: Colour of pixels that carry no class.
IGNORE_COLOUR = (255, 0, 255)


def photo_uri(rgb: np.ndarray) -> str:
    """A photograph: (H, W, 3) uint8 RGB to a lossy thumbnail's data URI."""
    return _encode(_shrink(rgb, cv2.INTER_AREA), _PHOTO_QUALITY)


def full_photo_uri(rgb: np.ndarray) -> str:
    """A photograph: (H, W, 3) uint8 RGB to a lossy picture's data URI, at its own size."""
    return _encode(rgb, _PHOTO_QUALITY)


def classes_uri(classes: np.ndarray) -> str:
    """A class map: (H, W) uint8 ids to a lossless thumbnail's data URI in the classes' colours."""
    colours = np.full((256, 3), IGNORE_COLOUR, dtype=np.uint8)
    colours[: len(CLASS_COLOURS)] = CLASS_COLOURS
    # Ids are never mixed: each pixel of the thumbnail is one pixel of the map.
    return _encode(colours[_shrink(classes, cv2.INTER_NEAREST)], _LOSSLESS)


def thermal_uri(celsius: np.ndarray, scale: TemperatureScale) -> str:
    """A thermal image: (H, W) float in the scale's unit to a lossless thumbnail's data URI."""
    return _encode(scale.paint(_shrink(celsius, cv2.INTER_AREA)), _LOSSLESS)


def points_path(points: np.ndarray) -> str:
    """Points as the ``d`` of one SVG path: a dot each, when stroked with round caps.

    Args:
        points: (N, >= 2) x and y in pixels of the full image, rounded to 0.1; what is not finite is left out.
    """
    shown = points[np.isfinite(points).all(axis=1), :2]
    return "".join(f"M{x:.4g} {y:.4g}h0" for x, y in np.round(shown.astype(float), 1).tolist())


def class_colour(face_class: FaceClass) -> str:
    """A class's display colour as CSS writes it."""
    return "#" + bytes(CLASS_COLOURS[face_class]).hex()


def encode_png(image: np.ndarray) -> bytes:
    """A lossless PNG of a (H, W) uint8 or uint16 image, or of a (H, W, 3) uint8 RGB one.

    Raises:
        ValueError: OpenCV cannot write it.
    """
    pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
    done, data = cv2.imencode(".png", pixels)
    if not done:
        raise ValueError(f"OpenCV cannot write a PNG of shape {image.shape} and type {image.dtype}")
    return data.tobytes()


def _shrink(image: np.ndarray, interpolation: int) -> np.ndarray:
    height, width = image.shape[:2]
    ratio = min(1.0, THUMBNAIL_PIXELS / max(height, width))
    size = (round(width * ratio), round(height * ratio))
    return image if ratio == 1 else cv2.resize(image, size, interpolation=interpolation)


def _encode(rgb: np.ndarray, quality: int) -> str:
    done, data = cv2.imencode(".webp", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_WEBP_QUALITY, quality])
    if not done:
        raise ValueError(f"OpenCV cannot write an image of shape {rgb.shape} as WebP")
    return f"data:image/webp;base64,{base64.b64encode(data).decode('ascii')}"


_LEVEL = 6


def pack(image: np.ndarray) -> str:
    """Pack a (H, W) uint8 or uint16 image as ASCII text, from which a page's ``loading.js`` gets the very same numbers.

    A browser may change the pixels of a picture on their way to a script (colour management, protection against
    fingerprinting), so numbers travel as numbers: differences to the left neighbour, the low bytes and then the high
    ones, deflated (zlib, RFC 1950), base64.

    Raises:
        ValueError: another type or number of dimensions.
    """
    if image.ndim != 2 or image.dtype not in (np.uint8, np.uint16):
        raise ValueError(f"an image to pack is (H, W) uint8 or uint16; found {image.dtype} of {image.shape}")
    # Unsigned differences wrap around, here and in the page alike.
    steps = np.diff(image, axis=1, prepend=image.dtype.type(0))
    planes = [(steps >> shift).astype(np.uint8) for shift in range(0, 8 * image.dtype.itemsize, 8)]
    return base64.b64encode(zlib.compress(b"".join(plane.tobytes() for plane in planes), _LEVEL)).decode("ascii")
