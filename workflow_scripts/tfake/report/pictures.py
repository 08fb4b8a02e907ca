"""Small pictures inside the page: arrays to data URIs, points to SVG paths."""

import base64

import cv2
import numpy as np

from tfake.classes import CLASS_COLOURS, FaceClass
from tfake.report.palette import TemperatureScale

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
    """Points as the data of one SVG path: a dot each, when stroked with round caps.

    Args:
        points: (N, >= 2) x and y in pixels of the full image; points that are not finite are left out.

    Returns:
        The ``d`` attribute, rounded to 0.1 pixel; empty without a finite point.
    """
    shown = points[np.isfinite(points).all(axis=1), :2]
    return "".join(f"M{x:.4g} {y:.4g}h0" for x, y in np.round(shown.astype(float), 1).tolist())


def class_colour(face_class: FaceClass) -> str:
    """A class's display colour as CSS writes it."""
    return "#" + bytes(CLASS_COLOURS[face_class]).hex()


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
