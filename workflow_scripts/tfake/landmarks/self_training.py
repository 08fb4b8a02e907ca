"""A landmark network that learns from its own answers: on faces of one camera, each point as sure as it was found.

What is learnt is not a point but the Gaussian that several looks at a face came to (:mod:`tfake.landmarks.face_views`).
Against its density p the network's is q; their cross entropy a coordinate, without its constant, is

    l = log(sigma_q) + (e^2 + sigma_p^2) / (2 sigma_q^2),

e being the distance of the means: least at the mean of p and at its own deviation, so that a network which follows
itself does not become ever surer of it, as under the plain likelihood (sigma_p = 0). What is no face stays what it was:
textures, as in every training. In the end the weights are averaged with those of the start
(:mod:`tfake.training.averaging`).
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tfake.landmarks.crop_sampling import Crop, FaceSampler, LandmarkBatch
from tfake.landmarks.landmark_network import LandmarkNetwork, gaussian_nll, weighted_mean
from tfake.landmarks.landmark_settings import LandmarkSettings
from tfake.landmarks.pseudo_labels import PseudoFace
from tfake.training.averaging import freeze_statistics
from tfake.training.loading import TensorBatch
from tfake.training.loop import RunControl, TrainState, reproducible, run_steps
from tfake.training.rng import RngStream, derive_seed
from tfake.training.training_settings import autocast_body, resolve_precision

#: How a network is adapted unless it is said otherwise; the rest is as in a training from the start.
DEFAULTS: Mapping[str, Any] = {
    "steps": 100,
    "learning_rate": 3e-4,
    "batch": 24,
    "validate_every": 0,
    "checkpoint_every": 0,
    "thermal_share": 1.0,
    "background_share": 0.0,
    "precision": "float32",
}


def settings_for(network: LandmarkNetwork, **changes: Any) -> LandmarkSettings:
    """``DEFAULTS`` with changes, for a network as it is.

    Raises:
        ValueError: an unknown key, or a value that cannot train.
    """
    own = network.architecture
    kept = ("backbone", "head", "image_pixels", "thermal_stretch", "thermal_mirror", "neck_channels")
    return LandmarkSettings.from_mapping({**DEFAULTS, **{key: getattr(own, key) for key in kept}, **changes})


@dataclass(frozen=True)
class Sureness(TensorBatch):
    """How sure the points of a batch are: what lies beside :class:`LandmarkBatch`."""

    sigma: Tensor  # (B, L) float32 crop widths; 0 for textures


class PseudoSampler(FaceSampler):
    """Batches of crops of faces that nobody labelled, and how sure their points are."""

    def __init__(self, faces: Sequence[PseudoFace], settings: LandmarkSettings) -> None:
        """Keep the set; the caches give other objects, so a face is known by its points."""
        taught = [face.to_learn_from() for face in faces]
        super().__init__(taught, len(faces[0].points), settings)
        self._sigma = {id(face.points): pseudo.sigma for face, pseudo in zip(taught, faces, strict=True)}

    def batches(self, step: int) -> tuple[TensorBatch, ...]:
        """The batch of a step, and how sure its points are."""
        crops = self._draw_crops(step)
        return self._collate(crops), Sureness(torch.from_numpy(np.stack([self._sigma_of(crop) for crop in crops])))

    def _sigma_of(self, crop: Crop) -> np.ndarray:
        if crop.face is None:
            return np.zeros(len(self._order), np.float32)
        determinant = float(np.linalg.det(crop.matrix[:, :2]))
        sigma = self._sigma[id(crop.face.points)]
        # A mirror, whose points have changed sides, has a negative determinant.
        ordered = sigma[self._order] if determinant < 0 else sigma
        return (ordered / (np.sqrt(abs(determinant)) * self._settings.image_pixels)).astype(np.float32)


def cross_entropy(found: Tensor, points: Tensor, sigma: Tensor, beta: float = 0.0) -> Tensor:
    """Cross entropy a coordinate of answers against Gaussians, weighted by the answers' sigma^(2 beta).

    Args:
        found: (B, L, 3) x, y and sigma > 0, from the network.
        points: (B, L, 2) means, in the same unit.
        sigma: (B, L) standard deviations; 0: the plain likelihood (:func:`gaussian_nll`).
        beta: 0 to 1.

    Returns:
        (B, L).
    """
    own = found[..., 2]
    spread = 0.5 * (sigma / own).square()
    return gaussian_nll(found, points, beta) + (spread * own.detach().pow(2 * beta) if beta else spread)


class SelfTrainState(TrainState):
    """A landmark network that learns from its own answers.

    Terms: the loss; the mean distance of face points from what they were, in crop widths.
    """

    term_names = ("total", "distance")
    _settings: LandmarkSettings

    def __init__(
        self, settings: LandmarkSettings, network: LandmarkNetwork, precision: str, device: torch.device
    ) -> None:
        """Start at step 0 with a copy of the network, whose normalisation keeps its statistics."""
        super().__init__(settings, freeze_statistics(copy.deepcopy(network).to(device).train()), precision, device)

    def compute(self, step: int, batch: LandmarkBatch, sureness: Sureness) -> tuple[Tensor, ...]:
        """The loss terms of a step."""
        found = self._forward(batch.images, autocast_body(self._precision, self._device))
        loss = cross_entropy(found, batch.points, sureness.sigma, self._settings.nll_beta)
        with torch.no_grad():
            distance = (found[..., :2] - batch.points).norm(dim=-1)
            away = weighted_mean(distance, batch.weights * batch.is_face[:, None])
        return weighted_mean(loss, batch.weights), away


def self_train(
    network: LandmarkNetwork, faces: Sequence[PseudoFace], settings: LandmarkSettings, device: torch.device
) -> LandmarkNetwork:
    """Let a network learn from its own answers; on one machine and thread count the result depends on both alone.

    Args:
        network: to begin with; it stays as it is.
        faces: what it was sure of.
        settings: of the run, from ``settings_for``.
        device: where to compute.

    Returns:
        Another network, in evaluation mode on the CPU; its scale of deviations is the old one.

    Raises:
        FloatingPointError: the loss is not finite any more.
    """
    sampler = PseudoSampler(faces, settings)
    with reproducible(derive_seed(settings.seed, RngStream.NETWORK), device):
        run = SelfTrainState(settings, network, resolve_precision(settings.precision, device), device)
        run_steps(run, settings, sampler.batches, None, RunControl(device), "adapt")
        return run.finish().cpu()
