"""The debiased Sinkhorn divergence of many pairs of point clouds at once.

    S(x, y) = OT(x, y) - OT(x, x) / 2 - OT(y, y) / 2        (Feydy, PhD thesis 2020, eq. 3.209)

with cost |x - y|^2 and blur sigma, which tends to the squared Wasserstein-2 distance as sigma -> 0. The iteration is
geomloss's (algorithm 3.5 there: symmetric updates, the temperature annealed from the clouds' diameter to the blur, one
last step that carries the gradient), and so are its numbers. It is written anew since geomloss solves pairs one after
the other, each as four problems, hundreds of kernels each: here the four problems of all pairs are one batch. Nor is
geomloss's autograd switch, its logarithm of a diameter of 0 (its issue 51) or its bfloat16 in an autocast region here.

The unpaired texture term: multi-scale patch Wasserstein-2 between generated and real thermal images.

    W = 1/S sum_s S_eps(P_s(generated), P_s(real))

P_s takes square patches of p x p pixels, wholly inside the foreground, from the images downsampled by area by the
factor s; a patch is a point of R^(p^2), scaled by 1/p, so that a squared distance is a mean squared difference a pixel
in K^2. S_eps is the debiased Sinkhorn divergence with cost |x - y|^2 and blur sigma
in K, which tends to the squared Wasserstein-2 distance as sigma -> 0. This is the patch term of the RGB2Thermal loss
(Flotho et al., CVPR 2025; there with blur .001, without debiasing). Its gradient reaches the generated images, through
the patches and only there.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tfake.thermalizer.supervised import RELATIVE_SPREAD_KELVIN
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


# Images flatter than this (in the units of the values) are not amplified to unit spread.
_FLAT = 1e-3


def standardise(values: Tensor, mask: Tensor, spread: float = RELATIVE_SPREAD_KELVIN) -> Tensor:
    """Give each image mean 0 and standard deviation ``spread`` over its mask, so that scale and offset are gone.

    Args:
        values: (B, 1, H, W) floating.
        mask: (B, 1, H, W) bool.
        spread: the standard deviation after it.

    Returns:
        (B, 1, H, W), 0 outside the mask; differentiable.
    """
    count = mask.sum((2, 3), keepdim=True).clamp(min=1)
    values = torch.where(mask, values, 0.0)
    centred = torch.where(mask, values - values.sum((2, 3), keepdim=True) / count, 0.0)
    deviation = (centred.square().sum((2, 3), keepdim=True) / count).clamp(min=_FLAT**2).sqrt()
    return spread * centred / deviation


def sample_patches(
    images: Tensor, mask: Tensor, patch_pixels: int, patches: int, generator: torch.Generator
) -> Tensor | None:
    """Draw patches that lie wholly inside the mask, uniformly over their positions, with replacement.

    Args:
        images: (B, 1, H, W) floating.
        mask: (B, 1, H, W) bool, the foreground.
        patch_pixels: edge p of a patch.
        patches: how many to draw, over all images.
        generator: a CPU generator.

    Returns:
        (patches, p^2), differentiable; None when no patch fits inside the mask.
    """
    if min(images.shape[2:]) < patch_pixels:
        return None
    fitting = _count_fitting(mask, patch_pixels)
    places = int(fitting[-1])
    if not places:
        return None
    return _cut(images, fitting, patch_pixels, torch.randint(places, (patches,), generator=generator))


def take_patches(images: Tensor, mask: Tensor, patch_pixels: int, places: Tensor) -> tuple[Tensor, Tensor]:
    """As ``sample_patches`` with places that were drawn before; a GPU is not waited for.

    Args:
        images: (B, 1, H, W) floating, at least as large as a patch.
        mask: (B, 1, H, W) bool, the foreground.
        patch_pixels: edge p of a patch.
        places: (N,) float64, uniform in [0, 1): which of the places where a patch fits, on the images' device.

    Returns:
        (N, p^2), differentiable, and () bool whether any patch fits: without one they are cut anywhere.
    """
    fitting = _count_fitting(mask, patch_pixels)
    return _cut(images, fitting, patch_pixels, (places * fitting[-1]).long()), fitting[-1] > 0


def _count_fitting(mask: Tensor, patch_pixels: int) -> Tensor:
    """(places,) int64: how many of the places so far, image by image and row by row, have a patch inside the mask."""
    # The sliding minimum of the mask marks every top-left corner of a patch without a background pixel.
    return (F.max_pool2d((~mask).float(), patch_pixels, stride=1) == 0).flatten().cumsum(0)


def _cut(images: Tensor, fitting: Tensor, patch_pixels: int, ranks: Tensor) -> Tensor:
    """(N, p^2): the patches at some of the places that fit, by their number among these."""
    rows, columns = (edge - patch_pixels + 1 for edge in images.shape[2:])
    # Where nothing fits, the search ends behind the last place.
    corners = torch.searchsorted(fitting, ranks.to(fitting.device), right=True).clamp(max=len(fitting) - 1)
    image, top, left = corners // (rows * columns), corners // columns % rows, corners % columns
    along = torch.arange(patch_pixels, device=images.device)
    row, column = top[:, None, None] + along[:, None], left[:, None, None] + along
    return images[image[:, None, None], 0, row, column].flatten(1)


def downsample(images: Tensor, mask: Tensor, factor: int) -> tuple[Tensor, Tensor]:
    """Shrink by area; a pixel stays foreground when every pixel it came from was.

    Args:
        images: (B, 1, H, W) floating.
        mask: (B, 1, H, W) bool.
        factor: whole number >= 1; rows and columns beyond a multiple of it are dropped.

    Returns:
        (B, 1, H // factor, W // factor) images and bool mask.
    """
    if factor == 1:
        return images, mask
    return F.avg_pool2d(images, factor), -F.max_pool2d(-mask.float(), factor) > 0


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
    """``patch_wasserstein`` with its settings, for one declaration of what the real values mean."""

    def __init__(self, *, values: str, patch_pixels: int, scales: Sequence[int], blur_kelvin: float) -> None:
        """Keep the settings.

        Args:
            values: what the real patches hold: ``celsius``, or ``relative``, standardised over each image's
                foreground, as the generated images then are, too.
            patch_pixels: edge of a patch.
            scales: downsampling factors.
            blur_kelvin: blur of the divergence.
        """
        super().__init__()
        self.values = values
        self.settings = {"patch_pixels": patch_pixels, "scales": tuple(scales), "blur_kelvin": blur_kelvin}

    def forward(self, generated: Tensor, mask: Tensor, real: Sequence[Tensor], places: Tensor) -> Tensor:
        """See ``patch_wasserstein``."""
        if self.values == "relative":
            generated = standardise(generated, mask)
        return patch_wasserstein(generated, mask, real, places=places, **self.settings)
