"""The training loop, whatever the network learns: a run's state, what a step does to it, how it ends and resumes."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

from tfake.training.distributed import any_process, rank_zero_only, wrap_distributed
from tfake.training.loading import HostCopy, pin_batches, prefetch, prefetch_to_device
from tfake.training.optimisation import Optimisation
from tfake.training.rng import RngStream, derive_seed
from tfake.training.training_settings import LoopSettings
from tfake.training.weights_file import CheckpointFile


class TrainState(ABC):
    """Network, optimisation and record of a run; a subclass says what its loss is.

    Attributes:
        term_names: names of the loss terms that ``compute`` gives, the total first.
        sparse_names: names of what it gives behind them, measured at some steps alone and NaN at the others.
        network: what is trained.
        rows: one a step done, of ``columns``; asking for them waits for a GPU.
        validation_names: names of the validation errors; by the first the best weights are chosen.
    """

    term_names: tuple[str, ...]
    sparse_names: tuple[str, ...] = ()
    validation_names: tuple[str, ...] = ("validation",)

    def __init__(self, settings: LoopSettings, network: nn.Module, precision: str, device: torch.device) -> None:
        """Start at step 0, with a network on the device and in training mode."""
        self._settings, self._precision, self._device = settings, precision, device
        self.network, self._is_on_gpu = network, device.type == "cuda"
        self._optimisation = Optimisation(network, settings, precision, device)
        wrapped = wrap_distributed(network, device)
        self._forward = torch.compile(wrapped) if settings.compile else wrapped
        self._rows: list[list[float]] = []
        # Of the last step, until its numbers have arrived.
        self._pending: tuple[float, HostCopy] | None = None
        self._best = math.inf
        self._best_weights: dict[str, Tensor] | None = None
        self._worse = 0

    @abstractmethod
    def compute(self, step: int, *batches: Any) -> Sequence[Tensor]:
        """The loss terms of a step, each a () tensor, in the order of ``term_names`` and ``sparse_names``."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the loss table; validation errors are NaN where none were measured."""
        names = (*self.term_names, *self.sparse_names)
        return ("step", *names, "gradient_norm", "learning_rate", *self.validation_names)

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
        """One optimiser step on what ``compute`` takes; adds a row to the record.

        The step's numbers are read when the next one is under way, so that a GPU has work meanwhile.

        Raises:
            FloatingPointError: the loss of the step before is not finite any more.
        """
        rate = self._optimisation.learning_rate
        terms = self.compute(self.next_step, *batches)
        norm = self._optimisation.backward(terms[0])
        self._optimisation.step()
        self._settle()
        self._pending = rate, HostCopy((*terms, norm))

    def _settle(self) -> None:
        """Add the row of the last step."""
        if self._pending is None:
            return
        (rate, numbers), step = self._pending, len(self._rows)
        values = numbers.tolist()
        # A float16 gradient may overflow now and then: its scaler skips that step.
        checked = values[: len(self.term_names)] + ([] if self._precision == "float16" else values[-1:])
        if not np.isfinite(checked).all():
            found = ", ".join(f"{name} {value}" for name, value in zip(self.columns[1:], values, strict=False))
            raise FloatingPointError(
                f"the loss is not finite at step {step}: {found}; a lower learning_rate or precision: float32 may help"
            )
        self._rows.append([step, *values, rate, *(math.nan for _ in self.validation_names)])
        self._pending = None

    def record_validation(self, error: float, *others: float) -> None:
        """Note the validation errors, and keep the weights if the first is the best and they may be needed."""
        self.rows[-1][-len(self.validation_names) :] = error, *others
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
            # torch's generators: an encoder may drop paths at random.
            "chance": (torch.get_rng_state(), torch.cuda.get_rng_state(self._device) if self._is_on_gpu else None),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what ``state_dict`` gave, whichever device gave it.

        A GPU has a generator of its own. Where the run comes from a CPU, it begins with the step's seed.
        """
        self.network.load_state_dict(state["network"])
        self._optimisation.load_state_dict(state["optimisation"])
        self._rows, self._pending = list(state["rows"]), None
        self._best, self._worse, self._best_weights = state["validation"]
        of_cpu, of_gpu = state["chance"]  # the key of checkpoints that exist
        torch.set_rng_state(of_cpu)
        if self._is_on_gpu and of_gpu is not None:
            torch.cuda.set_rng_state(of_gpu, self._device)
        elif self._is_on_gpu:
            with torch.cuda.device(self._device):
                torch.cuda.manual_seed(derive_seed(self._settings.seed, RngStream.NETWORK, self.next_step))


@dataclass(frozen=True)
class RunControl:
    """Where a run computes, and how it is stopped and goes on; no result depends on any of it but the device.

    Attributes:
        device: where it computes.
        checkpoint: file of the run's state; a run that finds its own state there resumes, and ends with the very
            weights of an undisturbed one (bit for bit on a CPU).
        is_stopping: asked after each step; once it says yes, the state is written and the run ends.
        workers: threads that make batches ahead.
    """

    device: torch.device
    checkpoint: CheckpointFile | None = None
    is_stopping: Callable[[], bool] = lambda: False
    workers: int = 0


class TrainingStoppedError(Exception):
    """The run was asked to stop; its state is in the checkpoint, and the same call goes on from there."""


def run_steps(
    run: TrainState,
    settings: LoopSettings,
    make_batches: Callable[[int], tuple[Any, ...]],
    measure: Callable[[nn.Module], float | tuple[float, ...]] | None,
    control: RunControl,
    title: str = "train",
) -> pd.DataFrame:
    """Take a run from where its checkpoint left it to its end.

    Args:
        run: at step 0.
        settings: its numbers.
        make_batches: step to what ``run.step`` takes, dataclasses of tensors.
        measure: the validation errors of a network, of ``run.validation_names``; None: there is nothing to validate
            on.
        control: where the run computes, and how it is stopped and goes on.
        title: of the progress bar.

    Returns:
        One row a step with ``run.columns``.

    Raises:
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: the control's ``is_stopping`` said yes.
    """
    checkpoint, device = control.checkpoint, control.device
    state = checkpoint.load() if checkpoint else None
    if state is not None:
        run.load_state_dict(state)
    steps = range(run.next_step, settings.steps)
    batches = prefetch_to_device(prefetch(pin_batches(make_batches, device), steps, control.workers), device)
    for parts in tqdm(batches, title, settings.steps, initial=run.next_step, unit="step", mininterval=2):
        run.step(*parts)
        if measure and (run.next_step % settings.validate_every == 0 or run.next_step == settings.steps):
            run.record_validation(*np.atleast_1d(measure(run.result)).tolist())
        stops = any_process(control.is_stopping())
        due = settings.checkpoint_every > 0 and run.next_step % settings.checkpoint_every == 0
        if checkpoint and (stops or due):
            with rank_zero_only() as writes:
                if writes:
                    checkpoint.save(run.state_dict())
        if stops:
            raise TrainingStoppedError(f"stopped after step {run.next_step} of {settings.steps}")
        if any_process(run.has_converged):
            break
    return pd.DataFrame(run.rows, columns=run.columns)


@contextmanager
def reproducible(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch and ask for deterministic kernels; both are put back afterwards."""
    devices = [device] if device.type == "cuda" else []
    was_deterministic = torch.are_deterministic_algorithms_enabled()
    only_warned = torch.is_deterministic_algorithms_warn_only_enabled()
    filled = torch.utils.deterministic.fill_uninitialized_memory
    with torch.random.fork_rng(devices):
        torch.manual_seed(seed)
        # A few CUDA kernels have no deterministic form: there the run goes on with a warning.
        torch.use_deterministic_algorithms(True, warn_only=device.type == "cuda")
        # Filling every new tensor with NaN finds faults, but costs a seventh of a step.
        torch.utils.deterministic.fill_uninitialized_memory = False
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(was_deterministic, warn_only=only_warned)
            torch.utils.deterministic.fill_uninitialized_memory = filled
