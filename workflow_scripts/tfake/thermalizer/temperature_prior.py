"""The region temperature prior: the mean temperature of each class of a generated image is near its target.

    R = 1/B sum_b sum_c a_bc (m_bc - t_bc)^2 / d_c^2

with m_bc the mean temperature of class c in image b, a_bc the fraction of the image's counted pixels that carry class
c, t_bc the class's target at the image's ambient and d_c its spread between people in K: a nose may be further from
its target than a forehead. With d = 1 K throughout this is the region term of the RGB2Thermal loss (Flotho et al., CVPR
2025; their a_bc counts the background, which here is set after the network and takes no part), and so it stays on that
scale: R is in units of (1 K)^2. IGNORE pixels take no part.

Where the network renders a heat field F, a mean of a class says less than the field: there skin is held to it pixel by
pixel, and the other classes (hair, cloth, glass) to their means as before. With N the image's counted pixels,

    R = 1/B sum_b [ sum_{c not skin} a_bc (m_bc - t_bc)^2 / d_c^2 + 1/N_b sum_{p skin} (G * (T - F))_p^2 / s_p^2 ]

with s_p the spread between people there and G a Gaussian of some millimetres, normalised over skin: drift away from the
field costs, and detail finer than that, which the image knows and the field does not, is free.
"""

import math
from typing import Self

import torch
from torch import Tensor, nn

from tfake.core.classes import LABELLED_CLASSES, FaceClass
from tfake.thermalizer.objective import StepOutput
from tfake.thermalizer.pair_sampling import SourceBatch, TrainingData
from tfake.thermalizer.thermalizer_settings import PairedSettings

_CLASS_COUNT = len(LABELLED_CLASSES)

#: What covers skin; every other class but BACKGROUND is skin, or as good as that.
_COVERS = (
    FaceClass.HAIR,
    FaceClass.BEARD,
    FaceClass.CLOTHING,
    FaceClass.GLASSES,
    FaceClass.HEADWEAR,
    FaceClass.FACEWEAR,
)
#: Standard deviation of G, and how many pixels of a crop it may be at most.
DETAIL_CM = 0.3
_LARGEST_SIGMA = 8.0


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


def temperature_prior(
    celsius: Tensor,
    classes: Tensor,
    targets: Tensor,
    std_kelvin: Tensor | None = None,
    by_pixel: Tensor | None = None,
) -> Tensor:
    """The class means' part of the prior R of this module's head, in (1 K)^2.

    Args:
        celsius: (B, 1, H, W) floating, generated degrees Celsius.
        classes: (B, H, W) integer class ids with lenses already filled; BACKGROUND and IGNORE take no part.
        targets: (19,) degrees Celsius, or (B, 19) where each image has an ambient of its own.
        std_kelvin: (19,) spread of each class between people; None: 1 K throughout.
        by_pixel: (B, H, W) bool, pixels that are held to a field instead: they count to the image's, and to no class;
            None: there are none.

    Returns:
        () scalar; an image without any taking-part pixel adds 0.

    Raises:
        ValueError: the class map does not have the image's size (resize it by nearest, never by mixing ids).
    """
    expected = (celsius.shape[0], *celsius.shape[2:])
    if classes.shape != expected or classes.is_floating_point():
        found = f"{tuple(classes.shape)} {classes.dtype}"
        raise ValueError(f"images of shape {tuple(celsius.shape)} need integer class maps of {expected}; found {found}")
    kept = classes if by_pixel is None else classes.masked_fill(by_pixel, int(FaceClass.IGNORE))
    means, counts = region_means(celsius, kept)
    foreground = slice(FaceClass.BACKGROUND + 1, None)
    counts = counts[:, foreground]
    fractions = counts / _counted(classes).sum((1, 2))[:, None].clamp(min=1)
    errors = means[:, foreground] - targets[..., foreground].to(means)
    if std_kelvin is not None:
        errors = errors / std_kelvin[foreground].to(means)
    return (fractions * errors.square()).sum(1).mean()


def _counted(classes: Tensor) -> Tensor:
    """(B, H, W) bool: the pixels that take part."""
    return (classes != FaceClass.BACKGROUND) & (classes != FaceClass.IGNORE)


def is_skin(classes: Tensor) -> Tensor:
    """(B, H, W) bool: what is held to a heat field where there is one."""
    covers = torch.stack([classes == cover for cover in _COVERS]).any(0)
    return _counted(classes) & ~covers


def field_prior(
    celsius: Tensor, classes: Tensor, field: Tensor, spread_kelvin: Tensor, pixels_per_cm: Tensor, by_pixel: Tensor
) -> Tensor:
    """The field's part of the prior R of this module's head, in (1 K)^2.

    Args:
        celsius: (B, 1, H, W) floating, generated degrees Celsius.
        classes: (B, H, W) integer class ids, which say how many pixels count.
        field: (B, 1, H, W) degrees Celsius; may hold anything, also NaN, outside ``by_pixel``.
        spread_kelvin: (B, 1, H, W) its standard deviation between people.
        pixels_per_cm: (B,) scale of each image at the face.
        by_pixel: (B, H, W) bool, the pixels that are held to it.

    Returns:
        () scalar; an image without such a pixel adds 0.
    """
    held = by_pixel[:, None]
    drift = torch.where(held, celsius - field, 0.0)
    sigma = (DETAIL_CM * pixels_per_cm.to(drift)).clamp(max=_LARGEST_SIGMA)
    blurred, weight = _blur_each(torch.cat((drift, held.to(drift)), 1), sigma).split(1, 1)
    coarse = torch.where(held, blurred / weight.clamp(min=1e-6) / spread_kelvin, 0.0)
    return (coarse.square().sum((1, 2, 3)) / _counted(classes).sum((1, 2)).clamp(min=1)).mean()


def _blur_each(images: Tensor, sigma: Tensor) -> Tensor:
    """Blur (B, C, H, W) images by a Gaussian of (B,) pixels each, with zeros beyond the border."""
    batch, channels = images.shape[:2]
    reach = math.ceil(2.5 * _LARGEST_SIGMA)
    steps = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    kernels = torch.exp(-0.5 * (steps / sigma.clamp(min=0.1)[:, None]).square())
    kernels = (kernels / kernels.sum(1, keepdim=True)).repeat_interleave(channels, 0)[:, None]
    flat = images.reshape(1, batch * channels, *images.shape[2:])
    down = nn.functional.conv2d(flat, kernels[..., None], padding=(reach, 0), groups=batch * channels)
    across = nn.functional.conv2d(down, kernels[..., None, :], padding=(0, reach), groups=batch * channels)
    return across.reshape(images.shape)


class TemperaturePrior(nn.Module):
    """The whole prior R with its spreads, which follow the module's device."""

    def __init__(self, std_kelvin: Tensor, per_pixel: bool = True) -> None:
        """Keep the spreads: (19,), from :class:`tfake.thermalizer.prior_table.Prior`.

        ``per_pixel`` holds skin to the heat field where the network sees one; otherwise class means alone count.
        """
        super().__init__()
        self.register_buffer("std_kelvin", std_kelvin)
        self.per_pixel = per_pixel

    @classmethod
    def build(cls, settings: PairedSettings, data: TrainingData) -> Self:
        """The term of a run."""
        per_pixel = data.prior_per_pixel and settings.heat_field and data.meshes is not None
        return cls(torch.from_numpy(data.prior_at(data.middle_celsius).std_kelvin), per_pixel)

    def forward(self, step: StepOutput) -> Tensor:
        """Compare the source images with what is expected at their ambients: () in (1 K)^2."""
        return self.compare(step.unpaired, step.source_batch, step.draws.targets)

    def compare(self, celsius: Tensor, batch: SourceBatch, targets: Tensor) -> Tensor:
        """As ``forward``: (C, 1, P, P) degrees Celsius of source images, and (C, 19) of what is expected of them."""
        if not self.per_pixel:
            return temperature_prior(celsius, batch.classes, targets, self.std_kelvin)
        by_pixel = is_skin(batch.classes) & ~batch.field[:, 0].isnan()
        of_classes = temperature_prior(celsius, batch.classes, targets, self.std_kelvin, by_pixel)
        of_field = (batch.field, batch.spread_kelvin, batch.pixels_per_cm, by_pixel)
        return of_classes + field_prior(celsius, batch.classes, *of_field)
