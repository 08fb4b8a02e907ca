"""The supervised term: mean squared error in K^2 between a generated image and its thermal partner.

Radiometric pairs: the plain error over the foreground (Flotho et al., CVPR 2025, the paired term of the RGB2Thermal
loss). Relative pairs (8 bit, normalised image by image): value = alpha * temperature + beta with alpha > 0 and beta
unknown, so only what survives any such map may count. Standardising both images over the foreground leaves

    L = s^2 mean (z(prediction) - z(target))^2 = 2 s^2 (1 - r)

with r Pearson's correlation and s the spread in K that a standard deviation stands for. It is invariant to the
target's scale and offset exactly, and, unlike a least-squares fit of the target to the prediction, whose residual is
also zero for a constant prediction, it does not reward a flat image: the gradient has no part along the prediction's
own scale. Temperatures come from the prior and the radiometric pairs, the shape comes from here.

Radiometric pairs recorded at another ambient temperature: a nose at 23 degrees shows how a nose varies at 20, not how
warm it is. There the residual's mean over each class of each image is left out, and class means are the prior's to say.
"""

from typing import Literal, Self

import torch
from torch import Tensor, nn

from tfake.core.classes import LABELLED_CLASSES
from tfake.thermalizer.objective import StepOutput
from tfake.thermalizer.pair_sampling import PairBatch, TrainingData
from tfake.thermalizer.patches import RELATIVE_SPREAD_KELVIN
from tfake.thermalizer.thermalizer_settings import PairedSettings

PairValues = Literal["celsius", "relative"]
Supervision = Literal["absolute", "within_class"]

# A prediction flatter than this (in K) is no longer amplified to unit spread: the gradient stays bounded.
_FLAT_KELVIN = 0.1


def celsius_mse(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean over images of the mean squared error over the mask, in K^2.

    Args:
        prediction: (B, 1, H, W) degrees Celsius.
        target: (B, 1, H, W) degrees Celsius; may hold anything, also NaN, outside the mask.
        mask: (B, 1, H, W) bool, the pixels that count.

    Returns:
        () scalar; an image with an empty mask adds 0.
    """
    residual = torch.where(mask, prediction - target, 0.0)
    return (residual.square().sum((1, 2, 3)) / mask.sum((1, 2, 3)).clamp(min=1)).mean()


def relative_mse(
    prediction: Tensor, target: Tensor, mask: Tensor, spread_kelvin: float = RELATIVE_SPREAD_KELVIN
) -> Tensor:
    """Mean over images of 2 s^2 (1 - r), in K^2, over the mask.

    Args:
        prediction: (B, 1, H, W) degrees Celsius.
        target: (B, 1, H, W) values of unknown positive scale and unknown offset; may hold anything outside the mask.
        mask: (B, 1, H, W) bool, the pixels that count.
        spread_kelvin: s, the spread in K that one standard deviation stands for.

    Returns:
        () scalar in [0, 4 s^2]; an image whose mask is empty or whose target is flat over it adds 0.
    """
    count = mask.sum((1, 2, 3), keepdim=True).clamp(min=1)

    def centred(values: Tensor) -> Tensor:
        values = torch.where(mask, values, 0.0)
        return torch.where(mask, values - values.sum((1, 2, 3), keepdim=True) / count, 0.0)

    lowest = torch.where(mask, target, torch.inf).amin((1, 2, 3))
    highest = torch.where(mask, target, -torch.inf).amax((1, 2, 3))
    informative = highest > lowest
    shape, truth = centred(prediction), centred(target)
    # Scaled by its largest value first, so that squaring never leaves the range of the dtype.
    truth = truth / truth.abs().amax((1, 2, 3), keepdim=True).clamp(min=torch.finfo(truth.dtype).tiny)
    count = count.reshape(-1)
    variance = shape.square().sum((1, 2, 3)) / count + _FLAT_KELVIN**2
    truth_variance = torch.where(informative, truth.square().sum((1, 2, 3)) / count, 1.0)
    covariance = (shape * truth).sum((1, 2, 3)) / count
    correlation = covariance / (variance * truth_variance).sqrt()
    return torch.where(informative, 2 * spread_kelvin**2 * (1 - correlation), 0.0).mean()


def within_class_mse(prediction: Tensor, target: Tensor, mask: Tensor, classes: Tensor) -> Tensor:
    """``celsius_mse`` of what is left of the residual when its mean over each class of each image is taken off.

    Args:
        prediction: (B, 1, H, W) degrees Celsius.
        target: (B, 1, H, W) degrees Celsius; may hold anything outside the mask.
        mask: (B, 1, H, W) bool, the pixels that count.
        classes: (B, H, W) uint8 class ids; pixels of unknown class (IGNORE) are taken for one class.

    Returns:
        () scalar in K^2.
    """
    residual = torch.where(mask, prediction - target, 0.0)
    return celsius_mse(residual, class_means(residual, mask, classes), mask)


def class_means(values: Tensor, mask: Tensor, classes: Tensor) -> Tensor:
    """The mean of each class of each image, at its pixels.

    Args:
        values: (B, 1, H, W), finite.
        mask: (B, 1, H, W) bool, the pixels that count.
        classes: (B, H, W) uint8 class ids; pixels of unknown class (IGNORE) are taken for one class.

    Returns:
        (B, 1, H, W); 0 outside the mask.
    """
    batch = values.shape[0]
    slots = nn.functional.one_hot(classes.long().clamp(max=len(LABELLED_CLASSES)), len(LABELLED_CLASSES) + 1)
    members = slots.reshape(batch, -1, slots.shape[-1]).to(values) * mask.reshape(batch, -1, 1)
    means = torch.bmm(values.reshape(batch, 1, -1), members) / members.sum(1, keepdim=True).clamp(min=1)
    return torch.bmm(members, means.mT).reshape(values.shape)


class SupervisedLoss(nn.Module):
    """The paired term for one declaration of what the thermal values mean."""

    def __init__(self, values: PairValues, supervision: Supervision = "absolute") -> None:
        """Choose the form of the term.

        Args:
            values: ``celsius`` or ``relative``.
            supervision: ``absolute``, or ``within_class`` for radiometric pairs of another ambient temperature.

        Raises:
            ValueError: none of these, or relative values within classes.
        """
        super().__init__()
        if values not in ("celsius", "relative"):
            raise ValueError(f"pair values must be 'celsius' or 'relative'; found {values!r}")
        if supervision not in ("absolute", "within_class"):
            raise ValueError(f"supervision must be 'absolute' or 'within_class'; found {supervision!r}")
        if (values, supervision) == ("relative", "within_class"):
            raise ValueError("relative pairs have no temperatures to leave out: their supervision must be 'absolute'")
        self.values, self.supervision = values, supervision

    @classmethod
    def build(cls, settings: PairedSettings, data: TrainingData) -> Self:
        """The term of a run."""
        return cls(data.pair_values, data.supervision)

    def forward(self, step: StepOutput) -> Tensor:
        """Compare the paired images with their partners: () in K^2."""
        return self.compare(step.paired, step.pair_batch)

    def compare(self, prediction: Tensor, batch: PairBatch) -> Tensor:
        """See ``celsius_mse``, ``within_class_mse`` (which alone uses the classes) and ``relative_mse``."""
        if self.values == "relative":
            return relative_mse(prediction, batch.thermal, batch.mask)
        if self.supervision == "within_class":
            return within_class_mse(prediction, batch.thermal, batch.mask, batch.classes)
        return celsius_mse(prediction, batch.thermal, batch.mask)
