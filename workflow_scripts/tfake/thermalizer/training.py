"""The training loop of a thermalizer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import nn
from tqdm import tqdm

from tfake.sources.pairs import Pair
from tfake.thermalizer.crops import CropSettings
from tfake.thermalizer.network import ThermalUNet, autocast_body, resolve_precision
from tfake.thermalizer.objective import ThermalObjective
from tfake.thermalizer.sampling import PairBatch, PairSampler, SourceBatch, SourceSampler, Stream, derive_seed
from tfake.thermalizer.settings import TrainingSettings

LOSS_COLUMNS = ("step", "total", "supervised", "wasserstein", "prior", "gradient_norm", "learning_rate")

# The one-cycle schedule: a tenth of the steps to warm up, from a tenth of the peak.
_WARM_UP_SHARE = 0.1
_START_DIVISOR = 10.0


@dataclass(frozen=True)
class Trained:
    """A finished run.

    Attributes:
        network: the network, in evaluation mode.
        losses: one row a step with the columns ``LOSS_COLUMNS``; the terms in K^2, not weighted.
        precision: the number format that the body was trained in.
    """

    network: ThermalUNet
    losses: pd.DataFrame
    precision: str


def train(
    settings: TrainingSettings,
    pairs: Sequence[Pair],
    pair_values: str,
    sources: Sequence[tuple[np.ndarray, np.ndarray]],
    targets: np.ndarray,
    device: torch.device,
) -> Trained:
    """Train a thermalizer; on one machine and thread count the result depends on the arguments alone.

    Args:
        settings: every number of the run.
        pairs: the paired images.
        pair_values: what their thermal images hold, ``celsius`` or ``relative``.
        sources: (rgb (H, W, 3) uint8, classes (H, W) uint8) of the unpaired images.
        targets: (19,) degrees Celsius of the temperature prior, from ``load_prior``.
        device: where to compute.

    Returns:
        The network and the course of its loss.

    Raises:
        ValueError: a set is empty, or ``pair_values`` is unknown.
        FloatingPointError: the loss is not finite any more.
    """
    crop = CropSettings(
        pixels=settings.image_pixels,
        largest_zoom=settings.largest_zoom,
        rotation_degrees=settings.rotation_degrees,
        shear_degrees=settings.shear_degrees,
        photometric_strength=settings.photometric_strength,
    )
    pair_sampler = PairSampler(pairs, crop, settings.batch_pairs, settings.seed)
    source_sampler = SourceSampler(sources, crop, settings.batch_sources, settings.seed)
    precision = resolve_precision(settings.precision, device)
    with _reproducible(derive_seed(settings.seed, Stream.NETWORK), device):
        network = ThermalUNet(
            settings.architecture, settings.encoder_weights, _initial_celsius(targets, settings.output_celsius)
        ).to(device)
        objective = ThermalObjective(settings, pair_values, targets).to(device)
        run = _Run(settings, network.train(), objective, precision, device)
        rows = [
            run.step(step, pair_sampler.batch(step), source_sampler.batch(step))
            for step in tqdm(range(settings.steps), "train thermalizer", unit="step", mininterval=2)
        ]
    return Trained(network.eval(), pd.DataFrame(rows, columns=LOSS_COLUMNS), precision)


class _Run:
    """The state of one run: network, optimiser, schedule."""

    def __init__(
        self,
        settings: TrainingSettings,
        network: ThermalUNet,
        objective: ThermalObjective,
        precision: str,
        device: torch.device,
    ) -> None:
        self.settings, self.network, self.objective = settings, network, objective
        self.precision, self.device = precision, device
        self.optimiser = torch.optim.AdamW(
            _decay_groups(network, settings.weight_decay), settings.learning_rate, foreach=True
        )
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser,
            settings.learning_rate,
            # One more than is used: OneCycleLR refuses a step beyond its total, and the last rate would be nil.
            total_steps=settings.steps + 1,
            pct_start=_WARM_UP_SHARE,
            div_factor=_START_DIVISOR,
        )

    def step(self, step: int, pair_batch: PairBatch, source_batch: SourceBatch) -> tuple[float, ...]:
        """One optimiser step; returns the row of ``LOSS_COLUMNS``."""
        pair_batch, source_batch = _move(pair_batch, self.device), _move(source_batch, self.device)
        # One forward pass for both, so that batch normalisation sees the mixture it will have recorded.
        rgb = torch.cat((pair_batch.rgb, source_batch.rgb))
        classes = torch.cat((pair_batch.classes, source_batch.classes))
        celsius = self.network(rgb, classes, autocast_body(self.precision, self.device))
        paired, unpaired = celsius.split((len(pair_batch.rgb), len(source_batch.rgb)))
        generator = torch.Generator().manual_seed(derive_seed(self.settings.seed, Stream.PATCHES, step))
        terms = self.objective(paired, unpaired, pair_batch, source_batch, generator)
        self.optimiser.zero_grad()
        terms.total.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip_norm)
        values = [v.item() for v in (terms.total, terms.supervised, terms.wasserstein, terms.prior, norm)]
        if not np.isfinite(values).all():
            found = ", ".join(f"{name} {value}" for name, value in zip(LOSS_COLUMNS[1:], values, strict=False))
            raise FloatingPointError(
                f"the loss is not finite at step {step}: {found}; a lower learning_rate or precision: float32 may help"
            )
        rate = self.schedule.get_last_lr()[0]
        self.optimiser.step()
        self.schedule.step()
        return step, *values, rate


def _decay_groups(network: nn.Module, weight_decay: float) -> list[dict]:
    """Weights decay; biases and normalisation, the parameters of one dimension, do not."""
    parameters = list(network.parameters())
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _initial_celsius(targets: np.ndarray, output_celsius: tuple[float, float]) -> float:
    """The untrained network's output: the classes' average target, kept off the ends of the range."""
    low, high = output_celsius
    margin = 0.1 * (high - low)
    return float(np.clip(targets[1:].mean(), low + margin, high - margin))


def _move(batch: PairBatch | SourceBatch, device: torch.device) -> PairBatch | SourceBatch:
    return type(batch)(**{name: value.to(device, non_blocking=True) for name, value in vars(batch).items()})


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
