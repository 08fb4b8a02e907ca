"""``.npy`` and ``.npz``: a frame, or a stack of frames, of any kind of number and either byte order."""

from typing import BinaryIO

import numpy as np

from tfake.thermal_io.frames import Frame, Recording, ThermalFileError, check_size, normalised

# No image is narrower: an axis of this length counts channels.
_MIN_WIDTH = 5


def open_npy(file: BinaryIO) -> Recording:
    """Read an array: (H, W); (N, H, W), a stack of frames; (H, W, 1); or (H, W, 3 or 4) of pixels in colours, BGR.

    Raises:
        ThermalFileError: no such array, or one that holds objects.
    """
    try:
        array = np.load(file, allow_pickle=False)
    except Exception as error:  # numpy parses the header as Python, and raises what that raises
        raise ThermalFileError(f"it cannot be decoded as an array ({error})") from error
    if not isinstance(array, np.ndarray):
        raise ThermalFileError("it cannot be decoded as an array (several arrays)")
    frames = _split(array)
    return Recording("npy", map(Frame, frames), announced=len(frames))


def open_npz(file: BinaryIO) -> Recording:
    """Read the frames of an archive of arrays: its only one of two or three dimensions.

    Raises:
        ThermalFileError: no such array, or several.
    """
    try:
        with np.load(file, allow_pickle=False) as arrays:
            # A zip with other files in it gives their bytes.
            images = {name: array for name in arrays.files if isinstance(array := arrays[name], np.ndarray)}
    except Exception as error:  # as above, and what zipfile raises
        raise ThermalFileError(f"it cannot be decoded as an archive of arrays ({error})") from error
    images = {name: array for name, array in images.items() if array.ndim in (2, 3) and array.dtype.kind in "buif"}
    if len(images) != 1:
        found = ", ".join(images) or "none"
        raise ThermalFileError(f"expected one array of two or three dimensions, found {found}")
    frames = _split(*images.values())
    return Recording("npz", map(Frame, frames), announced=len(frames))


def _split(array: np.ndarray) -> list[np.ndarray]:
    if array.dtype.kind not in "buif" or array.ndim not in (2, 3) or 0 in array.shape:
        expected = "expected an array (height, width) or (frames, height, width) of numbers"
        raise ThermalFileError(f"{expected}; found {array.dtype} {array.shape}")
    if array.ndim == 2:
        array = array[None]
    elif array.shape[2] == 1:
        array = array[None, ..., 0]
    elif array.shape[2] in (3, 4) and array.dtype in (np.uint8, np.uint16):
        array = array[None, ..., :3]
    elif array.shape[2] < _MIN_WIDTH:
        raise ThermalFileError(
            f"expected an image or frames of it; found {array.dtype} {array.shape}, whose last axis is too short for "
            "pixels of a row and too long for one number a pixel"
        )
    check_size(*array.shape[1:3])
    # As a whole: a frame's type must not depend on what happens to be in it.
    return list(normalised(array))
