"""The RGB2Thermal loss of Flotho et al., CVPR 2025: supervised + weighted patch Wasserstein + weighted region prior.

All three terms are mean squares in K^2, so the weights mean the same whatever the unit of the output.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from tfake.thermalizer.pair_sampling import PairBatch, SourceBatch, StepDraws
from tfake.thermalizer.patch_bank import PatchBank
from tfake.thermalizer.patch_wasserstein import PatchWasserstein
from tfake.thermalizer.supervised import SupervisedLoss
from tfake.thermalizer.temperature_prior import TemperaturePrior
from tfake.thermalizer.thermalizer_settings import TrainingSettings


@dataclass(frozen=True)
class LossTerms:
    """One step's loss and its parts, each a () tensor in K^2; the parts are not weighted."""

    total: Tensor
    supervised: Tensor
    wasserstein: Tensor
    prior: Tensor


class ThermalObjective(nn.Module):
    """The weighted sum of the three terms for one kind of pairs, one bank of real patches and one prior."""

    def __init__(
        self,
        settings: TrainingSettings,
        pair_values: str,
        supervision: str,
        bank: PatchBank,
        deviation_kelvin: np.ndarray,
    ) -> None:
        """Build the terms.

        Args:
            settings: weights, patches and blur.
            pair_values: ``celsius`` or ``relative``.
            supervision: ``absolute`` or ``within_class``.
            bank: real thermal patches.
            deviation_kelvin: (19,) spread of each class between people.

        Raises:
            ValueError: the bank was sampled with other patches or scales than the settings ask for.
        """
        super().__init__()
        asked = (settings.patch_pixels, tuple(settings.patch_scales))
        if asked != (bank.patch_pixels, tuple(bank.scales)):
            raise ValueError(
                f"the patch bank holds patches of {bank.patch_pixels} pixels at the scales {tuple(bank.scales)}; the "
                f"settings ask for {asked[0]} pixels at {asked[1]}"
            )
        self.weight_wasserstein = settings.weight_wasserstein
        self.weight_prior = settings.weight_prior
        # A bank of 16,384 patches at five scales is 21 MB: it lies where it is compared.
        self._scales = [f"real_{scale}" for scale in bank.scales]
        for name, cloud in zip(self._scales, bank.patches, strict=True):
            self.register_buffer(name, torch.from_numpy(cloud), persistent=False)
        self.supervised = SupervisedLoss(pair_values, supervision)
        self.wasserstein = PatchWasserstein(
            values=bank.values,
            patch_pixels=settings.patch_pixels,
            scales=settings.patch_scales,
            blur_kelvin=settings.sinkhorn_blur_kelvin,
        )
        self.prior = TemperaturePrior(torch.from_numpy(deviation_kelvin))

    def forward(
        self,
        paired: Tensor,
        unpaired: Tensor,
        pair_batch: PairBatch,
        source_batch: SourceBatch,
        draws: StepDraws,
    ) -> LossTerms:
        """Compare what the network gave with what the batches ask for.

        Args:
            paired: (B, 1, P, P) generated degrees Celsius of the paired images.
            unpaired: (C, 1, P, P) generated degrees Celsius of the source images.
            pair_batch: the paired images.
            source_batch: the source images.
            draws: the step's patches, and what the prior expects of the source images.

        Returns:
            The loss and its parts; a term of weight 0 is not computed and stands as 0.
        """
        nothing = paired.new_zeros(())
        supervised = self.supervised(paired, pair_batch.thermal, pair_batch.mask, pair_batch.classes)
        wasserstein = prior = nothing
        if self.weight_wasserstein > 0:
            wasserstein = self.compare_patches(unpaired, source_batch.foreground, draws)
        if self.weight_prior > 0:
            prior = self.prior(unpaired, source_batch.classes, draws.targets)
        total = supervised + self.weight_wasserstein * wasserstein + self.weight_prior * prior
        return LossTerms(total, supervised, wasserstein, prior)

    def compare_patches(self, unpaired: Tensor, foreground: Tensor, draws: StepDraws) -> Tensor:
        """The patch Wasserstein term of generated images (C, 1, P, P) over their foreground: () in K^2."""
        clouds = [self.get_buffer(name) for name in self._scales]
        real = [cloud[rows] if len(cloud) else cloud for cloud, rows in zip(clouds, draws.real, strict=True)]
        return self.wasserstein(unpaired, foreground, real, draws.places)
