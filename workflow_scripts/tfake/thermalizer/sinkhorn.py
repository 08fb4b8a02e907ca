"""The debiased Sinkhorn divergence of many pairs of point clouds at once.

    S(x, y) = OT(x, y) - OT(x, x) / 2 - OT(y, y) / 2        (Feydy, PhD thesis 2020, eq. 3.209)

with cost |x - y|^2 and blur sigma, which tends to the squared Wasserstein-2 distance as sigma -> 0. The iteration is
geomloss's (algorithm 3.5 there: symmetric updates, the temperature annealed from the clouds' diameter to the blur, one
last step that carries the gradient), and so are its numbers. It is written anew since geomloss solves pairs one after
the other, each as four problems, hundreds of kernels each: here the four problems of all pairs are one batch. Nor is
geomloss's autograd switch, its logarithm of a diameter of 0 (its issue 51) or its bfloat16 in an autocast region here.
"""

import math

import torch
from torch import Tensor

from tfake.training.transfer import send

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
        epsilon, starts = (send(table.to(x.dtype), x.device) for table in _anneal(diameters.tolist(), blur))
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
