"""The optics' Gaussian point spread, on an image that already has the detector's pixels."""

import cv2
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
    return cv2.GaussianBlur(celsius, (0, 0), sigma_pixels, borderType=cv2.BORDER_REFLECT)
