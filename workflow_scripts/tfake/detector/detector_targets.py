"""From a scene's faces to the maps that the network learns, and its loss.

A cell is a face with the probability that the network gives it; around its centre the target falls off as a Gaussian of
the box's size. It is learnt by the quality focal loss (Li et al., NeurIPS 2020), to which every cell of the Gaussian
says something, and not by CenterNet's, to which the very centre alone says that there is a face: that takes many times
as many steps. Boxes and points are learnt in the inner part of that Gaussian (TTFNet).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from torch import Tensor, nn

from tfake.detector.face_maps import CHANNELS, SIZE_PIXELS, STRIDE
from tfake.detector.scene_people import PastedFace

# Standard deviation of a target's Gaussian over the box's edge, and at least, in cells.
_SIGMA, _LEAST_SIGMA = 0.09, 0.6
# Cells whose target is above this learn the box.
_INNER = 0.5
# Cells whose target is above this are the face's.
_OUTER = 0.05
_FOCUS = 2.0
# The cells of a face weigh as much as these do together, however near it is.
_FACE_CELLS = 4.0


class TargetMaps(NamedTuple):
    """What a scene's maps should be.

    Attributes:
        heat: (h, w) float32, 1 in the cell of a face's centre.
        counts: (h, w) float32, how much each cell's heat counts: 0 where nobody knows it.
        values: (``CHANNELS`` - 1, h, w) float32 boxes and points, as the network gives them.
        weights: (h, w) float32, how much each cell's values count; they sum to 1 over a face.
    """

    heat: np.ndarray
    counts: np.ndarray
    values: np.ndarray
    weights: np.ndarray


def encode_faces(faces: Sequence[PastedFace], unsure: Sequence[PastedFace], shape: tuple[int, int]) -> TargetMaps:
    """The maps of a scene of (H, W) pixels; of two faces, a cell belongs to the one whose heat is larger there."""
    height, width = shape[0] // STRIDE, shape[1] // STRIDE
    heat, counts = np.zeros((height, width), np.float32), np.ones((height, width), np.float32)
    values = np.zeros((CHANNELS - 1, height, width), np.float32)
    weights = np.zeros((height, width), np.float32)
    y, x = (np.arange(edge, dtype=np.float32) for edge in (height, width))
    # The middle of each cell in pixels.
    grid_y, grid_x = (np.float32(STRIDE) * places + np.float32((STRIDE - 1) / 2) for places in (y, x))
    for face in unsure:
        left, top, right, bottom = face.box
        counts[((grid_y >= top) & (grid_y <= bottom))[:, None] & ((grid_x >= left) & (grid_x <= right))] = 0
    owner = np.full((height, width), -1)
    for number, face in enumerate(faces):
        edges, middle = face.box[2:] - face.box[:2], (face.box[:2] + face.box[2:]) / 2
        cell = np.clip(np.floor((middle + 0.5) / STRIDE), 0, (width - 1, height - 1))
        sigma = np.maximum(_SIGMA * edges / STRIDE, _LEAST_SIGMA)
        own = np.exp(-0.5 * (((y - cell[1]) / sigma[1]) ** 2)[:, None] - 0.5 * ((x - cell[0]) / sigma[0]) ** 2)
        nearer = own > heat
        heat[nearer] = own[nearer]
        inner = nearer & (own > _INNER)
        owner[inner] = number
        counts[nearer & (own > _OUTER)] = min(1.0, _FACE_CELLS / (2 * np.pi * float(sigma.prod())))
        size = np.float32(face.size)
        values[:2, inner] = np.log(np.maximum(edges, 1.0) / SIZE_PIXELS)[:, None]
        rows, columns = np.nonzero(inner)
        cells = np.stack((grid_x[columns], grid_y[rows]))
        for place, point in enumerate((middle, *face.five)):
            values[2 + 2 * place : 4 + 2 * place, rows, columns] = (point[:, None] - cells) / size
    for number in range(len(faces)):
        own = heat * (owner == number)
        weights += own / max(float(own.sum()), 1e-6)
    return TargetMaps(heat, counts, values, weights)


def detection_loss(
    answer: Tensor, heat: Tensor, counts: Tensor, values: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """The focal loss of centres, and the mean errors of boxes and of points, each over the number of faces.

        f = -|y - p|^2 (y log p + (1 - y) log(1 - p)), with the target y

    Args:
        answer: (B, ``CHANNELS``, h, w) float32, from the network.
        heat: (B, h, w), from ``encode_faces``; the others likewise.
        counts: (B, h, w).
        values: (B, ``CHANNELS`` - 1, h, w).
        weights: (B, h, w).

    Returns:
        Three () tensors; boxes' and points' are sums of absolute errors over their coordinates.
    """
    logits = answer[:, 0]
    entropy = nn.functional.binary_cross_entropy_with_logits(logits, heat, reduction="none")
    focal = ((heat - logits.sigmoid()).abs().pow(_FOCUS) * entropy * counts).sum() / (heat == 1).sum().clamp(min=1)
    errors = (answer[:, 1:] - values).abs() * weights[:, None]
    total = weights.sum().clamp(min=1)
    return focal, errors[:, :4].sum() / total, errors[:, 4:].sum() / total
