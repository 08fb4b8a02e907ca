"""What distillation adds to a landmark loss, as pure functions: a divergence of Gaussians, a distance of features.

The idea that a visible-light teacher's knowledge is injected both ways between the two networks, with a weight that
fades, is that of Tong et al., arXiv 2510.11128 (MLCM-KD), of which neither code nor equations are public. The formulas
here are this project's own.
"""

from collections.abc import Sequence

from torch import Tensor

DECAYS = ("linear", "none")


def gaussian_divergence(found: Tensor, taught: Tensor, beta: float = 0.0) -> Tensor:
    """Kullback-Leibler divergence of a student's Gaussian from its teacher's, a coordinate.

        D = log(s_t / s_r) + (s_r^2 + e^2) / (2 s_t^2) - 1/2

    averaged over x and y, of which either has the deviation s_t of the student and s_r of the teacher and a distance
    whose mean square is e^2. It is 0 where both agree and above it elsewhere. With s_r towards 0 it becomes the
    likelihood of the teacher's point (:func:`tfake.landmarks.landmark_network.gaussian_nll`) but for what no student
    can change, so either may be weighted by the same power of the deviation.

    Args:
        found: (B, L, 3) x, y and sigma > 0 of the student, in crop widths.
        taught: (B, L, 3) of the teacher; no gradient reaches it.
        beta: 0 to 1: D is weighted by s_t^(2 beta), itself without a gradient.

    Returns:
        (B, L), at least 0.
    """
    taught = taught.detach()
    sigma, sigma_taught = found[..., 2], taught[..., 2]
    squared = (found[..., :2] - taught[..., :2]).square().mean(-1)
    divergence = (sigma / sigma_taught).log() + 0.5 * (sigma_taught.square() + squared) / sigma.square() - 0.5
    return divergence * sigma.detach().pow(2 * beta) if beta else divergence


def feature_distance(mapped: Sequence[Tensor], taught: Sequence[Tensor]) -> Tensor:
    """Mean squared distance of a student's features, mapped to the teacher's channels, from the teacher's.

        d = |A f_t - f_r|^2 / (C H W), averaged over the scales

    Args:
        mapped: (B, C, H, W) of each scale.
        taught: the same of the teacher; no gradient reaches it.

    Returns:
        (B,).
    """
    each = [
        (own.float() - other.detach().float()).square().mean((1, 2, 3))
        for own, other in zip(mapped, taught, strict=True)
    ]
    return sum(each) / len(each)


def decay_factor(step: int, steps: int, decay: str) -> float:
    """Weight of all that is distilled at a step: 1 - step / steps, or always 1.

    Args:
        step: from 0 on.
        steps: of the whole run.
        decay: one of ``DECAYS``.
    """
    return 1 - step / steps if decay == "linear" else 1.0
