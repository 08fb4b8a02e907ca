"""Images of test sets, decoded without a guess at what they mean."""

from collections.abc import Callable

import cv2
import numpy as np

from tfake.sources.file_trees import FileTree

SUFFIXES = (".png", ".jpg", ".jpeg", ".tiff", ".tif", ".bmp")


def reader(tree: FileTree) -> Callable[[str], np.ndarray]:
    """A function that reads an image of a tree: (H, W) uint8 or uint16, or (H, W, 3) uint8 RGB.

    It raises a ValueError, naming the image, where OpenCV cannot read it.
    """

    def read(name: str) -> np.ndarray:
        image = cv2.imdecode(np.frombuffer(tree.read(name), np.uint8), cv2.IMREAD_UNCHANGED)
        if image is None:
            raise ValueError(f"{tree.where}: {name} is no image that OpenCV can read")
        if image.ndim == 3:
            return cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2RGB)
        return image

    return read
