"""Flow matching along straight lines (Liu et al., ICLR 2023; Lipman et al., ICLR 2023), as FLUX is trained.

    x_s = (1 - s) x_0 + s e,    v(x_s, s) = e - x_0,    loss = mean (v_found - v)^2

x_0 is a picture's latents, e normal noise, s the noise level in 0..1.
"""

import math
from typing import NamedTuple

import numpy as np
from torch import Tensor


class FlowSample(NamedTuple):
    """What a network is shown, and what it should answer; of the latents' shape."""

    noisy: Tensor
    velocity: Tensor


def mix_noise(clean: Tensor, noise: Tensor, sigmas: Tensor) -> FlowSample:
    """Go from pictures towards noise.

    Args:
        clean: (B, ...) latents.
        noise: (B, ...) normal noise.
        sigmas: (B,) noise levels; 0 is the picture, 1 the noise.
    """
    levels = sigmas.view(-1, *(1,) * (clean.ndim - 1))
    return FlowSample((1 - levels) * clean + levels * noise, noise - clean)


def draw_sigma(rng: np.random.Generator, kind: str, shift: float) -> float:
    """Draw a noise level.

    Args:
        rng: draws one number.
        kind: ``uniform``, or ``logit_normal``: 1 / (1 + exp(-n)) of a normal n (Esser et al., ICML 2024).
        shift: t becomes shift t / (1 + (shift - 1) t), the level at which a picture of shift^2 times as many pixels is
            as much disturbed (the same paper, eq. 23).
    """
    time = rng.uniform() if kind == "uniform" else 1 / (1 + math.exp(-rng.normal()))
    return shift * time / (1 + (shift - 1) * time)
