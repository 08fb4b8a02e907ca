"""What every thermal camera does to a scene: the optics' Gaussian point spread and the detector's fixed pattern."""

import numpy as np


def blur(celsius: np.ndarray, sigma_pixels: float) -> np.ndarray:
    """Blur by the optics' Gaussian point spread; the mean is kept, since the border reflects.

    Args:
        celsius: (H, W) float32 °C.
        sigma_pixels: standard deviation; 0 leaves the image.

    Returns:
        (H, W) float32 °C.
    """
    if sigma_pixels <= 0.0:
        return celsius.copy()
    import cv2  # here: all else of this package does without

    return cv2.GaussianBlur(celsius, (0, 0), sigma_pixels, borderType=cv2.BORDER_REFLECT)


def fixed_pattern(
    rng: np.random.Generator, shape: tuple[int, int], pixel_kelvin: float, row_kelvin: float, column_kelvin: float
) -> np.ndarray:
    """The camera's own pattern: an offset for each pixel, row and column.

    Args:
        rng: of the camera; every shot has the same pattern.
        shape: (H, W).
        pixel_kelvin: standard deviation from pixel to pixel, K.
        row_kelvin: from row to row, K.
        column_kelvin: from column to column, K.

    Returns:
        (H, W) float32 K, mean 0.
    """
    height, width = shape
    pattern = rng.standard_normal((height, width), dtype=np.float32) * np.float32(pixel_kelvin)
    pattern += rng.standard_normal((height, 1), dtype=np.float32) * np.float32(row_kelvin)
    pattern += rng.standard_normal((1, width), dtype=np.float32) * np.float32(column_kelvin)
    pattern -= np.float32(pattern.mean(dtype=np.float64))
    return pattern
