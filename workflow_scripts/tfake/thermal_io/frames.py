"""What a reader hands over: frames as they are stored, what their numbers mean, and one kind of error."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import KW_ONLY, dataclass
from importlib import import_module
from types import ModuleType
from typing import BinaryIO, Self

import numpy as np

#: No thermal camera comes near it; a header that says more is damaged.
MAX_PIXELS = 1 << 26


class ThermalFileError(ValueError):
    """A file that cannot be read for what it should be; the message says why, and does not name the file."""


class IncompleteError(ThermalFileError):
    """A file that stops before it should: some of its frames were read, the others are lost."""


@dataclass(frozen=True, eq=False)
class Frame:
    """One frame, with its pixels in the rows and columns that the file stores: no orientation tag is followed.

    Attributes:
        pixels: (H, W) uint8, uint16, int32 or float32; or (H, W, 3) uint8 or uint16, channels in OpenCV's order (BGR).
        time_seconds: since the first frame; None where the file does not tell.
    """

    pixels: np.ndarray
    time_seconds: float | None = None


@dataclass(eq=False)
class Recording(AbstractContextManager):
    """The frames of one file, each read when it is asked for; also a context manager that closes the file.

    Attributes:
        format: what it is.
        frames: in order, to be taken once.
        is_celsius: the file itself says its numbers are temperatures, and they were brought to °C; otherwise they are
            as stored, and what they mean is declared elsewhere.
        announced: how many frames the file says it has; None where it does not say.
        assumed: what was taken for true without the file saying it, in words.
        orientation: the orientation tag (TIFF's 274, Exif's the same), 1 to 8; it is told and not followed.
    """

    format: str
    frames: Iterator[Frame]
    _: KW_ONLY
    is_celsius: bool = False
    announced: int | None = 1
    assumed: tuple[str, ...] = ()
    orientation: int = 1
    _file: BinaryIO | None = None

    def holding(self, file: BinaryIO) -> Self:
        """The same recording, which closes this file when it is closed itself."""
        self._file = file
        return self

    def __iter__(self) -> Iterator[Frame]:
        """The frames, in order; once.

        Raises:
            ThermalFileError: nothing could be read; or, after the last frame that could, an ``IncompleteError``.
        """
        return self.frames

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()


def normalised(array: np.ndarray) -> np.ndarray:
    """Numbers of any type in one of the few that ``Frame`` has, their values unchanged.

    Args:
        array: numbers of any shape: booleans (taken for 0 and 255), integers up to 32 bits of value, or floats, of
            either byte order.

    Returns:
        The same shape: uint8 for 8-bit integers, uint16 for others that fit, int32, or float32.

    Raises:
        ThermalFileError: complex numbers, text, or integers beyond 32 bits.
    """
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind == "b":
        return array.astype(np.uint8) * np.uint8(255)
    if kind == "f":
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(array, dtype=np.float32)
    if kind not in "ui" or not array.size:
        raise ThermalFileError(f"expected numbers, found {array.dtype} of shape {array.shape}")
    low, high = int(array.min()), int(array.max())
    for target in (np.uint8,) * (size == 1) + (np.uint16, np.int32):
        if np.iinfo(target).min <= low and high <= np.iinfo(target).max:
            return np.ascontiguousarray(array, dtype=target)
    raise ThermalFileError(f"expected integers of up to 32 bits, found {low} to {high}")


def check_size(height: int, width: int) -> None:
    """Refuse a size that no camera has, before memory is asked for.

    Raises:
        ThermalFileError: no pixel, or more than ``MAX_PIXELS``.
    """
    if not (height > 0 and width > 0 and height * width <= MAX_PIXELS):
        raise ThermalFileError(f"expected an image of up to {MAX_PIXELS} pixels, found {width}x{height}")


def import_optional(module: str) -> ModuleType:
    """Import a module of the extra ``cameras``, which only some formats need.

    Raises:
        ThermalFileError: it is not installed; the message says how to install it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ThermalFileError(
            f"it needs the package {module}, which is not installed: pip install 'tfake-workflow[cameras]'"
        ) from error
