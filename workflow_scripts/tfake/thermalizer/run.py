"""The state of one training run, and what a step does to it."""

import math
from typing import Any

import numpy as np
import torch

from tfake.thermalizer.chance import Stream, derive_seed
from tfake.thermalizer.distributed import wrap
from tfake.thermalizer.network import ThermalUNet, autocast_body
from tfake.thermalizer.objective import ThermalObjective
from tfake.thermalizer.optimisation import Optimisation
from tfake.thermalizer.sampling import PairBatch, SourceBatch
from tfake.thermalizer.settings import TrainingSettings
from tfake.thermalizer.training_data import TrainingData

#: Columns of the loss table: the terms in K^2, not weighted; the validation error in K, NaN where none was measured.
LOSS_COLUMNS = ("step", "total", "supervised", "wasserstein", "prior", "gradient_norm", "learning_rate", "validation")


class Run:
    """Network, objective, optimisation and record of a run.

    Attributes:
        network: what is trained.
        objective: the weighted sum of the loss terms.
        rows: one a step done, of ``LOSS_COLUMNS``.
    """

    def __init__(self, settings: TrainingSettings, data: TrainingData, precision: str, device: torch.device) -> None:
        """Start at step 0; random weights come from torch's global generator.

        Args:
            settings: every number of the run.
            data: what it learns from.
            precision: number format of the network's body.
            device: where to compute.
        """
        self._settings, self._data, self._precision, self._device = settings, data, precision, device
        prior = data.prior_at(data.middle_celsius)
        architecture = settings.architecture(data.ambient_celsius)
        initial = _initial_celsius(prior.celsius, settings.output_celsius)
        self.network = ThermalUNet(architecture, settings.encoder_weights, initial).to(device).train()
        self.objective = ThermalObjective(
            settings, data.pair_values, data.supervision, data.bank, prior.deviation_kelvin
        ).to(device)
        self._optimisation = Optimisation(self.network, settings, precision, device)
        wrapped = wrap(self.network, device)
        self._forward = torch.compile(wrapped) if settings.compile else wrapped
        self.rows: list[list[float]] = []
        self._best = math.inf
        self._best_weights: dict[str, torch.Tensor] | None = None
        self._worse = 0

    @property
    def next_step(self) -> int:
        """Steps done so far."""
        return len(self.rows)

    @property
    def result(self) -> ThermalUNet:
        """The network whose weights count now."""
        return self._optimisation.result

    @property
    def has_converged(self) -> bool:
        """Whether the validation error has not improved for as long as the settings have patience."""
        return 0 < self._settings.patience <= self._worse

    def step(self, pair_batch: PairBatch, source_batch: SourceBatch) -> None:
        """One optimiser step; adds a row to the record.

        Raises:
            FloatingPointError: the loss is not finite any more.
        """
        step, rate = self.next_step, self._optimisation.learning_rate
        # One forward pass for both, so that batch normalisation sees the mixture it will have recorded.
        rgb = torch.cat((pair_batch.rgb, source_batch.rgb))
        classes = torch.cat((pair_batch.classes, source_batch.known_classes))
        rooms = torch.cat((pair_batch.ambient_celsius, source_batch.ambient_celsius))
        celsius = self._forward(rgb, classes, rooms, autocast_body(self._precision, self._device))
        paired, unpaired = celsius.split((len(pair_batch.rgb), len(source_batch.rgb)))
        targets = np.stack([self._data.prior_at(room).celsius for room in source_batch.ambient_celsius.tolist()])
        generator = torch.Generator().manual_seed(derive_seed(self._settings.seed, Stream.PATCHES, step))
        terms = self.objective(
            paired, unpaired, pair_batch, source_batch, torch.from_numpy(targets).to(self._device), generator
        )
        norm = self._optimisation.backward(terms.total)
        values = [v.item() for v in (terms.total, terms.supervised, terms.wasserstein, terms.prior, norm)]
        # A float16 gradient may overflow now and then: its scaler skips that step.
        if not np.isfinite(values[: 4 if self._precision == "float16" else 5]).all():
            found = ", ".join(f"{name} {value}" for name, value in zip(LOSS_COLUMNS[1:], values, strict=False))
            raise FloatingPointError(
                f"the loss is not finite at step {step}: {found}; a lower learning_rate or precision: float32 may help"
            )
        self._optimisation.step()
        self.rows.append([step, *values, rate, math.nan])

    def record_validation(self, error: float) -> None:
        """Note a validation error in K, and keep the weights if it is the best and they may be needed."""
        self.rows[-1][-1] = error
        if error < self._best:
            self._best, self._worse = error, 0
            if self._settings.patience:
                self._best_weights = {name: value.clone() for name, value in self.result.state_dict().items()}
        else:
            self._worse += 1

    def finish(self) -> ThermalUNet:
        """The network that the run ends with: with patience the best one, else the last."""
        network = self.result
        if self._best_weights is not None:
            network.load_state_dict(self._best_weights)
        return network.eval()

    def state_dict(self) -> dict[str, Any]:
        """Everything that the rest of the run depends on."""
        return {
            "network": self.network.state_dict(),
            "optimisation": self._optimisation.state_dict(),
            "rows": self.rows,
            "validation": (self._best, self._worse, self._best_weights),
            "chance": _chance_state(self._device),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what ``state_dict`` gave."""
        self.network.load_state_dict(state["network"])
        self._optimisation.load_state_dict(state["optimisation"])
        self.rows = state["rows"]
        self._best, self._worse, self._best_weights = state["validation"]
        torch.set_rng_state(state["chance"][0])
        if self._device.type == "cuda":
            torch.cuda.set_rng_state(state["chance"][1], self._device)


def _chance_state(device: torch.device) -> tuple[torch.Tensor, torch.Tensor | None]:
    """torch's generators: an encoder may drop paths at random."""
    return torch.get_rng_state(), torch.cuda.get_rng_state(device) if device.type == "cuda" else None


def _initial_celsius(targets: np.ndarray, output_celsius: tuple[float, float]) -> float:
    """The untrained network's output: the classes' average target, kept off the ends of the range."""
    low, high = output_celsius
    margin = 0.1 * (high - low)
    return float(np.clip(targets[1:].mean(), low + margin, high - margin))
