"""The training loop of a thermalizer: what is learnt from, step by step, and how a run ends, stops and goes on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pandas as pd
import torch
from torch.utils.data import Subset
from tqdm import tqdm

from tfake.sources.splits import split_by_subject
from tfake.thermalizer.chance import Stream, derive_seed
from tfake.thermalizer.checkpoint import CheckpointFile
from tfake.thermalizer.distributed import agree, current_share, first_process_only
from tfake.thermalizer.network import ThermalUNet, resolve_precision
from tfake.thermalizer.prefetch import prefetch
from tfake.thermalizer.run import LOSS_COLUMNS, Run
from tfake.thermalizer.sampling import PairSampler, SourceSampler
from tfake.thermalizer.settings import TrainingSettings
from tfake.thermalizer.supervised import SupervisedLoss
from tfake.thermalizer.training_data import TrainingData
from tfake.thermalizer.validation import Validation


class TrainingStoppedError(Exception):
    """The run was asked to stop; its state is in the checkpoint, and the same call goes on from there."""


@dataclass(frozen=True)
class Trained:
    """A finished run.

    Attributes:
        network: the network, in evaluation mode.
        losses: one row a step with the columns ``LOSS_COLUMNS``.
        precision: the number format that the body was trained in.
        validation_pairs: how many pairs were held out.
    """

    network: ThermalUNet
    losses: pd.DataFrame
    precision: str
    validation_pairs: int


def train(
    settings: TrainingSettings,
    data: TrainingData,
    device: torch.device,
    checkpoint: CheckpointFile | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
    workers: int = 0,
) -> Trained:
    """Train a thermalizer; on one machine and thread count the result depends on settings and data alone.

    Args:
        settings: every number of the run.
        data: what it learns from.
        device: where to compute.
        checkpoint: where the run's state is kept; a run that finds its own state there goes on from it, and ends with
            the very weights of an undisturbed one (bit for bit on a CPU).
        is_stopping: asked after each step; once it says yes, the state is written and the run ends.
        workers: threads that make batches ahead; no result depends on them.

    Returns:
        The network and the course of its loss.

    Raises:
        ValueError: a set is empty, the bank does not fit, a batch cannot be shared evenly, or values are unknown.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: ``is_stopping`` said yes.
    """
    precision, share = resolve_precision(settings.precision, device), current_share()
    if settings.batch_pairs % share.of or settings.batch_sources % share.of:
        raise ValueError(
            f"batch_pairs {settings.batch_pairs} and batch_sources {settings.batch_sources} must be multiples of the "
            f"{share.of} processes"
        )
    kept, held_out = split_by_subject(data.pair_subjects, settings.validation_share, settings.seed)
    pairs = PairSampler(
        Subset(data.pairs, kept), settings.crop, settings.batch_pairs, settings.seed, data.middle_celsius, share
    )
    sources = SourceSampler(
        data.sources,
        settings.crop,
        settings.batch_sources,
        settings.seed,
        data.ambient_celsius,
        share,
        settings.class_dropout,
    )
    with _reproducible(derive_seed(settings.seed, Stream.NETWORK), device):
        run = Run(settings, data, precision, device)
        validation = None
        if held_out and settings.validate_every:
            loss = SupervisedLoss(data.pair_values, data.supervision)
            validation = Validation(
                settings, Subset(data.pairs, held_out), loss, data.middle_celsius, precision, device
            )
        state = checkpoint.load() if checkpoint else None
        if state is not None:
            run.load_state_dict(state)
        steps = range(run.next_step, settings.steps)
        batches = prefetch(lambda step: (pairs.batch(step), sources.batch(step)), steps, workers)
        progress = tqdm(batches, "train thermalizer", settings.steps, initial=run.next_step, unit="step", mininterval=2)
        for pair_batch, source_batch in progress:
            run.step(pair_batch.to(device), source_batch.to(device))
            if validation and (run.next_step % settings.validate_every == 0 or run.next_step == settings.steps):
                run.record_validation(validation.measure(run.result))
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
    losses = pd.DataFrame(run.rows, columns=LOSS_COLUMNS)
    return Trained(run.finish(), losses, precision, len(held_out))


@contextmanager
def _reproducible(seed: int, device: torch.device) -> Iterator[None]:
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
