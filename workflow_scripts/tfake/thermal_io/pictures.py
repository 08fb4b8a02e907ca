"""Pictures, with the pixels in the rows and columns that the file stores.

PNG, JPEG, BMP and WebP by OpenCV: with their own depth, and refused where they are damaged. FLIR's radiometric JPEG by
flyr: temperatures in °C, from the raw values and the camera's own calibration.

An orientation tag is told and never followed, by any reader here. Registered partners, class maps and annotations are
made for the pixels as stored, and a tag that a program copied along, or that one library follows and another does not,
turns nothing. Who wants to see an image upright turns it, and turns what was found back.
"""

import io
from collections.abc import Iterator
from typing import BinaryIO

import cv2
import numpy as np
from PIL import Image

from tfake.thermal_io.frames import (
    Frame,
    IncompleteError,
    Recording,
    ThermalFileError,
    check_size,
    import_optional,
    normalised,
)

ORIENTATION_TAG = 274
# Formats whose further images are frames; those behind a JPEG are previews.
_ANIMATED = ("PNG", "WEBP")
_SEGMENT = b"FLIR\x00"
# Where the count of records lies behind the segment's name, and more records than any camera writes.
_COUNT_AT, _MAX_RECORDS = 8 + 28, 4096
# Whether rows and columns change places, and which of both then run backwards, by tag.
_TURNS = {
    1: (False, 1, 1),
    2: (False, 1, -1),
    3: (False, -1, -1),
    4: (False, -1, 1),
    5: (True, 1, 1),
    6: (True, 1, -1),
    7: (True, -1, -1),
    8: (True, -1, 1),
}


def orientation_of(data: bytes) -> int:
    """Read the orientation tag of a PNG, JPEG or WebP: 1 to 8; 1 where there is none, or none that can be read."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            tag = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # a warning is not worth refusing pixels that could be read
        return 1
    return tag if tag in range(1, 9) else 1


def orientation_of_matrix(matrix: np.ndarray) -> int:
    """The orientation tag, 1 to 8, that turns an image as the display matrix of a film does (ISO/IEC 14496-12, 6.2.2).

    Args:
        matrix: (3, 3) int32, in the first two rows and columns fixed point: 2**16 is 1; (x, y, 1) of the stored image
            times it is (x, y) of the upright one.

    Returns:
        1 for a matrix that does not turn by right angles.
    """
    turn = (np.asarray(matrix)[:2, :2] / 2**16).round(3).tolist()
    for tag, (swapped, rows, columns) in _TURNS.items():
        if turn == ([[0, rows], [columns, 0]] if swapped else [[columns, 0], [0, rows]]):
            return tag
    return 1


def turn_upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turn an image as its orientation tag says.

    Args:
        image: (H, W, ...), as stored.
        orientation: 1 to 8.

    Returns:
        (H, W, ...) or, for 5 to 8, (W, H, ...).
    """
    swapped, rows, columns = _TURNS[orientation]
    return (np.swapaxes(image, 0, 1) if swapped else image)[::rows, ::columns]


def points_as_stored(points: np.ndarray, orientation: int, shape: tuple[int, int]) -> np.ndarray:
    """Bring points of an upright image to the image as it is stored.

    Args:
        points: (..., 2) x, y in the upright image, pixel centres at integers.
        orientation: 1 to 8.
        shape: height and width of the upright image.

    Returns:
        (..., 2), the same type.
    """
    swapped, rows, columns = _TURNS[orientation]
    x, y = points[..., 0], points[..., 1]
    x = x if columns > 0 else shape[1] - 1 - x
    y = y if rows > 0 else shape[0] - 1 - y
    return np.stack((y, x) if swapped else (x, y), axis=-1)


def open_picture(file: BinaryIO) -> Recording:
    """Read a picture.

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


def count_frames(image: Image.Image) -> int:
    """How many frames an animation has; 1 for any other picture."""
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


def is_radiometric(data: bytes) -> bool:
    """Whether a JPEG has FLIR's records of raw values behind its picture."""
    place = data.find(_SEGMENT)
    return place >= 0 and data[place + 8 : place + 12] in (b"FFF\x00", b"AFF\x00")


def open_radiometric_jpeg(file: BinaryIO) -> Recording:
    """Read the temperatures; the picture and the embedded photograph are left out.

    Raises:
        ThermalFileError: the records are damaged or of a kind that flyr does not know; or flyr is not installed.
    """
    data = file.read()
    place = data.find(_SEGMENT)
    # flyr goes through as many records as a damaged count says.
    if int.from_bytes(data[place + _COUNT_AT : place + _COUNT_AT + 4], "big") > _MAX_RECORDS:
        raise ThermalFileError("its FLIR records are damaged")
    flyr = import_optional("flyr")
    try:
        with np.errstate(all="ignore"):
            celsius = flyr.unpack(io.BytesIO(data)).celsius
    except Exception as error:  # flyr raises whatever its parsing stumbles over
        raise ThermalFileError(f"its FLIR records cannot be read ({type(error).__name__}: {error})") from error
    if celsius.ndim != 2:
        raise ThermalFileError(f"expected raw values (height, width), found {celsius.shape}")
    check_size(*celsius.shape)
    return Recording(
        "radiometric JPEG", iter([Frame(normalised(celsius))]), is_celsius=True, orientation=orientation_of(data)
    )


def _first_of(frame: Frame, count: int) -> Iterator[Frame]:
    yield frame
    if count > 1:
        raise IncompleteError(f"read 1 of {count} frames: of an animation the first is read; save it as a film")
