"""The region temperature prior: the mean temperature of each class of a generated image is near its target.

    R = 1/B sum_b sum_c a_bc (m_bc - t_c)^2

with m_bc the mean temperature of class c in image b, a_bc the share of the image's taking-part pixels that carry class
c and t_c the class's target (Flotho et al., CVPR 2025, the region term of the RGB2Thermal loss; their a_bc counts the
background, which here is set after the network and takes no part). IGNORE pixels take no part.
"""

import numpy as np
import torch
from torch import Tensor, nn

from tfake.classes import LABELLED_CLASSES, FaceClass

_CLASS_COUNT = len(LABELLED_CLASSES)


def region_means(celsius: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
    """Mean temperature and area of each class of each image.

    Args:
        celsius: (B, 1, H, W) floating, degrees Celsius.
        classes: (B, H, W) integer class ids; 255 takes no part.

    Returns:
        (B, 19) mean temperatures in degrees Celsius (0 where a class is absent), differentiable; (B, 19) pixel counts.
    """
    batch = celsius.shape[0]
    # One slot more than there are classes collects IGNORE and is dropped.
    slot = classes.reshape(batch, -1).long().clamp(max=_CLASS_COUNT)
    members = nn.functional.one_hot(slot, _CLASS_COUNT + 1)[..., :_CLASS_COUNT].to(celsius.dtype)
    counts = members.sum(1)
    sums = torch.bmm(celsius.reshape(batch, 1, -1), members).squeeze(1)
    return sums / counts.clamp(min=1), counts


def temperature_prior(celsius: Tensor, classes: Tensor, targets: Tensor) -> Tensor:
    """The prior R of this module's head, in K^2.

    Args:
        celsius: (B, 1, H, W) floating, generated degrees Celsius.
        classes: (B, H, W) integer class ids with lenses already filled; BACKGROUND and IGNORE take no part.
        targets: (19,) degrees Celsius.

    Returns:
        () scalar; an image without any taking-part pixel adds 0.

    Raises:
        ValueError: the class map does not have the image's size (resize it by nearest, never by mixing ids).
    """
    expected = (celsius.shape[0], *celsius.shape[2:])
    if classes.shape != expected or classes.is_floating_point():
        found = f"{tuple(classes.shape)} {classes.dtype}"
        raise ValueError(f"images of shape {tuple(celsius.shape)} need integer class maps of {expected}; found {found}")
    means, counts = region_means(celsius, classes)
    foreground = slice(FaceClass.BACKGROUND + 1, None)
    counts = counts[:, foreground]
    shares = counts / counts.sum(1, keepdim=True).clamp(min=1)
    errors = (means[:, foreground] - targets[foreground].to(means)) ** 2
    return (shares * errors).sum(1).mean()


class TemperaturePrior(nn.Module):
    """``temperature_prior`` with its targets, which follow the module's device."""

    def __init__(self, targets: np.ndarray) -> None:
        """Keep the targets.

        Args:
            targets: (19,) degrees Celsius, from :func:`tfake.thermalizer.prior_table.load_prior`.
        """
        super().__init__()
        self.register_buffer("targets", torch.as_tensor(targets, dtype=torch.float32))

    def forward(self, celsius: Tensor, classes: Tensor) -> Tensor:
        """See ``temperature_prior``."""
        return temperature_prior(celsius, classes, self.targets)
