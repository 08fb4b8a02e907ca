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
        step: windows stand on cells of so many pixels squared, or on single ones where a side is no multiple of it.
            Their statistics are those of all pixels; only a and b are coarser, which are smooth.

    Returns:
        The images, filtered.
    """
    if any(length % step for length in guide.shape):
        step = 1
    # The odd width, in cells, that is nearest to the windows'.
    side = 2 * max(round(((2 * radius + 1) / step - 1) / 2), 1) + 1

    def mean(image: np.ndarray) -> np.ndarray:
        return _window_means(_reduce(image, step), side)

    mean_guide = mean(guide)
    scale = 1.0 / (mean(guide * guide) - mean_guide * mean_guide + np.float32(epsilon))
    filtered = []
    for image in images:
        result = np.zeros_like(image)
        filtered.append(result)
        if not image.any():
            continue
        # Where all windows show zeros a and b are zero.
        cells = _cells_around(image, step, margin=side + 1)
        pixels = tuple(slice(line.start * step, line.stop * step) for line in cells)
        part, seen = image[pixels], guide[pixels]
        mean_image = mean(part)
        slope = (mean(seen * part) - mean_guide[cells] * mean_image) * scale[cells]
        offset = mean_image - slope * mean_guide[cells]
        result[pixels] = _enlarge(_window_means(slope, side), step) * seen
        result[pixels] += _enlarge(_window_means(offset, side), step)
    return filtered


def _cells_around(image: np.ndarray, step: int, margin: int) -> tuple[slice, ...]:
    """Rows and columns, in cells, of what is not zero somewhere, and a margin."""
    rows = np.flatnonzero(image.any(axis=1)) // step
    columns = np.flatnonzero(image.any(axis=0)) // step
    limits = (image.shape[0] // step, image.shape[1] // step)
    return tuple(
        slice(max(line[0] - margin, 0), min(line[-1] + margin + 1, limit))
        for line, limit in zip((rows, columns), limits, strict=True)
    )


def _window_means(image: np.ndarray, side: int) -> np.ndarray:
    return cv2.blur(image, (side, side), borderType=cv2.BORDER_REFLECT)


def _reduce(image: np.ndarray, step: int) -> np.ndarray:
    if step == 1:
        return image
    return cv2.resize(image, (image.shape[1] // step, image.shape[0] // step), interpolation=cv2.INTER_AREA)


def _enlarge(image: np.ndarray, step: int) -> np.ndarray:
    if step == 1:
        return image
    return cv2.resize(image, (image.shape[1] * step, image.shape[0] * step), interpolation=cv2.INTER_LINEAR)
