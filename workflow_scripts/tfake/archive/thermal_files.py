"""Reading one image of a set: what its values mean is declared (``tfake.thermal_io.scales``), never guessed.

Every format of ``tfake.thermal_io`` is read. ``celsius`` takes uint16 counts of 0.01 K (FLIR TLinear, high resolution)
or floating degrees Celsius; a file that says itself that it holds temperatures is taken at its word. ``relative`` takes
any gray image, whose scale and offset carry nothing, such as SEJONG's 8-bit, min-max normalised one; and pictures in
false colours of a known palette. Pixels come in the rows and columns that a file stores: no orientation tag is
followed.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from tfake.archive.file_trees import FileTree
from tfake.core.classes import is_class_id
from tfake.thermal_io.false_colours import filled
from tfake.thermal_io.formats import SUFFIXES
from tfake.thermal_io.frames import Frame, ThermalFileError
from tfake.thermal_io.scales import Scale, ScaleError, check_plausible
from tfake.thermal_io.thermal_reading import Header, open_thermal, scalar_of
from tfake.thermal_io.thermal_reading import read_header as _read_header

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp")
THERMAL_SUFFIXES = SUFFIXES
_CELSIUS = Scale("celsius")


@dataclass(frozen=True, eq=False)
class StoredImage:
    """The numbers of a thermal image, before anybody says what they mean.

    Attributes:
        numbers: (H, W), as stored; of false colours float32 places along the palette, NaN where masked.
        scale: what the file itself says they are; None where it does not say.
        palette: of false colours; None without.
    """

    numbers: np.ndarray
    scale: Scale | None = None
    palette: str | None = None


def read_header(tree: FileTree, name: str) -> Header:
    """Read the size and the number format of an image.

    Args:
        tree: where it lies.
        name: its path there.

    Raises:
        ValueError: the file cannot be decoded.
    """
    try:
        return _read_header(tree.read(name), name)
    except ThermalFileError as error:
        raise ValueError(f"{tree.where}: {name} cannot be decoded: {error}") from error


def check_thermal(tree: FileTree, name: str, header: Header, scale: Scale) -> None:
    """Compare a thermal file's header with what was declared.

    Raises:
        ValueError: declared ``celsius``, but the number format cannot hold a temperature.
    """
    if scale.name == "celsius" and header.dtype.itemsize == 1:
        needs = "expected uint16 counts of 0.01 K or floating degrees"
        found = f"found 8 bits a channel ({header.dtype}); declare such a set relative"
        raise ValueError(f"{tree.where}: {name} is declared celsius: {needs}; {found}")


def read_frames(tree: FileTree, name: str) -> list[StoredImage]:
    """Read every image of a file.

    Args:
        tree: where it lies.
        name: its path there.

    Raises:
        ValueError: the file cannot be decoded, or not wholly; or is a picture in colours of no palette that is known.
    """
    images = []
    try:
        with open_thermal(tree.read(name), name) as recording:
            for frame in recording:
                images.append(_stored(frame, recording.is_celsius, images[-1].palette if images else None))
    except ThermalFileError as error:
        raise ValueError(f"{tree.where}: {name} cannot be decoded: {error}") from error
    return images


def read_stored(tree: FileTree, name: str) -> StoredImage:
    """Read the one image of a file.

    Raises:
        ValueError: as for ``read_frames``, or there are several.
    """
    images = read_frames(tree, name)
    if len(images) != 1:
        raise ValueError(f"{tree.where}: {name}: expected one image, found {len(images)}")
    return images[0]


def to_thermal(stored: StoredImage, where: str, name: str, scale: Scale) -> tuple[np.ndarray, np.ndarray | None]:
    """Turn a thermal image into what its values were declared to be.

    Args:
        stored: the image.
        where: the set, for messages.
        name: the image's name, for messages.
        scale: what it is declared to be.

    Returns:
        (H, W) float32, degrees Celsius or relative values; and (H, W) bool, where they are known, None for everywhere.
        What is not known is filled up from the nearest pixels.

    Raises:
        ValueError: another number format than declared, a picture that cannot be of that scale, or a pixel without a
            temperature.
    """
    _check_palette(stored, where, name, scale)
    own = stored.scale or scale
    check_plausible([(name, stored.numbers)], own, where, people=False)
    if stored.palette is not None:
        known = ~np.isnan(stored.numbers)
        return filled(stored.numbers), None if known.all() else known
    try:
        thermal = own.convert(stored.numbers)
    except ScaleError as error:
        raise ScaleError(f"{where}: {name}: {error}") from error
    if not np.isfinite(thermal).all():
        missing = np.count_nonzero(~np.isfinite(thermal))
        raise ValueError(f"{where}: {name} has {missing} pixels without a temperature")
    return thermal, None


def check_scale(images: Iterable[tuple[str, StoredImage]], scale: Scale, where: str) -> None:
    """Judge some images of a set by their values; of a relative set, none is looked at.

    Args:
        images: name and image.
        scale: what the set is declared to be.
        where: the set, for messages.

    Raises:
        ValueError: they do not hold what was declared.
    """
    if scale.meaning == "relative":
        return
    declared, said = [], []
    for name, stored in images:
        _check_palette(stored, where, name, scale)
        (declared if stored.scale is None else said).append((name, stored.numbers))
    check_plausible(declared, scale, where)
    check_plausible(said, _CELSIUS, where, remedy="the file says °C; its program may have been set to {}")


def read_visible(tree: FileTree, name: str) -> np.ndarray:
    """Read a visible image.

    Returns:
        (H, W, 3) uint8 RGB.

    Raises:
        ValueError: the file cannot be decoded, or holds no picture of 8 or 16 bits.
    """
    pixels = _read_pixels(tree, name)
    if pixels.dtype == np.uint16:
        pixels = (pixels >> 8).astype(np.uint8)
    if pixels.dtype != np.uint8:
        raise ValueError(f"{tree.where}: {name}: expected a picture of 8 or 16 bits, found {pixels.dtype}")
    return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB if pixels.ndim == 2 else cv2.COLOR_BGR2RGB)


def read_class_map(tree: FileTree, name: str) -> np.ndarray:
    """Read a class map.

    Returns:
        (H, W) uint8 class ids.

    Raises:
        ValueError: not an 8-bit gray image of known class ids.
    """
    classes = _read_pixels(tree, name)
    if classes.ndim != 2 or classes.dtype != np.uint8 or not is_class_id(classes).all():
        raise ValueError(f"{tree.where}: {name} is no 8-bit map of the class ids 0..18 and 255")
    return classes


def _stored(frame: Frame, is_celsius: bool, palette: str | None) -> StoredImage:
    numbers, palette, _ = scalar_of(frame, palette)
    return StoredImage(numbers, _CELSIUS if is_celsius else None, palette)


def _check_palette(stored: StoredImage, where: str, name: str, scale: Scale) -> None:
    if stored.palette is not None and scale.meaning != "relative":
        found = f"found false colours of the palette {stored.palette}, whose values are relative"
        raise ScaleError(f"{where}: {name} is declared {scale}: {found}")


def _read_pixels(tree: FileTree, name: str) -> np.ndarray:
    try:
        # A radiometric JPEG's picture is not its temperatures: as a visible image, the picture is meant.
        with open_thermal(tree.read(name), name, as_picture=True) as recording:
            frames = [frame.pixels for frame in recording]
    except ThermalFileError as error:
        raise ValueError(f"{tree.where}: {name} cannot be decoded: {error}") from error
    if len(frames) != 1:
        raise ValueError(f"{tree.where}: {name}: expected one image, found {len(frames)}")
    return frames[0]
