"""A place looks like itself in another view, and unlike all other places: a contrastive loss for points.

    L = -mean_a log ( exp(u_a . w_a / t) / sum_b exp(u_a . w_b / t) )                       t = 0.1

u and w are the normalised features of places a that lie in both views, read off two maps at an eighth of the
resolution. Which place is which is known from the crops' geometry, as in VADeR (Pinheiro et al., NeurIPS 2020, eq. 2);
the negatives b are all other places of the picture and of the batch, as in DenseCL (Wang et al., CVPR 2021).
"""

import numpy as np
import torch
from torch import Tensor, nn

from tfake.landmarks.landmark_network import NECK_CHANNELS
from tfake.pretraining.pretext import Encoder, Pretext, PretextHead, Views
from tfake.pretraining.pretraining_views import PretrainingImage, ViewSettings, draw_crop, show_crop, to_crop

_TEMPERATURE = 0.1
_PLACES = 12
_WIDTH = 64


def contrast(first: Tensor, second: Tensor, counts: Tensor, temperature: float = _TEMPERATURE) -> tuple[Tensor, Tensor]:
    """InfoNCE (van den Oord et al., 2018, eq. 4) of normalised features of the same places in two views.

    Args:
        first: (A, d), of the one view.
        second: (A, d), of the other.
        counts: (A,) 1 where the place is in both views; others are neither asked for nor negatives.
        temperature: t.

    Returns:
        The loss, and how often a place is most like itself; () each.
    """
    logits = first @ second.T / temperature
    logits = logits.masked_fill(counts[None] == 0, torch.finfo(logits.dtype).min)
    own = torch.arange(len(logits), device=logits.device)
    weights = counts / counts.sum().clamp(min=1)
    loss = (nn.functional.cross_entropy(logits, own, reduction="none") * weights).sum()
    return loss, ((logits.argmax(1) == own) * weights).sum()


def draw_places(image: PretrainingImage, rng: np.random.Generator, settings: ViewSettings) -> dict[str, np.ndarray]:
    """Two crops ``first`` and ``second`` (1, P, P), and places in both.

    ``places`` (2, K, 2) are in crop widths of the one and of the other; ``inside`` (K,) is 1 for those that the second
    crop holds.
    """
    matrices = [draw_crop(image, rng, settings) for _ in range(2)]
    places = rng.uniform(0.05, 0.95, (_PLACES, 2))
    there = (places * settings.pixels - 0.5) @ matrices[0][:, :2].T + matrices[0][:, 2]
    other = to_crop(there, matrices[1], settings.pixels)
    inside = ((other > 0) & (other < 1)).all(1).astype(np.float32)
    views = {
        name: show_crop(image, matrix, rng, settings)
        for name, matrix in zip(("first", "second"), matrices, strict=True)
    }
    return views | {"places": np.stack((places, other)).astype(np.float32), "inside": inside}


def read_places(maps: Tensor, places: Tensor) -> Tensor:
    """Features (B, d, h, w) at places (B, K, 2) in crop widths, bilinear, of length 1: (B, K, d)."""
    grid = (2 * places - 1)[:, :, None]
    found = nn.functional.grid_sample(maps, grid, align_corners=False, padding_mode="border")[..., 0]
    return nn.functional.normalize(found.transpose(1, 2), dim=2)


class DenseContrastHead(PretextHead):
    """A projector of two layers at each place."""

    def __init__(self, encoder: Encoder, subjects: int) -> None:
        """Build it for an encoder; subjects are nothing to it."""
        super().__init__()
        self.projector = nn.Sequential(
            nn.Conv2d(NECK_CHANNELS, NECK_CHANNELS, 1), nn.ReLU(), nn.Conv2d(NECK_CHANNELS, _WIDTH, 1)
        )

    def forward(self, encoder: Encoder, views: Views) -> tuple[Tensor, Tensor]:
        """The loss, and how often a place is told among all of the batch."""
        shown = encoder.show(torch.cat((views["first"], views["second"])))
        maps = self.projector(encoder.map(shown)).chunk(2)
        first, second = (read_places(one, views["places"][:, side]).flatten(0, 1) for side, one in enumerate(maps))
        return contrast(first, second, views["inside"].flatten())


PRETEXT = Pretext(
    "which place is which in two views", "places told, fraction", draw_places, DenseContrastHead, trains_neck=True
)
