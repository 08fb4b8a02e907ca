"""The camera of the temperature truth: one longwave microbolometer for every face.

Figures: NETD 50 mK (facts 3: 30-50 mK for such cameras); what a flat-field correction leaves of the fixed pattern is
about as large again, with columns and rows standing out (judgement).
"""

import numpy as np

from tfake.core.radiometry import ZERO_CELSIUS_KELVIN
from tfake.core.sensor import blur, fixed_pattern
from tfake.heat.subject import Stream

#: Width of the face images whose pixel the blur is given in; other sizes blur the same part of the face.
REFERENCE_PIXELS = 512
ROW_KELVIN, COLUMN_KELVIN, PIXEL_KELVIN = 0.015, 0.02, 0.03


def record(
    celsius: np.ndarray,
    ambient_celsius: float,
    seed: int,
    face: int,
    blur_pixels: float = 1.0,
    netd_kelvin: float = 0.05,
    pattern_scale: float = 1.0,
    frame: int | None = None,
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
        frame: number of the frame in a sequence: each has temporal noise of its own, and all the one fixed pattern.
            None: a still.

    Returns:
        (H, W) float32 °C.
    """
    recorded = blur(celsius, blur_pixels * celsius.shape[1] / REFERENCE_PIXELS)
    millikelvin = round((ambient_celsius + ZERO_CELSIUS_KELVIN) * 1000)
    moment = [] if frame is None else [frame]
    rng = np.random.default_rng([seed, face, Stream.CAMERA, millikelvin, *moment])
    recorded += rng.standard_normal(celsius.shape, dtype=np.float32) * np.float32(netd_kelvin)
    pattern_rng = np.random.default_rng([seed, Stream.FIXED_PATTERN])
    pattern = fixed_pattern(pattern_rng, celsius.shape, PIXEL_KELVIN, ROW_KELVIN, COLUMN_KELVIN)
    recorded += pattern * np.float32(pattern_scale)
    return recorded
