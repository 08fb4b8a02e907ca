"""Reading one thermal image: what its values mean is declared (``tfake.scales``), never guessed.

``celsius`` takes uint16 counts of 0.01 K (FLIR TLinear, high resolution) or floating degrees Celsius, as an image
(PNG, TIFF) or as ``.npy``. ``relative`` takes any gray image, whose scale and offset carry nothing, such as SEJONG's
8-bit, min-max normalised one.
"""

import io
from dataclasses import dataclass
from pathlib import PurePosixPath

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from tfake.classes import is_class_id
from tfake.scales import Scale, ScaleError, check_plausible
from tfake.sources.file_trees import FileTree

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
THERMAL_SUFFIXES = (*IMAGE_SUFFIXES, ".npy")


@dataclass(frozen=True)
class Header:
    """What a file says of itself before its pixels are decoded."""

    size: tuple[int, int]  # width, height
    mode: str  # Pillow's mode, or the data type of an .npy
    may_be_celsius: bool


def read_header(tree: FileTree, name: str) -> Header:
    """Read the size and the number format of an image or an ``.npy``.

    Args:
        tree: where it lies.
        name: its path there.

    Raises:
        ValueError: the file cannot be decoded, or is an array that is no gray image.
    """
    if PurePosixPath(name).suffix.lower() == ".npy":
        array = _load_array(tree, name)
        return Header(array.shape[::-1], str(array.dtype), array.dtype.itemsize > 1)
    try:
        with Image.open(io.BytesIO(tree.read(name))) as image:
            return Header(image.size, image.mode, image.mode.startswith(("I", "F")))
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(f"{tree.where}: {name} cannot be decoded as an image") from error


def check_thermal(tree: FileTree, name: str, header: Header, scale: Scale) -> None:
    """Compare a thermal file's header with what was declared.

    Raises:
        ValueError: declared ``celsius``, but the number format cannot hold a temperature.
    """
    if scale.name == "celsius" and not header.may_be_celsius:
        needs = "expected uint16 counts of 0.01 K or floating degrees"
        found = f"found 8 bits a channel ({header.mode}); declare such a set relative"
        raise ValueError(f"{tree.where}: {name} is declared celsius: {needs}; {found}")


def decode_image(tree: FileTree, name: str, flags: int = cv2.IMREAD_UNCHANGED) -> np.ndarray:
    """Decode an image or an ``.npy`` as it is stored.

    Args:
        tree: where it lies.
        name: its path there.
        flags: OpenCV's; channels come as blue, green, red. The camera's orientation tag is not followed.

    Returns:
        (H, W) or (H, W, C), the stored data type.

    Raises:
        ValueError: the file cannot be decoded.
    """
    if PurePosixPath(name).suffix.lower() == ".npy":
        return _load_array(tree, name)
    data = np.frombuffer(tree.read(name), np.uint8)
    # OpenCV raises on an empty buffer, and returns None for anything else that it cannot read.
    image = cv2.imdecode(data, flags | cv2.IMREAD_IGNORE_ORIENTATION) if len(data) else None
    if image is None:
        raise ValueError(f"{tree.where}: {name} cannot be decoded as an image")
    return image


def single_channel(raw: np.ndarray) -> np.ndarray:
    """The channel of a decoded image that counts, (H, W): SEJONG's readers take the first of R, G, B."""
    return raw[..., 2 if raw.shape[-1] >= 3 else 0] if raw.ndim == 3 else raw


def to_thermal(raw: np.ndarray, tree: FileTree, name: str, scale: Scale) -> np.ndarray:
    """Turn a decoded thermal image into what its values were declared to be.

    Args:
        raw: (H, W) or (H, W, C), from ``decode_image``.
        tree: where it lies, for messages.
        name: its path there, for messages.
        scale: what it is declared to be.

    Returns:
        (H, W) float32: degrees Celsius, or relative values.

    Raises:
        ValueError: another number format than declared, a picture that cannot be of that scale, or a pixel without a
            temperature.
    """
    # A gray JPEG may come with three equal channels.
    raw = single_channel(raw)
    check_plausible([(name, raw)], scale, tree.where, people=False)
    try:
        thermal = scale.convert(raw)
    except ScaleError as error:
        raise ScaleError(f"{tree.where}: {name}: {error}") from error
    if not np.isfinite(thermal).all():
        missing = np.count_nonzero(~np.isfinite(thermal))
        raise ValueError(f"{tree.where}: {name} has {missing} pixels without a temperature")
    return thermal


def read_class_map(tree: FileTree, name: str) -> np.ndarray:
    """Read a class map.

    Returns:
        (H, W) uint8 class ids.

    Raises:
        ValueError: not an 8-bit gray image of known class ids.
    """
    classes = decode_image(tree, name)
    if classes.ndim != 2 or classes.dtype != np.uint8 or not is_class_id(classes).all():
        raise ValueError(f"{tree.where}: {name} is no 8-bit map of the class ids 0..18 and 255")
    return classes


def _load_array(tree: FileTree, name: str) -> np.ndarray:
    try:
        array = np.load(io.BytesIO(tree.read(name)), allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{tree.where}: {name} cannot be decoded as an array ({error})") from error
    if not isinstance(array, np.ndarray) or array.ndim != 2 or array.dtype.kind not in "uif" or not array.size:
        found = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else "several arrays"
        raise ValueError(f"{tree.where}: {name}: expected an array (height, width) of numbers; found {found}")
    return array
