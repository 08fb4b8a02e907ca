"""From a scene's faces to the maps that the network learns, and its loss.

A cell is a face with the probability that the network gives it; around its centre the target falls off as a Gaussian of
the box's size, and being wrong there costs less (the penalty-reduced focal loss of CornerNet and CenterNet). Boxes and
points are learnt in the inner part of that Gaussian (TTFNet).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from tfake.detector.face_maps import CHANNELS, SIZE_PIXELS, STRIDE
from tfake.detector.scene_people import PastedFace

# Standard deviation of a target's Gaussian over the box's edge, and at least, in cells.
_SIGMA, _LEAST_SIGMA = 0.09, 0.6
# Cells whose target is above this learn the box.
_INNER = 0.5
_FOCUS, _REDUCTION = 2.0, 4.0


class TargetMaps(NamedTuple):
    """What a scene's maps should be.

    Attributes:
        heat: (h, w) float32, 1 in the cell of a face's centre.
        counts: (h, w) bool, where the heat is known.
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
    heat, counts = np.zeros((height, width), np.float32), np.ones((height, width), bool)
    values = np.zeros((CHANNELS - 1, height, width), np.float32)
    weights = np.zeros((height, width), np.float32)
    y, x = (np.arange(edge, dtype=np.float32) for edge in (height, width))
    # The middle of each cell in pixels.
    grid_y, grid_x = (np.float32(STRIDE) * places + np.float32((STRIDE - 1) / 2) for places in (y, x))
    for face in unsure:
        left, top, right, bottom = face.box
        counts &= ~(((grid_y >= top) & (grid_y <= bottom))[:, None] & ((grid_x >= left) & (grid_x <= right)))
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
        counts[inner] = True
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

        f = -(1 - p)^2 log p at a face's cell,  -(1 - y)^4 p^2 log(1 - p) elsewhere, with the target y

    Args:
        answer: (B, ``CHANNELS``, h, w) float32, from the network.
        heat: (B, h, w), from ``encode_faces``; the others likewise.
        counts: (B, h, w) bool.
        values: (B, ``CHANNELS`` - 1, h, w).
        weights: (B, h, w).

    Returns:
        Three () tensors; boxes' and points' are sums of absolute errors over their coordinates.
    """
    logits = answer[:, 0]
    probability = logits.sigmoid()
    is_centre = heat == 1
    found = -(1 - probability).pow(_FOCUS) * nn.functional.logsigmoid(logits)
    other = -(1 - heat).pow(_REDUCTION) * probability.pow(_FOCUS) * nn.functional.logsigmoid(-logits)
    faces = is_centre.sum().clamp(min=1)
    focal = (torch.where(is_centre, found, other) * counts).sum() / faces
    errors = (answer[:, 1:] - values).abs() * weights[:, None]
    total = weights.sum().clamp(min=1)
    return focal, errors[:, :4].sum() / total, errors[:, 4:].sum() / total
