"""The thermalizer's training run: its network and its loss."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tfake.thermalizer.draws import StepDraws
from tfake.thermalizer.network import ThermalUNet
from tfake.thermalizer.objective import ThermalObjective
from tfake.thermalizer.sampling import PairBatch, SourceBatch
from tfake.thermalizer.settings import TrainingSettings
from tfake.thermalizer.training_data import TrainingData
from tfake.training.precision import autocast_body
from tfake.training.run import Run


class ThermalizerRun(Run):
    """A thermalizer in training; terms are in K^2, not weighted, the validation error is in K.

    Attributes:
        objective: the weighted sum of the loss terms.
    """

    TERMS = ("total", "supervised", "wasserstein", "prior")

    def __init__(
        self,
        settings: TrainingSettings,
        data: TrainingData,
        precision: str,
        device: torch.device,
        encoder: Path | None = None,
    ) -> None:
        """Start at step 0; random weights come from torch's global generator.

        Args:
            settings: every number of the run.
            data: what it learns from.
            precision: number format of the network's body.
            device: where to compute.
            encoder: file of the weights that ``settings.encoder_weights`` names; None: they are fetched.
        """
        prior = data.prior_at(data.middle_celsius)
        architecture = settings.architecture(data.ambient_celsius)
        initial = _initial_celsius(prior.celsius, settings.output_celsius)
        network = ThermalUNet(architecture, encoder or settings.encoder_weights, initial).to(device).train()
        super().__init__(settings, network, precision, device)
        self.objective = ThermalObjective(
            settings, data.pair_values, data.supervision, data.bank, prior.deviation_kelvin
        ).to(device)

    def compute(
        self, step: int, pair_batch: PairBatch, source_batch: SourceBatch, draws: StepDraws
    ) -> tuple[Tensor, ...]:
        """The loss terms of a step."""
        # One forward pass for both, so that batch normalisation sees the mixture it will have recorded.
        rgb = torch.cat((pair_batch.rgb, source_batch.rgb))
        classes = torch.cat((pair_batch.classes, source_batch.known_classes))
        rooms = torch.cat((pair_batch.ambient_celsius, source_batch.ambient_celsius))
        celsius = self._forward(rgb, classes, rooms, autocast_body(self._precision, self._device))
        paired, unpaired = celsius.split((len(pair_batch.rgb), len(source_batch.rgb)))
        terms = self.objective(paired, unpaired, pair_batch, source_batch, draws)
        return terms.total, terms.supervised, terms.wasserstein, terms.prior


def _initial_celsius(targets: np.ndarray, output_celsius: tuple[float, float]) -> float:
    """The untrained network's output: the classes' average target, kept off the ends of the range."""
    low, high = output_celsius
    margin = 0.1 * (high - low)
    return float(np.clip(targets[1:].mean(), low + margin, high - margin))
