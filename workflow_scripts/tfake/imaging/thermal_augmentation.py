"""Thermal augmentation: how cameras may display the same temperatures; nothing moves.

The list is T-FAKE's (Flotho et al., CVPR 2025: blur, jitter, inversion, noise), and gain control, since most thermal
images that people have are 8-bit ones that were stretched scene by scene.
"""

import cv2
import numpy as np

from tfake.core.radiometry import WINDOW_CELSIUS

# How often each happens at strength 1.
_GAIN_CONTROL, _EQUALISATION, _INVERSION, _BLUR, _LOW_RESOLUTION, _NOISE, _EIGHT_BITS = (
    0.45,
    0.1,
    0.1,
    0.3,
    0.2,
    0.5,
    0.3,
)
# How far at strength 1.
_OFFSET_KELVIN, _GAMMA, _NETD_KELVIN, _BLUR_FRACTION, _LEAST_RESOLUTION = 2.0, 0.3, 0.4, 0.02, 0.3


def augment_thermal(celsius: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Display temperatures as one camera or another would.

    Args:
        celsius: (H, W) float32 °C.
        rng: the random generator.
        strength: 0 shows 20 to 40 °C as 0 to 1 and nothing else; 1 varies as much as T-FAKE's training did.

    Returns:
        (H, W) float32 in 0..1.
    """

    def happens(probability: float) -> bool:
        return rng.random() < strength * probability

    low, high = WINDOW_CELSIUS
    image = celsius + strength * rng.normal(0, _OFFSET_KELVIN) if strength else celsius
    edge = celsius.shape[0]
    if happens(_BLUR):
        image = cv2.GaussianBlur(image, (0, 0), max(0.3, rng.uniform(0, _BLUR_FRACTION) * edge))
    if happens(_LOW_RESOLUTION):
        small = max(8, round(edge * rng.uniform(_LEAST_RESOLUTION, 1)))
        image = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        image = cv2.resize(image, celsius.shape[::-1], interpolation=cv2.INTER_LINEAR)
    if happens(_NOISE):
        image = image + rng.normal(0, rng.uniform(0, _NETD_KELVIN), image.shape)
    if happens(_GAIN_CONTROL):
        least, most = np.percentile(image, (rng.uniform(0, 5), rng.uniform(95, 100)))
        shown = (image - least) / max(most - least, 0.5)
    else:
        shown = (image - low) / (high - low)
    shown = np.clip(shown, 0, 1).astype(np.float32)
    if happens(_EQUALISATION):
        shown = cv2.equalizeHist((255 * shown).astype(np.uint8)).astype(np.float32) / 255
    if strength:
        shown = shown ** np.float32((1 + strength * _GAMMA) ** rng.uniform(-1, 1))
    if happens(_INVERSION):
        shown = 1 - shown
    return np.round(shown * 255) / np.float32(255) if happens(_EIGHT_BITS) else shown
