"""Where the person is in a thermal image, when no class map tells."""

import cv2
import numpy as np
from scipy import ndimage

# Of the outermost pixels: an image whose background was blanked has zeros all around but where the neck leaves it.
_BLANK_BORDER = 0.5


def estimate_foreground(thermal: np.ndarray) -> np.ndarray:
    """Guess where the person is in a thermal image without a class map: warmer than Otsu's threshold, holes filled.

    Args:
        thermal: (H, W) float32, any scale.

    Returns:
        (H, W) bool.
    """
    scaled = cv2.normalize(thermal, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    _, warm = cv2.threshold(scaled, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return ndimage.binary_fill_holes(warm)


def find_unblanked(raw: np.ndarray) -> np.ndarray | None:
    """Find the foreground of an 8-bit image whose background somebody has set to 0.

    Args:
        raw: (H, W), as stored.

    Returns:
        (H, W) bool: the pixels above 0; None when the image is not of that kind: not 8 bits, or fewer than half of its
        outermost pixels are 0.
    """
    if raw.dtype != np.uint8:
        return None
    border = np.concatenate((raw[0], raw[-1], raw[1:-1, 0], raw[1:-1, -1]))
    return raw > 0 if np.mean(border == 0) >= _BLANK_BORDER else None
