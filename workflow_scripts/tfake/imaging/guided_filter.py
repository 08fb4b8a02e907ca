"""The guided filter of He, Sun and Tang (PAMI 2013): smooth an image, and follow the edges of another.

In each window q = a I + b fits the image p by the guide I: a = cov(I, p) / (var I + epsilon), b = mean p - a mean I;
each pixel takes the mean a and b of the windows that it is in.
"""

import cv2
import numpy as np


def filter_guided(
    guide: np.ndarray, images: list[np.ndarray], radius: int, epsilon: float, step: int = 1
) -> list[np.ndarray]:
    """Filter images by one guide.

    Args:
        guide: (H, W) float32.
        images: each (H, W) float32.
        radius: of the windows, pixels: they are 2 radius + 1 wide.
        epsilon: below which variance of the guide windows count as flat.
        step: windows stand on cells of so many pixels squared. Their statistics are those of all pixels, and only a
            and b are coarser, which are smooth.

    Returns:
        The images, filtered.
    """
    height, width = guide.shape
    size = (-(-width // step), -(-height // step))
    # The odd width, in cells, that is nearest to the windows'.
    side = 2 * max(round(((2 * radius + 1) / step - 1) / 2), 1) + 1

    def mean(image: np.ndarray) -> np.ndarray:
        small = image if step == 1 else cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return cv2.blur(small, (side, side), borderType=cv2.BORDER_REFLECT)

    def enlarge(image: np.ndarray) -> np.ndarray:
        image = cv2.blur(image, (side, side), borderType=cv2.BORDER_REFLECT)
        return image if step == 1 else cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)

    mean_guide = mean(guide)
    scale = 1.0 / (mean(guide * guide) - mean_guide * mean_guide + np.float32(epsilon))
    filtered = []
    for image in images:
        mean_image = mean(image)
        slope = (mean(guide * image) - mean_guide * mean_image) * scale
        filtered.append(enlarge(slope) * guide + enlarge(mean_image - slope * mean_guide))
    return filtered
