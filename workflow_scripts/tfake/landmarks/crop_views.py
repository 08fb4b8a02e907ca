"""How a crop is shown to a network: with its contrast stretched to the face.

A thermal image has no brightness of its own: cameras, rooms and gain controls shift and scale it. Stretching each crop
between two percentiles of where the face is takes all of that away. Light is another matter, so crops in colour are
left as they are.
"""

import torch
from torch import Tensor

from tfake.imaging.crops import MARGIN
from tfake.landmarks.point_finder import are_gray

#: What becomes black and white; a lamp beside the face is beyond the upper one.
STRETCH_PERCENT = (2.0, 99.5)
#: The part of a crop's edge that the face's box fills.
_BOX = 1 / MARGIN
# Flatter crops are not stretched any further: it would be noise.
_LEAST_CONTRAST = 0.02


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
    values = images[:, :, rows, columns].mean(1).flatten(1)
    low, high = (_at(values, percent / 100) for percent in STRETCH_PERCENT)
    spread = (high - low).clamp(min=_LEAST_CONTRAST)
    return ((images - low[:, None, None, None]) / spread[:, None, None, None]).clamp(0, 1)


def stretch_gray(images: Tensor) -> Tensor:
    """``stretch`` those of (B, 3, H, W) images that have no colours."""
    return torch.where(are_gray(images)[:, None, None, None], stretch(images), images)


def _at(values: Tensor, quantile: float) -> Tensor:
    """A quantile of values in any order: (B, N) to (B,).

    Only what is beyond it is put in order: to sort a whole crop takes longer than a small network.
    """
    last = values.shape[1] - 1
    place = quantile * last
    below = int(place)
    above = min(below + 1, last)
    if 2 * below < last:
        ends = values.topk(above + 1, dim=1, largest=False).values
        return ends[:, below].lerp(ends[:, above], place - below)
    ends = values.topk(last - below + 1, dim=1).values
    return ends[:, last - below].lerp(ends[:, last - above], place - below)
