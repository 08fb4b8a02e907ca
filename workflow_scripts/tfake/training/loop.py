"""The training loop: step by step, and how a run ends, stops and goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pandas as pd
import torch
from torch import nn
from tqdm import tqdm

from tfake.training.checkpoint import CheckpointFile
from tfake.training.distributed import agree, first_process_only
from tfake.training.prefetch import prefetch
from tfake.training.run import Run
from tfake.training.settings import LoopSettings
from tfake.training.transfer import pinned, sent_ahead


class TrainingStoppedError(Exception):
    """The run was asked to stop; its state is in the checkpoint, and the same call goes on from there."""


def run_steps(
    run: Run,
    settings: LoopSettings,
    make_batches: Callable[[int], tuple[Any, ...]],
    measure: Callable[[nn.Module], float] | None,
    device: torch.device,
    checkpoint: CheckpointFile | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
    workers: int = 0,
    title: str = "train",
) -> pd.DataFrame:
    """Take a run from where its checkpoint left it to its end.

    Args:
        run: at step 0.
        settings: its numbers.
        make_batches: gives what ``run.step`` takes at a step, each part with a method ``to(device)``.
        measure: the validation error of a network; None: there is nothing to validate on.
        device: where the run computes.
        checkpoint: where the run's state is kept; a run that finds its own state there goes on from it, and ends with
            the very weights of an undisturbed one (bit for bit on a CPU).
        is_stopping: asked after each step; once it says yes, the state is written and the run ends.
        workers: threads that make batches ahead; no result depends on them.
        title: of the progress bar.

    Returns:
        One row a step with ``run.columns``.

    Raises:
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: ``is_stopping`` said yes.
    """
    state = checkpoint.load() if checkpoint else None
    if state is not None:
        run.load_state_dict(state)
    steps = range(run.next_step, settings.steps)
    batches = sent_ahead(prefetch(pinned(make_batches, device), steps, workers), device)
    for parts in tqdm(batches, title, settings.steps, initial=run.next_step, unit="step", mininterval=2):
        run.step(*parts)
        if measure and (run.next_step % settings.validate_every == 0 or run.next_step == settings.steps):
            run.record_validation(measure(run.result))
        stops = agree(is_stopping())
        due = settings.checkpoint_every > 0 and run.next_step % settings.checkpoint_every == 0
        if checkpoint and (stops or due):
            with first_process_only() as writes:
                if writes:
                    checkpoint.save(run.state_dict())
        if stops:
            raise TrainingStoppedError(f"stopped after step {run.next_step} of {settings.steps}")
        if agree(run.has_converged):
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
