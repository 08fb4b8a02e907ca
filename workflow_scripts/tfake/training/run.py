"""The state of one training run, and what a step does to it, whatever the network learns."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from tfake.training.chance import Stream, derive_seed
from tfake.training.distributed import wrap
from tfake.training.optimisation import Optimisation
from tfake.training.settings import LoopSettings
from tfake.training.transfer import HostValues


class Run(ABC):
    """Network, optimisation and record of a run; a subclass says what its loss is.

    Attributes:
        TERMS: names of the loss terms that ``compute`` gives, the total first.
        network: what is trained.
        rows: one a step done, of ``columns``; asking for them waits for a GPU.
    """

    TERMS: ClassVar[tuple[str, ...]]

    def __init__(self, settings: LoopSettings, network: nn.Module, precision: str, device: torch.device) -> None:
        """Start at step 0.

        Args:
            settings: the run's numbers.
            network: on the device, in training mode.
            precision: number format of the network's body.
            device: where to compute.
        """
        self._settings, self._precision, self._device = settings, precision, device
        self.network = network
        self._optimisation = Optimisation(network, settings, precision, device)
        wrapped = wrap(network, device)
        self._forward = torch.compile(wrapped) if settings.compile else wrapped
        self._rows: list[list[float]] = []
        # Of the last step, until its numbers have arrived.
        self._pending: tuple[float, HostValues] | None = None
        self._best = math.inf
        self._best_weights: dict[str, Tensor] | None = None
        self._worse = 0

    @abstractmethod
    def compute(self, step: int, *batches: Any) -> Sequence[Tensor]:
        """The loss terms of a step, each a () tensor, in the order of ``TERMS``."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the loss table; ``validation`` is NaN where none was measured."""
        return ("step", *self.TERMS, "gradient_norm", "learning_rate", "validation")

    @property
    def next_step(self) -> int:
        """Steps done so far."""
        return len(self._rows) + (self._pending is not None)

    @property
    def rows(self) -> list[list[float]]:
        """One a step done, of ``columns``.

        Raises:
            FloatingPointError: the loss of the last step is not finite.
        """
        self._settle()
        return self._rows

    @property
    def result(self) -> nn.Module:
        """The network whose weights count now."""
        return self._optimisation.result

    @property
    def has_converged(self) -> bool:
        """Whether the validation error has not improved for as long as the settings have patience."""
        return 0 < self._settings.patience <= self._worse

    def step(self, *batches: Any) -> None:
        """One optimiser step; adds a row to the record.

        The step's numbers are read when the next one is under way, so that a GPU has work meanwhile.

        Args:
            batches: what ``compute`` takes, on the run's device.

        Raises:
            FloatingPointError: the loss of the step before is not finite any more.
        """
        rate = self._optimisation.learning_rate
        terms = self.compute(self.next_step, *batches)
        norm = self._optimisation.backward(terms[0])
        self._optimisation.step()
        self._settle()
        self._pending = rate, HostValues((*terms, norm))

    def _settle(self) -> None:
        """Add the row of the last step."""
        if self._pending is None:
            return
        (rate, numbers), step = self._pending, len(self._rows)
        values = numbers.tolist()
        # A float16 gradient may overflow now and then: its scaler skips that step.
        if not np.isfinite(values[: len(self.TERMS) if self._precision == "float16" else None]).all():
            found = ", ".join(f"{name} {value}" for name, value in zip(self.columns[1:], values, strict=False))
            raise FloatingPointError(
                f"the loss is not finite at step {step}: {found}; a lower learning_rate or precision: float32 may help"
            )
        self._rows.append([step, *values, rate, math.nan])
        self._pending = None

    def record_validation(self, error: float) -> None:
        """Note a validation error, and keep the weights if it is the best and they may be needed."""
        self.rows[-1][-1] = error
        if error < self._best:
            self._best, self._worse = error, 0
            if self._settings.patience:
                self._best_weights = {name: value.clone() for name, value in self.result.state_dict().items()}
        else:
            self._worse += 1

    def finish(self) -> nn.Module:
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
        """Go on from what ``state_dict`` gave, whichever device gave it.

        A GPU has a generator of its own. Where the run comes from a CPU, it begins with the step's seed.
        """
        self.network.load_state_dict(state["network"])
        self._optimisation.load_state_dict(state["optimisation"])
        self._rows, self._pending = list(state["rows"]), None
        self._best, self._worse, self._best_weights = state["validation"]
        of_cpu, of_gpu = state["chance"]
        torch.set_rng_state(of_cpu)
        if self._device.type == "cuda" and of_gpu is not None:
            torch.cuda.set_rng_state(of_gpu, self._device)
        elif self._device.type == "cuda":
            with torch.cuda.device(self._device):
                torch.cuda.manual_seed(derive_seed(self._settings.seed, Stream.NETWORK, self.next_step))


def _chance_state(device: torch.device) -> tuple[Tensor, Tensor | None]:
    """torch's generators: an encoder may drop paths at random."""
    return torch.get_rng_state(), torch.cuda.get_rng_state(device) if device.type == "cuda" else None
