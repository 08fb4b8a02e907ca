"""The unpaired texture term: multi-scale patch Wasserstein-2 between generated and real thermal images.

    W = 1/S sum_s S_eps(P_s(generated), P_s(real))

P_s takes patches (:mod:`tfake.thermalizer.patches`) from the images downsampled by area by the factor s; a patch is a
point of R^(p^2), scaled by 1/p, so that a squared distance is a mean squared difference a pixel in K^2. S_eps is the
debiased Sinkhorn divergence

    S(x, y) = OT(x, y) - OT(x, x) / 2 - OT(y, y) / 2        (Feydy, PhD thesis 2020, eq. 3.209)

with cost |x - y|^2 and blur sigma in K, which tends to the squared Wasserstein-2 distance as sigma -> 0. This is the
patch term of the RGB2Thermal loss (Flotho et al., CVPR 2025; there with blur .001, without debiasing). Its gradient
reaches the generated images, through the patches and only there.

The iteration is geomloss's (algorithm 3.5 there: symmetric updates, the temperature annealed from the clouds' diameter
to the blur, one last step that carries the gradient), and so are its numbers. It is written anew since geomloss solves
pairs one after the other, each as four problems, hundreds of kernels each: here the four problems of all pairs are one
batch. Nor is geomloss's autograd switch, its logarithm of a diameter of 0 (its issue 51) or its bfloat16 in an autocast
region here.
"""

import math
from collections.abc import Sequence
from typing import Self

import torch
from torch import Tensor, nn

from tfake.thermalizer.objective import StepOutput
from tfake.thermalizer.pair_sampling import TrainingData
from tfake.thermalizer.patch_bank import PatchBank
from tfake.thermalizer.patches import downsample, standardise, take_patches
from tfake.thermalizer.thermalizer_settings import TrainingSettings
from tfake.training.loading import copy_to_device

#: Ratio of successive blurs in the annealing; at .5 (geomloss's default) the divergence may come out negative.
ANNEALING_RATIO = 0.7


def sinkhorn_divergence(x: Tensor, y: Tensor, blur: float) -> Tensor:
    """Debiased Sinkhorn divergence with cost |x - y|^2, close to the squared Wasserstein-2 distance.

    Where the clouds lie is taken off first, since squared distances are formed from inner products.

    Args:
        x: (S, N, D) points of S clouds, or (N, D) of one; float32 or float64.
        y: (S, M, D) or (M, D) points.
        blur: sigma, in the points' units, > 0.

    Returns:
        (S,), or a () scalar for one pair; differentiable in both clouds. A GPU is waited for once.
    """
    if x.ndim == 2:
        return sinkhorn_divergence(x[None], y[None], blur)[0]
    with torch.autocast(x.device.type, enabled=False):
        both = torch.cat((x, y), 1).detach()
        centre = both.mean(1, keepdim=True)
        x, y, both = x - centre, y - centre, both - centre
        diameters = (both.amax(1) - both.amin(1)).norm(dim=1)
        epsilon, starts = (copy_to_device(table.to(x.dtype), x.device) for table in _anneal(diameters.tolist(), blur))
        points = max(x.shape[1], y.shape[1])
        weights_x, weights_y = (_log_weights(cloud, points) for cloud in (x, y))
        x, y = _pad(x, points), _pad(y, points)
        # Potentials on x of x -> y, on y of y -> x, on x of x -> x, on y of y -> y; a quarter of the batch each.
        # At convergence a potential's gradient is that of its own points alone.
        pairs = ((x, y), (y, x), (x, x), (y, y))
        cost = torch.cat([_squared_distances(own, other.detach()) for own, other in pairs]) / 2
        weights = torch.cat((weights_y, weights_x, weights_x, weights_y))
        on_x, on_y, of_x, of_y = _solve(cost, weights, epsilon.repeat(1, 4)[..., None], starts.repeat(1, 4)[..., None])
        terms = (weights_x.exp() * (on_x - of_x)).sum(1) + (weights_y.exp() * (on_y - of_y)).sum(1)
        # The cost was halved, as geomloss has it.
        return 2 * terms


def _anneal(diameters: list[float], blur: float) -> tuple[Tensor, Tensor]:
    """Temperatures (K, S) of each step, and (K, S) bool whether a pair takes part in it; all pairs end together."""
    schedules = []
    for diameter in diameters:
        diameter = max(blur, diameter)
        steps = math.ceil(math.log(blur / diameter) / math.log(ANNEALING_RATIO))
        between = [diameter**2 * ANNEALING_RATIO ** (2 * step) for step in range(steps)]
        schedules.append([diameter**2, *between, blur**2])
    longest = max(map(len, schedules))
    waits = [longest - len(schedule) for schedule in schedules]
    epsilon = [wait * [schedule[0]] + schedule for wait, schedule in zip(waits, schedules, strict=True)]
    starts = [[step >= wait for step in range(longest)] for wait in waits]
    return torch.tensor(epsilon, dtype=torch.float64).T, torch.tensor(starts).T


def _solve(cost: Tensor, weights: Tensor, epsilon: Tensor, starts: Tensor) -> tuple[Tensor, ...]:
    """The potentials of the four problems, (S, N) each.

    Args:
        cost: (4 S, N, N), from the potential's own points to the other cloud's.
        weights: (4 S, N) logarithms of the other cloud's weights.
        epsilon: (K, 4 S, 1) temperatures.
        starts: (K, 4 S, 1), above 0 from the step on with which a problem begins.
    """
    with torch.no_grad():
        fixed = cost.detach()
        potentials = _soft_minimum(epsilon[0], fixed, weights)
        for temperature, started in zip(epsilon, starts, strict=True):
            updated = _soft_minimum(temperature, fixed, weights + _others(potentials) / temperature)
            potentials = torch.lerp(potentials, updated, 0.5 * started)
        others = weights + _others(potentials) / epsilon[-1]
    return _soft_minimum(epsilon[-1], cost, others).chunk(4)


def _others(potentials: Tensor) -> Tensor:
    """The potentials on the other cloud: those of x -> y and y -> x change places."""
    on_x, on_y, *own = potentials.chunk(4)
    return torch.cat((on_y, on_x, *own))


def _soft_minimum(temperature: Tensor, cost: Tensor, weights: Tensor) -> Tensor:
    """-e log sum_j exp(w_j - C_ij / e): (B, N) from (B, 1), (B, N, N) and (B, N)."""
    return -temperature * (weights[:, None] - cost / temperature[..., None]).logsumexp(2)


def _squared_distances(x: Tensor, y: Tensor) -> Tensor:
    return x.square().sum(2)[:, :, None] - 2 * (x @ y.mT) + y.square().sum(2)[:, None]


def _log_weights(cloud: Tensor, points: int) -> Tensor:
    """(S, points) logarithms of equal weights, which points that only fill the batch have none of."""
    count = cloud.shape[1]
    weights = cloud.new_full((len(cloud), points), -math.inf)
    weights[:, :count] = -math.log(count)
    return weights


def _pad(cloud: Tensor, points: int) -> Tensor:
    return torch.nn.functional.pad(cloud, (0, 0, 0, points - cloud.shape[1]))


def patch_wasserstein(
    generated: Tensor,
    mask: Tensor,
    real: Sequence[Tensor],
    *,
    places: Tensor,
    patch_pixels: int = 8,
    scales: Sequence[int] = (1, 2, 4),
    blur_kelvin: float = 0.3,
) -> Tensor:
    """The term W of this module's head, in K^2.

    Args:
        generated: (B, 1, H, W) degrees Celsius, float32 or float64.
        mask: (B, 1, H, W) bool, its foreground.
        real: for each scale (N, p^2) patches of real thermal images in degrees Celsius, or none, on generated's device;
            as many are taken from the generated images.
        places: (S, N) float64, uniform in [0, 1), on generated's device; decides which patches are taken.
        patch_pixels: edge p of a patch, the same at every scale.
        scales: downsampling factors.
        blur_kelvin: blur of the divergence.

    Returns:
        () scalar; a scale at which no patch fits inside the mask, or whose real patches are none, adds 0. The gradient
        is exactly 0 outside ``mask``.
    """
    # What lies outside may hold anything, NaN included; it must not pass through the downsampling.
    generated = torch.where(mask, generated, 0.0)
    smallest = min(generated.shape[2:])
    taken = []
    for factor, wanted, where in zip(scales, real, places, strict=True):
        if len(wanted) and smallest // factor >= patch_pixels:
            cut, fits = take_patches(*downsample(generated, mask, factor), patch_pixels, where)
            taken.append((cut, wanted.to(cut), fits))
    if not taken:
        return generated.sum() * 0
    x, y, fits = (torch.stack(parts) for parts in zip(*taken, strict=True))
    divergences = sinkhorn_divergence(x / patch_pixels, y / patch_pixels, blur_kelvin)
    return torch.where(fits, divergences, 0.0).sum() / len(scales)


class PatchWasserstein(nn.Module):
    """``patch_wasserstein`` against a bank of real patches."""

    def __init__(self, bank: PatchBank, blur_kelvin: float) -> None:
        """Keep the bank as buffers, on the device where it is compared: 16,384 patches at five scales are 21 MB.

        Args:
            bank: real patches; against ``relative`` ones the generated images are standardised, too.
            blur_kelvin: blur of the divergence.
        """
        super().__init__()
        self.bank, self.blur_kelvin = bank, blur_kelvin
        self._clouds = [f"real_{scale}" for scale in bank.scales]
        for name, cloud in zip(self._clouds, bank.patches, strict=True):
            self.register_buffer(name, torch.from_numpy(cloud), persistent=False)

    @classmethod
    def build(cls, settings: TrainingSettings, data: TrainingData) -> Self:
        """The term of a run.

        Raises:
            ValueError: the bank was sampled with other patches or scales than the settings ask for.
        """
        asked, bank = (settings.patch_pixels, tuple(settings.patch_scales)), data.bank
        if asked != (bank.patch_pixels, tuple(bank.scales)):
            raise ValueError(
                f"the patch bank holds patches of {bank.patch_pixels} pixels at the scales {tuple(bank.scales)}; the "
                f"settings ask for {asked[0]} pixels at {asked[1]}"
            )
        return cls(bank, settings.sinkhorn_blur_kelvin)

    def forward(self, step: StepOutput) -> Tensor:
        """Compare the source images' foreground with the step's real patches: () in K^2."""
        clouds, mask = [self.get_buffer(name) for name in self._clouds], step.source_batch.foreground
        real = [cloud[rows] if len(cloud) else cloud for cloud, rows in zip(clouds, step.draws.real, strict=True)]
        return self.distance(step.unpaired, mask, real, step.draws.places)

    def distance(self, generated: Tensor, mask: Tensor, real: Sequence[Tensor], places: Tensor) -> Tensor:
        """See ``patch_wasserstein``; relative patches are compared with standardised images."""
        if self.bank.values == "relative":
            generated = standardise(generated, mask)
        return patch_wasserstein(
            generated,
            mask,
            real,
            places=places,
            patch_pixels=self.bank.patch_pixels,
            scales=self.bank.scales,
            blur_kelvin=self.blur_kelvin,
        )
