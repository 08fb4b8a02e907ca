"""What is behind the mask: squares of a crop are blanked, and the network predicts their pixels.

    L = sum_p m_p (x_p - g(f(x (1 - m)))_p)^2 / sum_p m_p                 m 1 on 60 % of the squares of 8 x 8 pixels

Masked image modelling (SimMIM, Xie et al., CVPR 2022, section 3; MAE, He et al., CVPR 2022) on a convolutional network,
which sees blanks as a mean gray; each position of the neck's map predicts its own square. SparK (Tian et al., ICLR
2023) would leave the blanks out of the convolutions: for faces of 64 pixels that was not tried.
"""

import numpy as np
import torch
from torch import Tensor, nn

from tfake.landmarks.landmark_network import NECK_CHANNELS
from tfake.pretraining.pretext import Encoder, Pretext, PretextHead, Views
from tfake.pretraining.pretraining_views import PretrainingImage, ViewSettings, draw_crop, show_crop

_FRACTION = 0.6
_BLANK = 0.5


def draw_masked(image: PretrainingImage, rng: np.random.Generator, settings: ViewSettings) -> dict[str, np.ndarray]:
    """A crop, ``view`` (1, P, P), and its ``mask`` (1, P / 8, P / 8): 1 on a fixed number of squares, else 0."""
    edge = settings.pixels // 8
    hidden = rng.permutation(edge * edge) < round(_FRACTION * edge * edge)
    return {
        "view": show_crop(image, draw_crop(image, rng, settings), rng, settings),
        "mask": hidden.reshape(1, edge, edge).astype(np.float32),
    }


class MaskedPredictionHead(PretextHead):
    """One layer from each position of the neck to the pixels of its square."""

    def __init__(self, encoder: Encoder, subjects: int) -> None:
        """Build it for an encoder; subjects are nothing to it."""
        super().__init__()
        self.stride = encoder.stride
        self.pixels = nn.Conv2d(NECK_CHANNELS, self.stride**2, 1)

    def forward(self, encoder: Encoder, views: Views) -> tuple[Tensor, Tensor]:
        """Mean squared error behind the mask, and the fraction of the variance there that is explained."""
        shown = encoder.show(views["view"])
        target = shown[:, :1]
        mask = nn.functional.interpolate(views["mask"], target.shape[2:], mode="nearest")
        blanked = torch.where(mask > 0, torch.full_like(shown, _BLANK), shown)
        found = nn.functional.pixel_shuffle(self.pixels(encoder.map(blanked)), self.stride)
        loss = ((found - target).square() * mask).sum() / mask.sum()
        with torch.no_grad():
            mean = (target * mask).sum() / mask.sum()
            variance = ((target - mean).square() * mask).sum() / mask.sum()
        return loss, 1 - loss.detach() / variance.clamp(min=1e-12)


PRETEXT = Pretext(
    "what is behind the mask", "variance explained, fraction", draw_masked, MaskedPredictionHead, trains_neck=True
)
