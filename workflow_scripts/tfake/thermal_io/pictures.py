"""PNG, JPEG, BMP and WebP, by OpenCV: with their own depth, and refused where they are damaged."""

import io
from collections.abc import Iterator
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image

from tfake.thermal_io.exif import orientation_of
from tfake.thermal_io.frames import Frame, IncompleteError, Recording, ThermalFileError, normalised

# Formats whose further images are frames; those behind a JPEG are previews.
_ANIMATED = ("PNG", "WEBP")


def open_picture(file: BinaryIO) -> Recording:
    """Read a picture.

    Args:
        file: at its beginning.

    Raises:
        ThermalFileError: OpenCV cannot decode it, or not wholly.
    """
    data = file.read()
    frame = Frame(as_gray_or_bgr(decode(data)))
    try:
        with Image.open(io.BytesIO(data)) as image:
            count = count_frames(image)
    except Exception:  # as for the orientation: OpenCV read what there is
        count = 1
    return Recording("picture", _first_of(frame, count), announced=count, orientation=orientation_of(data))


def _first_of(frame: Frame, count: int) -> Iterator[Frame]:
    yield frame
    if count > 1:
        raise IncompleteError(f"read 1 of {count} frames: of an animation the first is read; save it as a film")


def count_frames(image: Image.Image) -> int:
    """How many frames an animation has; 1 for any other picture.

    Args:
        image: opened by Pillow.
    """
    return getattr(image, "n_frames", 1) if image.format in _ANIMATED else 1


def decode(data: bytes, flags: int = cv2.IMREAD_UNCHANGED) -> np.ndarray:
    """Decode a picture as it is stored.

    Args:
        data: the file.
        flags: OpenCV's; the orientation tag is not followed, whatever they say.

    Returns:
        (H, W) or (H, W, C), channels in OpenCV's order.

    Raises:
        ThermalFileError: it cannot be decoded.
    """
    if not data:
        raise ThermalFileError("the file is empty")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ThermalFileError(f"damaged, or no image ({error.err})") from error
    if image is None:
        raise ThermalFileError("damaged, cut, or no image")
    return image


def as_gray_or_bgr(image: np.ndarray) -> np.ndarray:
    """An image with one channel or three: transparency goes, a single channel loses its axis.

    Args:
        image: (H, W) or (H, W, 1 to 4), channels in OpenCV's order.

    Returns:
        (H, W) or (H, W, 3), of a type that ``Frame`` has.

    Raises:
        ThermalFileError: another shape.
    """
    if image.ndim == 3:
        image = image[..., 0] if image.shape[2] <= 2 else image[..., :3]
    if image.ndim != 2 and image.shape[-1:] != (3,):
        raise ThermalFileError(f"expected a gray image or one in colours, found an array of shape {image.shape}")
    return normalised(image)
