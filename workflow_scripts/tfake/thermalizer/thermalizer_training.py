"""Training a thermalizer: the step, the paired error on subjects that are never trained on, and the whole run."""

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.utils.data import Subset

from tfake.archive.pairs import Pair
from tfake.core.processes import map_threads
from tfake.core.subject_splits import split_by_subject
from tfake.thermalizer.objective import StepOutput, ThermalObjective
from tfake.thermalizer.pair_sampling import (
    PairBatch,
    PairSampler,
    SourceBatch,
    SourceSampler,
    StepDraws,
    TrainingData,
    draw_step,
)
from tfake.thermalizer.supervised import SupervisedLoss
from tfake.thermalizer.terms import TERMS
from tfake.thermalizer.thermal_unet import ThermalUNet
from tfake.thermalizer.thermalizer_kinds import KINDS
from tfake.thermalizer.thermalizer_settings import PairedSettings, TrainingSettings
from tfake.training.distributed import all_reduce_sum, current_shard
from tfake.training.loading import MemoryCache
from tfake.training.loop import RunControl, TrainState, reproducible, run_steps
from tfake.training.rng import SINGLE_PROCESS, ProcessShard, RngStream, derive_seed
from tfake.training.training_settings import autocast_body, resolve_precision


class PairedTrainState(TrainState):
    """A thermalizer of any kind in training; terms are in K^2, not weighted, the validation error is in K.

    A subclass is built from settings, data, number format and device, and starts at step 0.
    """

    @classmethod
    @abstractmethod
    def make_batches(
        cls, settings: PairedSettings, data: TrainingData, pairs: Sequence[Pair], shard: ProcessShard
    ) -> Callable[[int], tuple]:
        """A function from a step's number to what ``step`` takes, of pairs that are not held out."""

    @staticmethod
    @abstractmethod
    def predict(network: nn.Module, batch: PairBatch, step: int, body: AbstractContextManager) -> Tensor:
        """What a network in training gives for held-out pairs.

        Args:
            network: as ``network`` of the state.
            batch: the crops.
            step: which of the validation's batches they are.
            body: an autocast region.

        Returns:
            (B, 1, P, P) float32 degrees Celsius.
        """


class ThermalizerTrainState(PairedTrainState):
    """A regression network in training.

    Attributes:
        objective: the weighted sum of the loss terms.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        data: TrainingData,
        precision: str,
        device: torch.device,
        encoder: Path | None = None,
    ) -> None:
        """Start at step 0; random weights come from torch's global generator.

        ``encoder`` is the file of the weights that ``settings.encoder_weights`` names; None: they are fetched.
        """
        prior = data.prior_at(data.middle_celsius)
        architecture = settings.architecture(data.ambient_celsius)
        initial = _initial_celsius(prior.celsius, settings.output_celsius)
        network = ThermalUNet(architecture, encoder or settings.encoder_weights, initial).to(device).train()
        super().__init__(settings, network, precision, device)
        self.term_names = ("total", *TERMS)
        self.objective = ThermalObjective(settings, data).to(device)

    @classmethod
    def make_batches(
        cls, settings: TrainingSettings, data: TrainingData, pairs: Sequence[Pair], shard: ProcessShard
    ) -> Callable[[int], tuple]:
        """See ``PairedTrainState``."""
        return step_batches(settings, data, pairs, shard)

    @staticmethod
    def predict(network: nn.Module, batch: PairBatch, step: int, body: AbstractContextManager) -> Tensor:
        """See ``PairedTrainState``."""
        return network(batch.rgb, batch.classes, batch.ambient_celsius, batch.field, body)

    def compute(
        self, step: int, pair_batch: PairBatch, source_batch: SourceBatch, draws: StepDraws
    ) -> tuple[Tensor, ...]:
        """The loss terms of a step."""
        output = StepOutput(*self.generate(pair_batch, source_batch), pair_batch, source_batch, draws)
        return tuple(self.objective(output).values())

    def generate(self, pair_batch: PairBatch, source_batch: SourceBatch) -> tuple[Tensor, Tensor]:
        """Temperatures of the paired and of the source images, (B, 1, P, P) float32 degrees Celsius each."""
        # One forward pass for both, so that batch normalisation sees the mixture it will have recorded.
        rgb = torch.cat((pair_batch.rgb, source_batch.rgb))
        classes = torch.cat((pair_batch.classes, source_batch.known_classes))
        ambient = torch.cat((pair_batch.ambient_celsius, source_batch.ambient_celsius))
        field = torch.cat((pair_batch.field, source_batch.field))
        celsius = self._forward(rgb, classes, ambient, field, autocast_body(self._precision, self._device))
        return celsius.split((len(pair_batch.rgb), len(source_batch.rgb)))


def _initial_celsius(targets: np.ndarray, output_celsius: tuple[float, float]) -> float:
    """The untrained network's output: the classes' average target, kept off the ends of the range."""
    low, high = output_celsius
    margin = 0.1 * (high - low)
    return float(np.clip(targets[1:].mean(), low + margin, high - margin))


CROPS_PER_PAIR = 2
#: Crops up to this are kept between validations, and as much of decoded pairs; others are made each time.
VALIDATION_BYTES = 256 << 20


class Validation:
    """Fixed crops of held-out pairs in true colours, and the network's error on them."""

    def __init__(
        self,
        settings: PairedSettings,
        data: TrainingData,
        pairs: Sequence[Pair],
        precision: str,
        device: torch.device,
        shard: ProcessShard = SINGLE_PROCESS,
        workers: int = 0,
        predict: Callable[..., Tensor] = ThermalizerTrainState.predict,
    ) -> None:
        """Say which crops of the held-out pairs; none is made yet.

        ``shard`` are the crops of a batch that this process evaluates; no result depends on ``workers``, threads that
        make batches ahead. ``predict`` is ``PairedTrainState.predict`` of the kind.
        """
        seed = derive_seed(settings.seed, RngStream.VALIDATION)
        crop = replace(settings.crop, photometric_strength=0.0)
        sampler = PairSampler(
            pairs,
            crop,
            settings.batch_pairs,
            seed,
            data.middle_celsius,
            shard,
            settings.heat_field,
            cache_bytes=VALIDATION_BYTES,
        )
        self._batches = MemoryCache(sampler.batch, VALIDATION_BYTES)
        self._steps = range(math.ceil(CROPS_PER_PAIR * len(pairs) / settings.batch_pairs))
        self._loss = SupervisedLoss.build(settings, data)
        self._predict = predict
        self._precision, self._device, self._workers = precision, device, workers

    @torch.no_grad()
    def measure(self, network: nn.Module) -> float:
        """Root of the mean paired term over the crops, of all processes of a group, in K.

        The network is left in the mode it was in.
        """
        was_training = network.training
        network.eval()
        body = autocast_body(self._precision, self._device)
        terms = []
        made = map_threads(self._batches.__getitem__, self._steps, self._workers, ahead=1)
        for step, crops in zip(self._steps, made, strict=True):
            batch = crops.to(self._device)
            celsius = self._predict(network, batch, step, body)
            terms.append(self._loss.compare(celsius, batch))
        network.train(was_training)
        total, processes = all_reduce_sum([torch.stack(terms).mean().item(), 1])
        return math.sqrt(total / processes)


@dataclass(frozen=True)
class Trained:
    """A finished run.

    Attributes:
        network: the network, in evaluation mode.
        losses: one row a step with the columns of its ``PairedTrainState``.
        precision: the number format that the body was trained in.
        validation_pairs: how many pairs were held out.
    """

    network: nn.Module
    losses: pd.DataFrame
    precision: str
    validation_pairs: int


def train(
    settings: PairedSettings,
    data: TrainingData,
    control: RunControl,
    encoder: Path | None = None,
) -> Trained:
    """Train a thermalizer; on one machine and thread count the result depends on settings and data alone.

    Args:
        settings: every number of the run, and by their class the kind of network.
        data: what it learns from.
        control: where it computes, and how it is stopped and goes on.
        encoder: file of the weights that ``settings.encoder_weights`` asks for; None: they are fetched.

    Returns:
        The network and its losses.

    Raises:
        ValueError: a set is empty, the bank does not fit, a batch cannot be shared evenly, or values are unknown.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: the control's ``is_stopping`` said yes.
    """
    device = control.device
    precision, shard = resolve_precision(settings.precision, device), current_shard()
    if settings.batch_pairs % shard.world_size or settings.batch_sources % shard.world_size:
        raise ValueError(
            f"batch_pairs {settings.batch_pairs} and batch_sources {settings.batch_sources} must be multiples of the "
            f"{shard.world_size} processes"
        )
    kept, held_out = split_by_subject(data.pair_subjects, settings.validation_share, settings.seed)
    kind: type[PairedTrainState] = KINDS[settings.kind].load("state")
    make_batches = kind.make_batches(settings, data, Subset(data.pairs, kept), shard)
    with reproducible(derive_seed(settings.seed, RngStream.NETWORK), device):
        pretrained = {} if encoder is None else {"encoder": encoder}
        run = kind(settings, data, precision, device, **pretrained)
        validation = None
        if held_out and settings.validate_every:
            pairs = Subset(data.pairs, held_out)
            validation = Validation(settings, data, pairs, precision, device, shard, control.workers, kind.predict)
        losses = run_steps(
            run,
            settings,
            make_batches,
            validation and validation.measure,
            control,
            "train thermalizer",
        )
    return Trained(run.finish(), losses, precision, len(held_out))


def step_batches(
    settings: TrainingSettings, data: TrainingData, pairs: Sequence[Pair], shard: ProcessShard = SINGLE_PROCESS
) -> Callable[[int], tuple[PairBatch, SourceBatch, StepDraws]]:
    """A function from a step's number to what ``ThermalizerTrainState.step`` takes, of pairs that are not held out.

    Raises:
        ValueError: a set is empty.
    """
    of_pairs, of_sources = build_samplers(settings, data, pairs, shard)

    def make(step: int) -> tuple[PairBatch, SourceBatch, StepDraws]:
        sources = of_sources.batch(step)
        draws = draw_step(data, sources.ambient_celsius, settings.patches, settings.seed, step)
        return of_pairs.batch(step), sources, draws

    return make


def build_samplers(
    settings: PairedSettings, data: TrainingData, pairs: Sequence[Pair], shard: ProcessShard
) -> tuple[PairSampler, SourceSampler]:
    """The crops of a run; raises as ``step_batches``."""
    of_pairs = PairSampler(
        pairs,
        settings.crop,
        settings.batch_pairs,
        settings.seed,
        data.middle_celsius,
        shard,
        settings.heat_field,
        settings.field_dropout,
    )
    of_sources = SourceSampler(
        data.sources,
        settings.crop,
        settings.batch_sources,
        settings.seed,
        data.ambient_celsius,
        shard,
        settings.class_dropout,
        data.meshes if settings.heat_field else None,
        settings.field_dropout,
    )
    return of_pairs, of_sources
