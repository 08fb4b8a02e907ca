"""How a crop is shown to a network: with its contrast stretched to the face, and once more mirrored.

A thermal image has no brightness of its own: cameras, rooms and gain controls shift and scale it. Stretching each crop
between two percentiles of where the face is takes all of that away. Light is another matter, so crops in colour are
left as they are.
"""

import numpy as np
import torch
from torch import Tensor

from tfake.imaging.crops import MARGIN
from tfake.labels.conventions import convention, set_of_points

#: What becomes black and white; a lamp beside the face is beyond the upper one.
STRETCH_PERCENT = (2.0, 99.5)
#: The part of a crop's edge that the face's box fills.
_BOX = 1 / MARGIN
# Flatter crops are not stretched any further: it would be noise.
_LEAST_CONTRAST = 0.02
# A gray picture's channels may differ by what an interpolation rounds.
_GRAY = 1e-4


def are_gray(images: Tensor) -> Tensor:
    """Which of (B, 3, H, W) images have no colours: (B,) bool."""
    return (images - images[:, :1]).abs().flatten(1).amax(1) < _GRAY


def stretch(images: Tensor, part: float = _BOX) -> Tensor:
    """Stretch the contrast of each image between percentiles of its middle.

    Args:
        images: (B, 3, H, W) float32.
        part: the middle's edges over the image's.

    Returns:
        (B, 3, H, W) float32 in 0..1, cut off at both percentiles, which are those of all three channels' mean.
    """
    rows, columns = (
        slice(round(edge * (1 - part) / 2), edge - round(edge * (1 - part) / 2)) for edge in images.shape[2:]
    )
    values = images[:, :, rows, columns].mean(1).flatten(1).sort(1).values
    low, high = (_at(values, percent / 100) for percent in STRETCH_PERCENT)
    spread = (high - low).clamp(min=_LEAST_CONTRAST)
    return ((images - low[:, None, None, None]) / spread[:, None, None, None]).clamp(0, 1)


def stretch_gray(images: Tensor) -> Tensor:
    """``stretch`` those of (B, 3, H, W) images that have no colours."""
    return torch.where(are_gray(images)[:, None, None, None], stretch(images), images)


def average_mirrored(found: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """Join a network's answers on crops with those on their mirror images.

    Half of the probability is either answer's Gaussian: points are the mean of both, and the variance of a coordinate
    is the mean of both variances and the variance between the two means, averaged over x and y.

    Args:
        found: (B, L, 3) x, y and standard deviation a coordinate, in crop widths; 70, 478 or 548 points.
        mirrored: the same of the mirrored crops, as the network gave it.

    Returns:
        (B, L, 3) float32.
    """
    partners = convention(set_of_points(found.shape[1])).partners
    other = mirrored[:, partners] * np.array((-1, 1, 1), np.float32) + np.array((1, 0, 0), np.float32)
    apart = np.square(found[..., :2] - other[..., :2]).sum(-1) / 8
    variance = (np.square(found[..., 2]) + np.square(other[..., 2])) / 2 + apart
    points = (found[..., :2] + other[..., :2]) / 2
    return np.concatenate((points, np.sqrt(variance)[..., None]), axis=2).astype(np.float32)


def _at(values: Tensor, quantile: float) -> Tensor:
    """A quantile of sorted values: (B, N) to (B,)."""
    place = quantile * (values.shape[1] - 1)
    below = int(place)
    above = min(below + 1, values.shape[1] - 1)
    return values[:, below].lerp(values[:, above], place - below)
