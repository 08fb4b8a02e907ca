"""The finest pattern of skin: small vessels, hairs, pores and sweat, below what waves and control points carry.

A texture on a cylinder around the head, periodic, with the power of real faces between eight and sixty cycles over a
face: there their radially averaged spectrum falls with the frequency to the power -4.2 (`snakemake realism`).
"""

import cv2
import numpy as np

#: SD of the grain in the cold (K), and its share of what a picture's fine luminance says: folds and wrinkles shade,
#: see themselves, and are warmer.
GRAIN_KELVIN, CREASE_KELVIN = 0.22, 0.12
LONGEST_CM, POWER = 1.8, -4.2
#: The texture's edge in cm and in pixels, and the radius of the cylinder.
_EDGE_CM, _PIXELS = 32.0, 256
_RADIUS_CM = 8.0


def draw_grain(rng: np.random.Generator) -> np.ndarray:
    """Draw one person's texture: (256, 256) float32 of mean 0 and variance 1, periodic."""
    down, across = np.fft.fftfreq(_PIXELS)[:, None], np.fft.rfftfreq(_PIXELS)[None]
    frequency = np.hypot(down, across) * _PIXELS / _EDGE_CM
    amplitude = np.maximum(frequency, 1.0 / LONGEST_CM) ** (POWER / 2.0)
    # A soft start, so that no frequency stands out.
    amplitude *= np.clip(2.0 * frequency * LONGEST_CM - 1.0, 0.0, 1.0)
    noise = np.fft.rfft2(rng.standard_normal((_PIXELS, _PIXELS), dtype=np.float32))
    texture = np.fft.irfft2(noise * amplitude, (_PIXELS, _PIXELS)).astype(np.float32)
    return texture / texture.std()


def lay_grain(texture: np.ndarray, places: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Lay a texture on a face.

    Args:
        texture: of ``draw_grain``.
        places: (h, w, 3) float32 cm on the mean head; NaN where there is none.
        shape: (H, W) of the image.

    Returns:
        (H, W) float32.
    """
    around = np.float32(_RADIUS_CM) * np.arctan2(places[..., 0], np.maximum(places[..., 2], np.float32(1e-3)))
    at = np.nan_to_num(np.stack((around, -places[..., 1]), axis=2) * np.float32(_PIXELS / _EDGE_CM))
    if at.shape[:2] != shape:
        at = cv2.resize(at, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.remap(texture, at, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
