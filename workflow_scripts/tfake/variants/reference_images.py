"""Published thermal images as figures show them: ``{id}_thermal.png``, 8-bit gray, 0 to 255 for 20 to 40 °C."""

from pathlib import Path

import cv2
import numpy as np

REFERENCE_CELSIUS = (20.0, 40.0)
REFERENCE_SUFFIX = "_thermal.png"


def read_reference(path: Path) -> np.ndarray:
    """Read one: (H, W) float32 °C.

    Raises:
        ValueError: it is no 8-bit image.
    """
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype != np.uint8:
        found = "no image" if image is None else f"{image.dtype} of {image.shape}"
        raise ValueError(f"{path}: a published thermal image must be 8-bit gray; found {found}")
    gray = image if image.ndim == 2 else image[..., 0]
    low, high = REFERENCE_CELSIUS
    return low + (high - low) * gray.astype(np.float32) / 255
