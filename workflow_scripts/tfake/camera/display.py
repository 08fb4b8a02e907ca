"""Automatic gain control: from temperatures to the 8 bits of a display. The result is not a temperature.

Three mappings that cameras offer (FLIR, Camera Adjustments, application note 102-PS242-100-01, 2014): linear between
the extremes, linear between two percentiles ("tail rejection"), and plateau equalisation. Each maps an image's lowest
count to 0, so that no image, and no shard, is 255 throughout: 255 is the stores' fill value. A flat image is 0.
"""

import numpy as np

from tfake.camera.camera_model import Camera, Values

_WHITE = 255


def stretch(counts: np.ndarray, low: float, high: float) -> np.ndarray:
    """Map ``low`` to 0 and ``high`` to 255, linearly, and saturate beyond.

    Args:
        counts: (H, W) uint16 counts of 0.01 K.
        low: count that becomes 0.
        high: count that becomes 255.

    Returns:
        (H, W) uint8; 0 throughout when ``high`` is not above ``low``.
    """
    if high <= low:
        return np.zeros(counts.shape, np.uint8)
    fraction = (counts.astype(np.float64) - low) / (high - low)
    return np.rint(np.clip(fraction, 0.0, 1.0) * _WHITE).astype(np.uint8)


def equalise(counts: np.ndarray, plateau_fraction: float) -> np.ndarray:
    """Plateau equalisation: a count is the brighter the more pixels are below it, none weighing above a plateau.

    A plateau of one pixel is linear over the counts that occur, one of all pixels is histogram equalisation.

    Args:
        counts: (H, W) uint16 counts of 0.01 K.
        plateau_fraction: fraction of the pixels that a single count may stand for; at least one pixel.

    Returns:
        (H, W) uint8; 0 throughout for a flat image.
    """
    low = int(counts.min())
    histogram = np.bincount(counts.ravel().astype(np.intp) - low)
    clipped = np.minimum(histogram, max(1.0, plateau_fraction * counts.size))
    below = np.cumsum(clipped) - clipped
    top = below[-1]
    grey = np.rint(below / top * _WHITE) if top > 0 else np.zeros_like(below)
    return grey.astype(np.uint8)[counts - low]


def display(counts: np.ndarray, camera: Camera) -> np.ndarray:
    """What the camera's 8-bit output shows of an image.

    Args:
        counts: (H, W) uint16 counts of 0.01 K.
        camera: its ``values`` and ``agc_`` settings.

    Returns:
        (H, W) uint8.
    """
    if camera.values is Values.AGC_PLATEAU:
        return equalise(counts, camera.agc_plateau_percent / 100)
    clip = camera.agc_clip_percent if camera.values is Values.AGC_PERCENTILE else 0.0
    return stretch(counts, *np.percentile(counts, [clip, 100 - clip], method="lower"))
