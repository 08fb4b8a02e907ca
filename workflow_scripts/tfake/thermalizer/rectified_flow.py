"""Rectified flow matching (Lipman et al. 2023; Liu et al. 2023): straight paths from data to noise, and their velocity.

    x_t = (1 - t) x_0 + t x_1,    v = dx_t/dt = x_1 - x_0

with x_0 data and x_1 ~ N(0, 1) noise. Noise that is carried along the mean velocity at x_t and t from t = 1 to t = 0
becomes a sample of the data. A network that gives the mean d of the data at x_t gives that velocity,

    v_hat = (x_t - d) / t,    (v_hat - v)^2 = (d - x_0)^2 / t^2

so that flow matching is a mean square of the data's own with a weight that falls with t. Such a network has the better
start: one that is trained little gives a mean image, where one that gives v itself would leave noise behind (Li and He
2025, arXiv 2511.13720). At t = 1, where x_t is noise alone, d is the mean of the data that the conditions leave.
"""

from collections.abc import Callable

import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from torch import Tensor

#: Where the weight of flow matching stops to rise: later than any step of the sampling's default asks for.
LEAST_TIME = 0.1


def interpolate(data: Tensor, noise: Tensor, times: Tensor) -> Tensor:
    """x_t: (B, C, H, W) of data and noise of that shape and (B,) times in [0, 1]."""
    times = times[:, None, None, None]
    return (1 - times) * data + times * noise


def velocity_error(estimate: Tensor, data: Tensor, times: Tensor) -> Tensor:
    """v_hat - v of estimated and true data; shapes are as of ``interpolate``.

    Below ``LEAST_TIME`` it is that of ``LEAST_TIME``: x_t is the data there, all but its noise.
    """
    return (data - estimate) / times.clamp(min=LEAST_TIME)[:, None, None, None]


def integrate(estimate_at: Callable[[Tensor, Tensor], Tensor], noise: Tensor, steps: int) -> Tensor:
    """Carry noise to data by Euler's method, from t = 1 to t = 0 in equal steps.

    Args:
        estimate_at: the data d at (B, C, H, W) points and (B,) times.
        noise: (B, C, H, W) float32, x_1.
        steps: how many; each asks for one estimate, and the last of them is what is returned.

    Returns:
        (B, C, H, W) float32.
    """
    # One of its own for each call: it counts steps, and several threads sample at once.
    scheduler = FlowMatchEulerDiscreteScheduler()
    # Its own choice of times spends the last step on the last thousandth.
    scheduler.set_timesteps(sigmas=np.linspace(1, 1 / steps, steps).tolist())
    # Otherwise each step looks its time up, which a GPU's work would wait for.
    scheduler.set_begin_index(0)
    points = noise
    for time, sigma in zip(scheduler.timesteps, scheduler.sigmas.tolist(), strict=False):
        times = torch.full((len(noise),), sigma, device=noise.device)
        velocity = (points - estimate_at(points, times)) / sigma
        points = scheduler.step(velocity, time, points).prev_sample
    return points
