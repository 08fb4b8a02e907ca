"""A longwave microbolometer camera: optics blur, temporal noise, fixed pattern noise.

Figures: NETD 50 mK (facts 3: 30-50 mK for such cameras); what a flat-field correction leaves of the fixed pattern is
about as large again, with columns and rows standing out (judgement).
"""

import cv2
import numpy as np

from tfake.radiometry import ZERO_CELSIUS_KELVIN
from tfake.sources.procedural.subject import Stream

#: Width of the face images whose pixel the blur is given in; other sizes blur the same part of the face.
REFERENCE_PIXELS = 512
ROW_KELVIN, COLUMN_KELVIN, PIXEL_KELVIN = 0.015, 0.02, 0.03


def blur(celsius: np.ndarray, sigma_pixels: float) -> np.ndarray:
    """Blur by the optics' Gaussian point spread; the mean is kept, since the border reflects.

    Temperatures are blurred instead of radiances: over the 15 K between skin and room they differ by less than .1 K.

    Args:
        celsius: (H, W) float32 °C.
        sigma_pixels: standard deviation; 0 leaves the image.

    Returns:
        (H, W) float32 °C.
    """
    if sigma_pixels <= 0.0:
        return celsius.copy()
    return cv2.GaussianBlur(celsius, (0, 0), sigma_pixels, borderType=cv2.BORDER_REFLECT)


def fixed_pattern(shape: tuple[int, int], seed: int) -> np.ndarray:
    """The camera's own pattern: an offset a row, a column and a pixel.

    Args:
        shape: (H, W).
        seed: one camera a seed; every face is recorded by the same one.

    Returns:
        (H, W) float32 K, mean 0.
    """
    rng = np.random.default_rng([seed, Stream.FIXED_PATTERN])
    height, width = shape
    pattern = rng.standard_normal((height, width), dtype=np.float32) * np.float32(PIXEL_KELVIN)
    pattern += rng.standard_normal((height, 1), dtype=np.float32) * np.float32(ROW_KELVIN)
    pattern += rng.standard_normal((1, width), dtype=np.float32) * np.float32(COLUMN_KELVIN)
    pattern -= np.float32(pattern.mean(dtype=np.float64))
    return pattern


def record(
    celsius: np.ndarray,
    ambient_celsius: float,
    seed: int,
    face: int,
    blur_pixels: float = 1.0,
    netd_kelvin: float = 0.05,
    pattern_scale: float = 1.0,
) -> np.ndarray:
    """Record a scene.

    Args:
        celsius: (H, W) float32 apparent temperature, °C.
        ambient_celsius: °C; one face recorded at two ambients gets two draws of temporal noise.
        seed: the source's seed; it is also the camera's.
        face: number of the face.
        blur_pixels: standard deviation of the optics' blur, in pixels of a 512 wide image.
        netd_kelvin: standard deviation of the temporal noise, K.
        pattern_scale: factor on the fixed pattern.

    Returns:
        (H, W) float32 °C.
    """
    recorded = blur(celsius, blur_pixels * celsius.shape[1] / REFERENCE_PIXELS)
    millikelvin = round((ambient_celsius + ZERO_CELSIUS_KELVIN) * 1000)
    rng = np.random.default_rng([seed, face, Stream.CAMERA, millikelvin])
    recorded += rng.standard_normal(celsius.shape, dtype=np.float32) * np.float32(netd_kelvin)
    recorded += fixed_pattern(celsius.shape, seed) * np.float32(pattern_scale)
    return recorded
