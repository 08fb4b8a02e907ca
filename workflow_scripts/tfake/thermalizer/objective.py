"""The RGB2Thermal loss of Flotho et al., CVPR 2025: supervised + weighted patch Wasserstein + weighted region prior.

All three terms are mean squares in K^2, so the weights mean the same whatever the unit of the output.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from tfake.thermalizer.patch_wasserstein import PatchWasserstein
from tfake.thermalizer.sampling import PairBatch, SourceBatch
from tfake.thermalizer.settings import TrainingSettings
from tfake.thermalizer.supervised import SupervisedLoss
from tfake.thermalizer.temperature_prior import TemperaturePrior


@dataclass(frozen=True)
class LossTerms:
    """One step's loss and its parts, each a () tensor in K^2; the parts are not weighted."""

    total: Tensor
    supervised: Tensor
    wasserstein: Tensor
    prior: Tensor


class ThermalObjective(nn.Module):
    """The weighted sum of the three terms for one kind of pairs and one condition."""

    def __init__(self, settings: TrainingSettings, pair_values: str, targets: np.ndarray) -> None:
        """Build the terms.

        Args:
            settings: weights, patches and blur.
            pair_values: ``celsius`` or ``relative``.
            targets: (19,) degrees Celsius of the prior.
        """
        super().__init__()
        self.weight_wasserstein = settings.weight_wasserstein
        self.weight_prior = settings.weight_prior
        self.supervised = SupervisedLoss(pair_values)
        self.wasserstein = PatchWasserstein(
            values=pair_values,
            patch_pixels=settings.patch_pixels,
            scales=settings.patch_scales,
            patches=settings.patches,
            blur_kelvin=settings.sinkhorn_blur_kelvin,
        )
        self.prior = TemperaturePrior(targets)

    def forward(
        self,
        paired: Tensor,
        unpaired: Tensor,
        pair_batch: PairBatch,
        source_batch: SourceBatch,
        generator: torch.Generator,
    ) -> LossTerms:
        """Compare what the network gave with what the batches ask for.

        Args:
            paired: (B, 1, P, P) generated degrees Celsius of the paired images.
            unpaired: (C, 1, P, P) generated degrees Celsius of the source images.
            pair_batch: the paired images.
            source_batch: the source images.
            generator: CPU generator that draws the patches.

        Returns:
            The loss and its parts; a term of weight 0 is not computed and stands as 0.
        """
        nothing = paired.new_zeros(())
        supervised = self.supervised(paired, pair_batch.thermal, pair_batch.mask)
        wasserstein = prior = nothing
        if self.weight_wasserstein > 0:
            wasserstein = self.wasserstein(
                unpaired, source_batch.foreground, pair_batch.thermal, pair_batch.foreground, generator
            )
        if self.weight_prior > 0:
            prior = self.prior(unpaired, source_batch.classes)
        total = supervised + self.weight_wasserstein * wasserstein + self.weight_prior * prior
        return LossTerms(total, supervised, wasserstein, prior)
