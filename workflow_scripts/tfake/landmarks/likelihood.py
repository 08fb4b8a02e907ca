"""The loss: how likely the true points are under what the network says of them."""

import torch
from torch import Tensor


def gaussian_nll(found: Tensor, points: Tensor, beta: float = 0.0) -> Tensor:
    """Negative logarithm of a Gaussian's density, a coordinate, without its constant (Flotho et al., CVPR 2025).

        l = (log v + e^2 / v) / 2, averaged over x and y, with v = sigma^2

    With a beta above 0, l is weighted by sigma^(2 beta), itself without a gradient (Seitzer et al., ICLR 2022, eq. 5):
    the plain likelihood all but drops a point from the gradient of the mean once its deviation is large.

    Args:
        found: (B, L, 3) x, y and sigma > 0, from the network.
        points: (B, L, 2) true places, in the same unit.
        beta: 0 to 1.

    Returns:
        (B, L).
    """
    sigma = found[..., 2]
    squared = (found[..., :2] - points).square().mean(-1)
    nll = sigma.log() + 0.5 * squared / sigma.square()
    return nll * sigma.detach().pow(2 * beta) if beta else nll


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Mean of (B, L) values by (B, L) weights; 0 where no weight is left."""
    return (values * weights).sum() / weights.sum().clamp(min=torch.finfo(values.dtype).tiny)
