"""Training a thermalizer: what it is learnt from, and the network it ends with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from torch.utils.data import Subset

from tfake.sources.pairs import Pair
from tfake.sources.splits import split_by_subject
from tfake.thermalizer.draws import StepDraws, draw_step
from tfake.thermalizer.network import ThermalUNet
from tfake.thermalizer.run import ThermalizerRun
from tfake.thermalizer.sampling import PairBatch, PairSampler, SourceBatch, SourceSampler
from tfake.thermalizer.settings import TrainingSettings
from tfake.thermalizer.supervised import SupervisedLoss
from tfake.thermalizer.training_data import TrainingData
from tfake.thermalizer.validation import Validation
from tfake.training.chance import Stream, derive_seed
from tfake.training.checkpoint import CheckpointFile
from tfake.training.distributed import current_share
from tfake.training.drawing import ALONE, Share
from tfake.training.loop import reproducible, run_steps
from tfake.training.precision import resolve_precision


@dataclass(frozen=True)
class Trained:
    """A finished run.

    Attributes:
        network: the network, in evaluation mode.
        losses: one row a step with the columns ``ThermalizerRun.columns``.
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
    encoder: Path | None = None,
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
        encoder: file of the weights that ``settings.encoder_weights`` asks for; None: they are fetched.

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
    make_batches = step_batches(settings, data, Subset(data.pairs, kept), share)
    with reproducible(derive_seed(settings.seed, Stream.NETWORK), device):
        run = ThermalizerRun(settings, data, precision, device, encoder)
        validation = None
        if held_out and settings.validate_every:
            loss = SupervisedLoss(data.pair_values, data.supervision)
            validation = Validation(
                settings,
                Subset(data.pairs, held_out),
                loss,
                data.middle_celsius,
                precision,
                device,
                share,
                workers,
            )
        losses = run_steps(
            run,
            settings,
            make_batches,
            validation and validation.measure,
            device,
            checkpoint,
            is_stopping,
            workers,
            "train thermalizer",
        )
    return Trained(run.finish(), losses, precision, len(held_out))


def step_batches(
    settings: TrainingSettings, data: TrainingData, pairs: Sequence[Pair], share: Share = ALONE
) -> Callable[[int], tuple[PairBatch, SourceBatch, StepDraws]]:
    """What gives a run its batches: a function from a step's number to what ``ThermalizerRun.step`` takes.

    Args:
        settings: crops and batches of the run.
        data: what it learns from.
        pairs: those of its pairs that are not held out.
        share: which crops of a batch are made here.

    Raises:
        ValueError: a set is empty.
    """
    of_pairs = PairSampler(pairs, settings.crop, settings.batch_pairs, settings.seed, data.middle_celsius, share)
    of_sources = SourceSampler(
        data.sources,
        settings.crop,
        settings.batch_sources,
        settings.seed,
        data.ambient_celsius,
        share,
        settings.class_dropout,
    )

    def make(step: int) -> tuple[PairBatch, SourceBatch, StepDraws]:
        sources = of_sources.batch(step)
        draws = draw_step(data, sources.ambient_celsius, settings.patches, settings.seed, step)
        return of_pairs.batch(step), sources, draws

    return make
