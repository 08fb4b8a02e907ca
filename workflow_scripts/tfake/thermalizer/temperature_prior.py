"""The region temperature prior: the mean temperature of each class of a generated image is near its target.

    R = 1/B sum_b sum_c a_bc (m_bc - t_bc)^2 / d_c^2

with m_bc the mean temperature of class c in image b, a_bc the fraction of the image's counted pixels that carry class
c, t_bc the class's target at the image's ambient and d_c its spread between people in K: a nose may be further from
its target than a forehead. With d = 1 K throughout this is the region term of the RGB2Thermal loss (Flotho et al., CVPR
2025; their a_bc counts the background, which here is set after the network and takes no part), and so it stays on that
scale: R is in units of (1 K)^2. IGNORE pixels take no part.
"""

from typing import Self

import torch
from torch import Tensor, nn

from tfake.core.classes import LABELLED_CLASSES, FaceClass
from tfake.thermalizer.objective import StepOutput
from tfake.thermalizer.pair_sampling import TrainingData
from tfake.thermalizer.thermalizer_settings import TrainingSettings

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


def temperature_prior(celsius: Tensor, classes: Tensor, targets: Tensor, std_kelvin: Tensor | None = None) -> Tensor:
    """The prior R of this module's head, in (1 K)^2.

    Args:
        celsius: (B, 1, H, W) floating, generated degrees Celsius.
        classes: (B, H, W) integer class ids with lenses already filled; BACKGROUND and IGNORE take no part.
        targets: (19,) degrees Celsius, or (B, 19) where each image has an ambient of its own.
        std_kelvin: (19,) spread of each class between people; None: 1 K throughout.

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
    fractions = counts / counts.sum(1, keepdim=True).clamp(min=1)
    errors = means[:, foreground] - targets[..., foreground].to(means)
    if std_kelvin is not None:
        errors = errors / std_kelvin[foreground].to(means)
    return (fractions * errors.square()).sum(1).mean()


class TemperaturePrior(nn.Module):
    """``temperature_prior`` with its spreads, which follow the module's device."""

    def __init__(self, std_kelvin: Tensor) -> None:
        """Keep the spreads: (19,), from :class:`tfake.thermalizer.prior_table.Prior`."""
        super().__init__()
        self.register_buffer("std_kelvin", std_kelvin)

    @classmethod
    def build(cls, settings: TrainingSettings, data: TrainingData) -> Self:
        """The term of a run."""
        return cls(torch.from_numpy(data.prior_at(data.middle_celsius).std_kelvin))

    def forward(self, step: StepOutput) -> Tensor:
        """Compare the class means of the source images with the targets at their ambients: () in (1 K)^2."""
        return temperature_prior(step.unpaired, step.source_batch.classes, step.draws.targets, self.std_kelvin)
