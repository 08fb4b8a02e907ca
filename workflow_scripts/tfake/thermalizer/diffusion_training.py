"""Training a diffusion thermalizer: flow matching on pairs, and the temperature prior on sources.

    L = s^2 mean (v_hat - v)^2 + w_R R

The first term is over the foreground of paired images, at times and with noise drawn for the step: with s, the K of one
unit of noise, it is in K^2. R is the prior of :mod:`tfake.thermalizer.temperature_prior` on sources, which have no
thermal partner: at noise alone (t = 1) the network gives the mean of what it would draw for a source, and that mean is
held to the table and the heat field. It is the physics that no pair has to show.

Pairs of another room (``within_class``) lose the mean of each class about the base image, so that a class is as warm as
the prior says. Relative pairs have no temperatures to draw, and are refused.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from tfake.archive.pairs import Pair
from tfake.thermalizer.diffusion_settings import DiffusionSettings
from tfake.thermalizer.pair_sampling import PairBatch, SourceBatch, TrainingData
from tfake.thermalizer.rectified_flow import interpolate, velocity_error
from tfake.thermalizer.supervised import celsius_mse, class_means
from tfake.thermalizer.temperature_prior import TemperaturePrior
from tfake.thermalizer.thermal_diffusion import ThermalDenoiser, ThermalDiffusion
from tfake.thermalizer.thermalizer_training import PairedTrainState, build_samplers
from tfake.training.distributed import current_shard
from tfake.training.loading import TensorBatch
from tfake.training.rng import ProcessShard, RngStream
from tfake.training.training_settings import autocast_body


@dataclass(frozen=True)
class FlowDraws(TensorBatch):
    """What a step draws, beside its crops."""

    targets: Tensor  # (C, 19) float32 degrees Celsius that the prior expects of each source crop's classes
    times: Tensor  # (B,) float32 in [0, 1): where on its path each pair is
    noise: Tensor  # (B, 1, P, P) float32 of the pairs
    source_noise: Tensor  # (C, 1, P, P) float32 of the sources


class DiffusionTrainState(PairedTrainState):
    """A diffusion thermalizer's denoiser in training.

    Attributes:
        prior: the temperature prior.
    """

    def __init__(self, settings: DiffusionSettings, data: TrainingData, precision: str, device: torch.device) -> None:
        """Start at step 0; random weights come from torch's global generator.

        Raises:
            ValueError: the pairs are relative.
        """
        if data.pair_values != "celsius":
            raise ValueError(
                f"a diffusion thermalizer draws temperatures: expected pairs in 'celsius', found {data.pair_values!r}"
            )
        network = ThermalDenoiser(settings.architecture(data.ambient_celsius)).set_base(data)
        super().__init__(settings, network.to(device).train(), precision, device)
        self.term_names = ("total", "flow", "prior")
        self.prior = TemperaturePrior.build(settings, data).to(device)
        self._weight_prior, self._within_class = settings.weight_prior, data.supervision == "within_class"

    def compute(
        self, step: int, pair_batch: PairBatch, source_batch: SourceBatch, draws: FlowDraws
    ) -> tuple[Tensor, ...]:
        """The loss terms of a step."""
        network, kelvin = self.network, self.network.architecture.residual_kelvin
        of_pairs = network.conditions(pair_batch.rgb, pair_batch.classes, pair_batch.ambient_celsius, pair_batch.field)
        of_sources = network.conditions(
            source_batch.rgb, source_batch.known_classes, source_batch.ambient_celsius, source_batch.field
        )
        residual = torch.where(pair_batch.mask, (pair_batch.thermal - of_pairs.base) / kelvin, 0.0)
        if self._within_class:
            residual = residual - class_means(residual, pair_batch.mask, pair_batch.classes)
        noisy = interpolate(residual, draws.noise, draws.times)
        start = torch.ones_like(source_batch.ambient_celsius)
        # One forward pass for both, as processes of a group count them.
        estimate = self._forward(
            torch.cat((noisy, draws.source_noise)),
            torch.cat((draws.times, start)),
            torch.cat((of_pairs.planes, of_sources.planes)),
            torch.cat((of_pairs.inside, of_sources.inside)),
            autocast_body(self._precision, self._device),
        )
        paired, unpaired = estimate.split((len(noisy), len(start)))
        error = kelvin * velocity_error(paired, residual, draws.times)
        flow = celsius_mse(error, torch.zeros_like(error), pair_batch.mask)
        prior = self.prior.compare(of_sources.base + kelvin * unpaired, source_batch, draws.targets)
        return flow + self._weight_prior * prior, flow, prior

    def finish(self) -> nn.Module:
        """See ``TrainState.finish``: the sampler of the denoiser that was trained."""
        denoiser = super().finish()
        return ThermalDiffusion(denoiser.architecture, denoiser).eval()

    @classmethod
    def make_batches(
        cls, settings: DiffusionSettings, data: TrainingData, pairs: Sequence[Pair], shard: ProcessShard
    ) -> Callable[[int], tuple]:
        """See ``PairedTrainState``."""
        of_pairs, of_sources = build_samplers(settings, data, pairs, shard)
        seed, pixels = settings.seed, settings.image_pixels

        def make(step: int) -> tuple[PairBatch, SourceBatch, FlowDraws]:
            sources = of_sources.batch(step)
            targets = [data.prior_at(ambient).celsius for ambient in sources.ambient_celsius.tolist()]
            times, noise = _draw(seed, RngStream.FLOW, step, settings.batch_pairs, pixels, shard)
            # Times of sources are 1.
            _, source_noise = _draw(seed, RngStream.SOURCE_FLOW, step, settings.batch_sources, pixels, shard)
            draws = FlowDraws(torch.from_numpy(np.stack(targets)), times, noise, source_noise)
            return of_pairs.batch(step), sources, draws

        return make

    @staticmethod
    def predict(network: nn.Module, batch: PairBatch, step: int, body: AbstractContextManager) -> Tensor:
        """See ``PairedTrainState``: one draw for each crop, of the same noise whenever it is validated."""
        count, _, pixels, _ = batch.rgb.shape
        shard = current_shard()
        seed = network.architecture.sampling_seed
        _, noise = _draw(seed, RngStream.VALIDATION_FLOW, step, count * shard.world_size, pixels, shard)
        sampler = ThermalDiffusion(network.architecture, network)
        return sampler(batch.rgb, batch.classes, batch.ambient_celsius, batch.field, body, noise.to(batch.rgb.device))


def _draw(
    seed: int, stream: RngStream, step: int, batch: int, pixels: int, shard: ProcessShard
) -> tuple[Tensor, Tensor]:
    """Times and noise of the crops of a batch that a process makes; the times are spread evenly over the batch."""
    times, noise = [], []
    for place in range(shard.rank, batch, shard.world_size):
        rng = np.random.default_rng([seed, stream, step, place])
        times.append((place + rng.random()) / batch)
        noise.append(rng.standard_normal((1, pixels, pixels), np.float32))
    return torch.tensor(times, dtype=torch.float32), torch.from_numpy(np.stack(noise))
