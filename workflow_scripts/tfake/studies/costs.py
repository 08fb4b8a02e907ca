"""Where a training step's time goes, and how a plainly written step compares: fp32, NCHW, geomloss as it comes.

All times are taken in one process, a few steps of each by turns, so that their ratios hold on a busy machine.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
from geomloss import SamplesLoss
from torch import Tensor
from torch.utils.data import Subset

from tfake.core.devices import device_model, synchronise
from tfake.core.subject_splits import split_by_subject
from tfake.thermalizer.objective import StepOutput
from tfake.thermalizer.pair_sampling import PairBatch, SourceBatch, StepDraws, TrainingData
from tfake.thermalizer.patch_wasserstein import PatchWasserstein
from tfake.thermalizer.patches import downsample, take_patches
from tfake.thermalizer.thermalizer_settings import TrainingSettings
from tfake.thermalizer.thermalizer_training import ThermalizerTrainState, Validation, step_batches
from tfake.training.loop import RunControl, reproducible, run_steps
from tfake.training.rng import RngStream, derive_seed
from tfake.training.training_settings import resolve_precision

#: Points a side of the naive Sinkhorn problem.
NAIVE_POINTS = 2048
# Steps of one training before the other's turn.
_STRETCH = 5


class NaivePatchWasserstein(PatchWasserstein):
    """The patch term as one writes it first: geomloss with its defaults; every scale must have patches."""

    def distance(self, generated: Tensor, mask: Tensor, real: Sequence[Tensor], places: Tensor) -> Tensor:
        """See ``patch_wasserstein``."""
        loss, edge = SamplesLoss("sinkhorn", p=2), self.bank.patch_pixels
        total = generated.sum() * 0
        for factor, y, where in zip(self.bank.scales, real, places, strict=True):
            x, _ = take_patches(*downsample(generated, mask, factor), edge, where)
            total = total + 2 * loss(x / edge, y / edge)
        return total / len(self.bank.scales)


def measure_costs(
    settings: TrainingSettings,
    data: TrainingData,
    device: torch.device,
    steps: int,
    workers: int = 0,
    encoder: Path | None = None,
) -> dict[str, float | int | str]:
    """Train by the loop that trainings run, as this workflow does and naively by turns, and time both.

    Args:
        settings: of the run; validation pairs are held out as they say.
        data: what both learn from.
        device: where to compute.
        steps: steps of each; the schedule is as long.
        workers: as of :func:`tfake.thermalizer.thermalizer_training.train`.
        encoder: as there.

    Returns:
        ``step_seconds`` and ``naive_step_seconds`` (medians over stretches of the loop), ``speedup`` (of the medians),
        ``validation_kelvin`` and ``naive_validation_kelvin`` after the last step; ``{part}_share`` of a step for batch,
        network and every term of the loss, each alone (a term forward and back to the images), and rest;
        ``images_per_second``. Where threads make batches ahead, theirs is beside the step and not part of it.
    """
    settings = replace(settings, steps=steps, checkpoint_every=0)
    kept, held_out = split_by_subject(data.pair_subjects, settings.validation_share, settings.seed)
    plain = replace(settings, precision="float32", patches=NAIVE_POINTS)
    ours, naive = (
        _Training(each, data, Subset(data.pairs, kept), device, workers, encoder) for each in (settings, plain)
    )
    naive.run.network.set_channels_last(False)
    naive.run.objective.terms["wasserstein"] = NaivePatchWasserstein.build(settings, data).to(device)
    probe = _start(settings, data, device, encoder)
    parts: dict[str, list[float]] = {}
    with reproducible(derive_seed(settings.seed, RngStream.NETWORK), device):
        for stop in (*range(_STRETCH, steps, _STRETCH), steps):
            ours.advance(stop)
            naive.advance(stop)
            _time_terms(probe, ours.make(stop), device, parts)
    whole, plain_whole = median(ours.seconds), median(naive.seconds)
    parts = {"batch": ours.making, **parts}
    fractions = {f"{name}_share": median(values) / whole for name, values in parts.items()}
    within = sum(value for name, value in fractions.items() if workers == 0 or name != "batch_share")
    validation = Validation(settings, data, Subset(data.pairs, held_out or kept), "float32", device)
    return {
        "device": device_model(device),
        "threads": torch.get_num_threads(),
        "workers": workers,
        "steps": steps,
        "step_seconds": whole,
        "naive_step_seconds": plain_whole,
        "speedup": plain_whole / whole,
        "validation_kelvin": validation.measure(ours.run.result),
        "naive_validation_kelvin": validation.measure(naive.run.result),
        "images_per_second": (settings.batch_pairs + settings.batch_sources) / whole,
        **fractions,
        "rest_share": 1 - within,
    }


class _Training:
    """One run that goes on stretch by stretch through the trainings' own loop."""

    def __init__(
        self,
        settings: TrainingSettings,
        data: TrainingData,
        pairs: Sequence,
        device: torch.device,
        workers: int,
        encoder: Path | None,
    ) -> None:
        self.run, self.seconds, self.making = _start(settings, data, device, encoder), [], []
        self._settings, self._control = settings, RunControl(device, workers=workers)
        self.make = step_batches(settings, data, pairs)

    def advance(self, stop: int) -> None:
        """Train on to a step; notes the seconds per step, and those of making each batch."""
        steps = stop - self.run.next_step
        synchronise(self._control.device)
        start = time.perf_counter()
        run_steps(self.run, replace(self._settings, steps=stop), self._timed, None, self._control)
        synchronise(self._control.device)
        self.seconds.append((time.perf_counter() - start) / steps)

    def _timed(self, step: int) -> tuple:
        start = time.perf_counter()
        parts = self.make(step)
        self.making.append(time.perf_counter() - start)
        return parts


def _start(
    settings: TrainingSettings, data: TrainingData, device: torch.device, encoder: Path | None
) -> ThermalizerTrainState:
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(derive_seed(settings.seed, RngStream.NETWORK))
        return ThermalizerTrainState(settings, data, resolve_precision(settings.precision, device), device, encoder)


def _time_terms(
    run: ThermalizerTrainState,
    parts: tuple[PairBatch, SourceBatch, StepDraws],
    device: torch.device,
    seconds: dict[str, list[float]],
) -> None:
    """Each part of a step on its own: the network forward and back, and each term forward and back to its image."""
    pair_batch, source_batch, draws = (part.to(device) for part in parts)

    def network() -> list[Tensor]:
        images = run.generate(pair_batch, source_batch)
        mean = torch.cat(images).mean()
        torch.autograd.grad(mean, list(run.network.parameters()), allow_unused=True)
        return [image.detach().requires_grad_() for image in images]

    def timed(name: str, work: Callable[[], Any]) -> Any:
        synchronise(device)
        start = time.perf_counter()
        result = work()
        synchronise(device)
        seconds.setdefault(name, []).append(time.perf_counter() - start)
        return result

    images = paired, unpaired = timed("network", network)
    output = StepOutput(paired, unpaired, pair_batch, source_batch, draws)
    for name, term in run.objective.terms.items():
        timed(name, lambda term=term: torch.autograd.grad(term(output), images, allow_unused=True))
