"""The RGB2Thermal loss of Flotho et al., CVPR 2025: the weighted sum of the terms in :mod:`tfake.thermalizer.terms`.

All terms are mean squares in K^2, so the weights mean the same whatever the unit of the output.
"""

from dataclasses import dataclass
from functools import reduce

import torch
from torch import Tensor, nn

from tfake.thermalizer.pair_sampling import PairBatch, SourceBatch, StepDraws, TrainingData
from tfake.thermalizer.terms import TERMS
from tfake.thermalizer.thermalizer_settings import TrainingSettings


@dataclass(frozen=True)
class StepOutput:
    """What the network gave in one step, and what the terms compare it with."""

    paired: Tensor  # (B, 1, P, P) generated degrees Celsius of the paired images
    unpaired: Tensor  # (C, 1, P, P) generated degrees Celsius of the source images
    pair_batch: PairBatch
    source_batch: SourceBatch
    draws: StepDraws


class ThermalObjective(nn.Module):
    """The weighted sum of the terms for one kind of pairs, one bank of real patches and one prior.

    Attributes:
        terms: name to module.
    """

    def __init__(self, settings: TrainingSettings, data: TrainingData) -> None:
        """Build the terms.

        Raises:
            ValueError: the bank was sampled with other patches or scales than the settings ask for, or values or
                supervision of the pairs are unknown.
        """
        super().__init__()
        self.terms = nn.ModuleDict({name: term.build(settings, data) for name, term in TERMS.items()})
        self._weights = {
            name: settings.weights[term.weight_key] if term.is_weighted else None for name, term in TERMS.items()
        }

    def forward(self, step: StepOutput) -> dict[str, Tensor]:
        """The terms of a step.

        Returns:
            ``total`` and each term by its name, () tensors in K^2; the terms are not weighted, and one of weight 0 is
            not computed and stands as 0.
        """
        nothing = step.paired.new_zeros(())
        values = {name: nothing if self._weights[name] == 0 else term(step) for name, term in self.terms.items()}
        weighted = [
            value if (weight := self._weights[name]) is None else weight * value
            for name, value in values.items()
            if self._weights[name] != 0
        ]
        return {"total": reduce(torch.add, weighted), **values}
