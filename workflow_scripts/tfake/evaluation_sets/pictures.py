"""Images of test sets, decoded without a guess at what they mean."""

from collections.abc import Callable

import numpy as np

from tfake.sources.file_trees import FileTree
from tfake.thermal_io.false_colours import filled, gray_of, is_gray, recover
from tfake.thermal_io.frames import ThermalFileError
from tfake.thermal_io.thermal_reading import open_thermal

SUFFIXES = (".png", ".jpg", ".jpeg", ".tiff", ".tif", ".bmp")


def reader(tree: FileTree) -> Callable[[str], np.ndarray]:
    """A function that reads an image of a tree: (H, W) float32 °C, uint16 or uint8, or (H, W, 3) uint8, BGR.

    Colours come in OpenCV's order, as landmarkers take them; false colours of a known palette become gray. It raises a
    ValueError, naming the image, where it cannot be read, or has several frames.
    """

    def read(name: str) -> np.ndarray:
        try:
            with open_thermal(tree.read(name), name) as recording:
                images = [_as_shown(frame.pixels) for frame in recording]
        except ThermalFileError as error:
            raise ValueError(f"{tree.where}: {name} is no image that can be read: {error}") from error
        if len(images) != 1:
            raise ValueError(f"{tree.where}: {name}: expected one image, found {len(images)}")
        return images[0]

    return read


def _as_shown(pixels: np.ndarray) -> np.ndarray:
    if is_gray(pixels):
        return gray_of(pixels)
    recovered = recover(pixels)
    if recovered is not None:
        return (filled(recovered.values) * 255).round().astype(np.uint8)
    return (pixels >> 8).astype(np.uint8) if pixels.dtype == np.uint16 else pixels
