"""Two views of one picture have one embedding, and embeddings do not collapse: VICReg, without negatives.

    L = 25 s(Z, Z') + 25 (v(Z) + v(Z')) / 2 + (c(Z) + c(Z')) / 2             Z, Z' (n, d)
    s = mean_i |z_i - z'_i|^2 / d        v = mean_j max(0, 1 - sqrt(Var(z_j) + 1e-4))
    c = sum_{j != k} Cov(Z)_jk^2 / d

Bardes, Ponce, LeCun (ICLR 2022, eq. 1-6; the halves are those of the released code). Batches of a few dozen are enough
for it, where SimCLR wants hundreds of negatives. In a group of processes the statistics are each process's own.
"""

import numpy as np
import torch
from torch import Tensor, nn

from tfake.pretraining.pretext import Encoder, Pretext, PretextHead, Views
from tfake.pretraining.pretraining_views import PretrainingImage, ViewSettings, draw_crop, show_crop

_INVARIANCE, _VARIANCE, _COVARIANCE = 25.0, 25.0, 1.0
_EPSILON = 1e-4
_WIDTH = 256


def vicreg_terms(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Invariance, variance and covariance of embeddings (n, d) of two views, n at least 2; () each, unweighted."""
    count, width = first.shape
    invariance = nn.functional.mse_loss(first, second)
    variance, covariance = first.new_zeros(()), first.new_zeros(())
    for values in (first, second):
        centred = values - values.mean(0)
        variance = variance + nn.functional.relu(1 - (centred.var(0) + _EPSILON).sqrt()).mean() / 2
        products = centred.T @ centred / (count - 1)
        off_diagonal = products - torch.diag(products.diagonal())
        covariance = covariance + off_diagonal.square().sum() / width / 2
    return invariance, variance, covariance


def draw_two(image: PretrainingImage, rng: np.random.Generator, settings: ViewSettings) -> dict[str, np.ndarray]:
    """Two crops of a picture, ``first`` and ``second`` (1, P, P)."""
    return {name: show_crop(image, draw_crop(image, rng, settings), rng, settings) for name in ("first", "second")}


class VicregHead(PretextHead):
    """A projector of three layers on averaged features."""

    def __init__(self, encoder: Encoder, subjects: int) -> None:
        """Build it for an encoder; subjects are nothing to it."""
        super().__init__()
        hidden = [nn.Linear(encoder.channels, _WIDTH), nn.BatchNorm1d(_WIDTH), nn.ReLU()]
        hidden += [nn.Linear(_WIDTH, _WIDTH), nn.BatchNorm1d(_WIDTH), nn.ReLU()]
        self.projector = nn.Sequential(*hidden, nn.Linear(_WIDTH, _WIDTH, bias=False))

    def forward(self, encoder: Encoder, views: Views) -> tuple[Tensor, Tensor]:
        """The loss, and the embeddings' mean standard deviation: towards 0 they have collapsed."""
        shown = encoder.show(torch.cat((views["first"], views["second"])))
        first, second = self.projector(encoder.pool(shown)).chunk(2)
        invariance, variance, covariance = vicreg_terms(first, second)
        loss = _INVARIANCE * invariance + _VARIANCE * variance + _COVARIANCE * covariance
        return loss, first.detach().std(0).mean()


PRETEXT = Pretext("one embedding of two views (VICReg)", "standard deviation", draw_two, VicregHead)
