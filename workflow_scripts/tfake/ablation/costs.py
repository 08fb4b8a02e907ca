"""Where a training step's time goes, and how a plainly written step compares: fp32, NCHW, geomloss as it comes.

All times are taken in one process, interleaved step by step, so that their ratios hold on a busy machine.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import torch
from geomloss import SamplesLoss
from torch import Tensor, nn
from torch.utils.data import Subset

from tfake.sources.splits import split_by_subject
from tfake.thermalizer.patch_wasserstein import downsample, sample_patches
from tfake.thermalizer.run import ThermalizerRun
from tfake.thermalizer.sampling import PairSampler, SourceSampler
from tfake.thermalizer.settings import TrainingSettings
from tfake.thermalizer.supervised import SupervisedLoss
from tfake.thermalizer.training_data import TrainingData
from tfake.thermalizer.validation import Validation
from tfake.training.chance import Stream, derive_seed
from tfake.training.precision import autocast_body, resolve_precision

#: Points a side of the naive Sinkhorn problem.
NAIVE_POINTS = 2048


class NaivePatchWasserstein(nn.Module):
    """The patch term as one writes it first: geomloss with its defaults."""

    def __init__(self, patch_pixels: int, scales: tuple[int, ...]) -> None:
        """Keep edge and scales of the patches."""
        super().__init__()
        self._patch_pixels, self._scales = patch_pixels, scales
        self._loss = SamplesLoss("sinkhorn", p=2)

    def forward(self, generated: Tensor, mask: Tensor, real: list[Tensor], generator: torch.Generator) -> Tensor:
        """See ``patch_wasserstein``; every scale must have patches."""
        total = generated.sum() * 0
        for factor, y in zip(self._scales, real, strict=True):
            x = sample_patches(*downsample(generated, mask, factor), self._patch_pixels, len(y), generator)
            total = total + 2 * self._loss(x / self._patch_pixels, y / self._patch_pixels)
        return total / len(self._scales)


def measure_costs(
    settings: TrainingSettings, data: TrainingData, device: torch.device, steps: int
) -> dict[str, float | int | str]:
    """Train twice side by side, as this workflow does and naively, and time both.

    Args:
        settings: of the run; validation pairs are held out as they say.
        data: what both learn from.
        device: where to compute.
        steps: steps of each; the schedule is as long.

    Returns:
        ``step_seconds`` and ``naive_step_seconds`` (medians), ``speedup`` (of the medians), ``validation_kelvin`` and
        ``naive_validation_kelvin`` after the last step; ``{part}_share`` of a step for batch, network, supervised,
        wasserstein and prior (a loss term forward and back to the image) and rest; ``images_per_second``.
    """
    settings = replace(settings, steps=steps, checkpoint_every=0)
    kept, held_out = split_by_subject(data.pair_subjects, settings.validation_share, settings.seed)
    room = data.middle_celsius
    pairs = PairSampler(Subset(data.pairs, kept), settings.crop, settings.batch_pairs, settings.seed, room)
    sources = SourceSampler(data.sources, settings.crop, settings.batch_sources, settings.seed, data.ambient_celsius)
    ours, probe = _start(settings, data, device), _start(settings, data, device)
    naive = _start(replace(settings, precision="float32", patches=NAIVE_POINTS), data, device)
    naive.network.set_channels_last(False)
    naive.objective.wasserstein = NaivePatchWasserstein(settings.patch_pixels, settings.patch_scales)
    times: dict[str, list[float]] = {}

    def timed(name: str, work: Callable):
        _synchronise(device)
        start = time.perf_counter()
        result = work()
        _synchronise(device)
        times.setdefault(name, []).append(time.perf_counter() - start)
        return result

    for step in range(steps):
        batches = timed("batch", lambda step=step: (pairs.batch(step).to(device), sources.batch(step).to(device)))
        timed("step", lambda batches=batches: ours.step(*batches))
        timed("naive", lambda batches=batches: naive.step(*batches))
        _time_terms(probe, data, batches, settings, device, timed)
    costs = {name: median(values) for name, values in times.items()}
    whole = costs["batch"] + costs["step"]
    parts = {name: costs[name] / whole for name in ("batch", "network", "supervised", "wasserstein", "prior")}
    validation = Validation(
        settings,
        Subset(data.pairs, held_out or kept),
        SupervisedLoss(data.pair_values, data.supervision),
        room,
        resolve_precision("float32", device),
        device,
    )
    return {
        "device": device.type,
        "threads": torch.get_num_threads(),
        "steps": steps,
        "step_seconds": whole,
        "naive_step_seconds": costs["batch"] + costs["naive"],
        "speedup": (costs["batch"] + costs["naive"]) / whole,
        "validation_kelvin": validation.measure(ours.result),
        "naive_validation_kelvin": validation.measure(naive.result),
        "images_per_second": (settings.batch_pairs + settings.batch_sources) / whole,
        **{f"{name}_share": share for name, share in parts.items()},
        "rest_share": 1 - sum(parts.values()),
    }


def _start(settings: TrainingSettings, data: TrainingData, device: torch.device) -> ThermalizerRun:
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(derive_seed(settings.seed, Stream.NETWORK))
        return ThermalizerRun(settings, data, resolve_precision(settings.precision, device), device)


def _time_terms(
    run: ThermalizerRun, data: TrainingData, batches, settings: TrainingSettings, device: torch.device, timed
) -> None:
    """Each part of a step on its own: the network forward and back, and each term forward and back to its image."""
    pair_batch, source_batch = batches
    rgb = torch.cat((pair_batch.rgb, source_batch.rgb))
    classes = torch.cat((pair_batch.classes, source_batch.known_classes))
    rooms = torch.cat((pair_batch.ambient_celsius, source_batch.ambient_celsius))
    precision = resolve_precision(settings.precision, device)

    def network() -> Tensor:
        celsius = run.network(rgb, classes, rooms, autocast_body(precision, device))
        torch.autograd.grad(celsius.mean(), list(run.network.parameters()), allow_unused=True)
        return celsius.detach()

    celsius = timed("network", network)
    paired, unpaired = (part.requires_grad_() for part in celsius.split((len(pair_batch.rgb), len(source_batch.rgb))))
    targets = torch.stack(
        [torch.from_numpy(data.prior_at(room).celsius) for room in source_batch.ambient_celsius.tolist()]
    ).to(device)
    terms = run.objective

    def supervised() -> Tensor:
        return terms.supervised(paired, pair_batch.thermal, pair_batch.mask, pair_batch.classes)

    def wasserstein() -> Tensor:
        generator = torch.Generator().manual_seed(0)
        real = [terms.bank.draw(s, terms.patches, generator).to(device) for s in range(len(terms.bank.scales))]
        return terms.wasserstein(unpaired, source_batch.foreground, real, generator)

    for name, image, term in (
        (
            "supervised",
            paired,
            lambda: terms.supervised(paired, pair_batch.thermal, pair_batch.mask, pair_batch.classes),
        ),
        ("wasserstein", unpaired, wasserstein),
        ("prior", unpaired, lambda: terms.prior(unpaired, source_batch.classes, targets)),
    ):
        timed(name, lambda image=image, term=term: torch.autograd.grad(term(), image))


def _synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
