"""Training a landmark network: its loss, how it is validated, and how its standard deviations are calibrated."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from tfake.core.codes import BOTH_POINTS, LANDMARKS
from tfake.landmarks.crop_sampling import FaceSampler, LandmarkBatch
from tfake.landmarks.initial_weights import load_initial_weights
from tfake.landmarks.landmark_network import (
    Calibration,
    LandmarkNetwork,
    choose_threshold,
    fit_temperature,
    gaussian_nll,
    weighted_mean,
)
from tfake.landmarks.landmark_settings import LandmarkSettings
from tfake.landmarks.real_faces import REAL
from tfake.landmarks.scoring import center_crops, negative_sigma, score, texture_sigma, window_sigma
from tfake.training.distributed import all_reduce_sum, shard_of_batch
from tfake.training.loading import SCRATCH_BYTES, ScratchFile
from tfake.training.loop import RunControl, TrainState, reproducible, run_steps
from tfake.training.rng import RngStream, derive_seed
from tfake.training.training_faces import TrainingFace
from tfake.training.training_settings import autocast_body, resolve_precision

#: Faces of a validation, at most: it is a pause in the training.
VALIDATION_FACES = 48
_TEXTURES = 256


class LandmarkTrainState(TrainState):
    """A landmark network in training.

    Terms: the loss; the negative log-likelihood of face and of texture points, without the weight of ``nll_beta``; the
    mean distance of face points from the truth, in crop widths. The validation error is an NME, over sqrt(w h) of
    the face's box.
    """

    term_names = ("total", "faces", "textures", "distance")
    _settings: LandmarkSettings

    def __init__(
        self,
        settings: LandmarkSettings,
        landmarks: int,
        precision: str,
        device: torch.device,
        encoder: Path | None = None,
        is_checked_on_real: bool = False,
        initial: Path | None = None,
        is_frozen: bool = False,
    ) -> None:
        """Start at step 0; random weights come from torch's global generator.

        Args:
            settings: of the run.
            landmarks: 70, 478, or 548 for both.
            precision: number format of the network's body.
            device: where to compute.
            encoder: file of the weights that ``settings.pretrained`` asks for; None: they are fetched.
            is_checked_on_real: whether an error on real faces is recorded beside the validation error.
            initial: file to begin with (:mod:`tfake.landmarks.initial_weights`); None: random weights, or the encoder.
            is_frozen: whether the backbone stays as it is, its statistics, too.
        """
        if is_checked_on_real:
            self.validation_names = ("validation", "validation_real")
        network = LandmarkNetwork(settings.architecture(landmarks), encoder or settings.pretrained)
        if initial is not None:
            load_initial_weights(network, initial)
        self._is_frozen = is_frozen
        network.body.backbone.requires_grad_(not is_frozen)
        super().__init__(settings, self._wrap(network).to(device).train(), precision, device)

    def _wrap(self, network: LandmarkNetwork) -> nn.Module:
        """The module that is trained, which holds the network."""
        return network

    @staticmethod
    def landmarker(trained: nn.Module) -> LandmarkNetwork:
        """The network out of the module that is trained."""
        return trained

    def compute(self, step: int, batch: LandmarkBatch) -> tuple[Tensor, ...]:
        """The loss terms of a step."""
        if self._is_frozen:
            self.landmarker(self.network).body.backbone.eval()
        return self._supervise(self._forward(batch.images, autocast_body(self._precision, self._device)), batch)

    def _supervise(self, found: Tensor, batch: LandmarkBatch) -> tuple[Tensor, ...]:
        """The terms of answers (B, L, 3) to a batch."""
        beta = self._settings.nll_beta
        total = weighted_mean(gaussian_nll(found, batch.points, beta), batch.weights)
        with torch.no_grad():
            plain = gaussian_nll(found, batch.points)
            distance = (found[..., :2] - batch.points).norm(dim=-1)
            of_faces = batch.weights * batch.is_face[:, None]
            of_textures = batch.weights * ~batch.is_face[:, None]
            terms = [weighted_mean(*pair) for pair in ((plain, of_faces), (plain, of_textures), (distance, of_faces))]
        return total, *terms


class Teaching(Protocol):
    """Another way to train the same network: what a step is given, and what it does with it."""

    def make_sampler(self, *arguments: Any, **named: Any) -> FaceSampler:
        """A sampler of what ``LandmarkTrainState.compute`` takes, of the arguments of ``FaceSampler``."""

    def make_run(self, *arguments: Any) -> LandmarkTrainState:
        """A run's state, of the arguments of ``LandmarkTrainState``."""


@dataclass(frozen=True)
class TrainedLandmarker:
    """A finished run.

    Attributes:
        network: the network, in evaluation mode, its standard deviations scaled.
        calibration: scale and threshold.
        losses: one row a step with the columns ``LandmarkTrainState.columns``.
        precision: the number format that the body was trained in.
        validation_nme: NME of the finished network by spectrum, ``rgb`` or a variant, on validation faces; and of
            ``real`` thermal faces, where some are held out.
    """

    network: LandmarkNetwork
    calibration: Calibration
    losses: pd.DataFrame
    precision: str
    validation_nme: dict[str, float]


def train_landmarks(
    settings: LandmarkSettings,
    faces: Sequence[TrainingFace],
    held_out: Sequence[TrainingFace],
    landmarks: int,
    control: RunControl,
    scratch_folder: str | Path | None = None,
    encoder: Path | None = None,
    real: Sequence[TrainingFace] = (),
    real_held_out: Sequence[TrainingFace] = (),
    others: Sequence[TrainingFace] = (),
    initial: Path | None = None,
    teaching: Teaching | None = None,
    is_frozen: bool = False,
) -> TrainedLandmarker:
    """Train a landmark network; on one machine and thread count the result depends on settings and faces alone.

    Args:
        settings: every number of the run.
        faces: what it learns from.
        held_out: other people, to validate and to calibrate on.
        landmarks: 70, 478, or 548 for both.
        control: where it computes, and how it is stopped and goes on.
        scratch_folder: where visible images are kept that memory has no room for
            (:class:`tfake.training.loading.ScratchFile`); None: they are decoded each time. No result depends on it.
        encoder: file of the weights that ``settings.pretrained`` asks for; None: they are fetched.
        real: real thermal faces to learn from beside the others (:mod:`tfake.landmarks.real_faces`).
        real_held_out: others to report an error on; no decision and no calibration depends on them.
        others: faces of other runs to learn from beside the first.
        initial: file of weights to begin with (:mod:`tfake.landmarks.initial_weights`); None: random ones, or the
            encoder's.
        teaching: another way to train, such as :class:`tfake.landmarks.distillation_training.Distillation`.
        is_frozen: whether the backbone stays as it begins.

    Returns:
        The network, its calibration and its loss curves.

    Raises:
        ValueError: there are no faces on either side, a batch cannot be split evenly, or values are unknown.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: the control's ``is_stopping`` said yes.
    """
    device = control.device
    precision, shard = resolve_precision(settings.precision, device), shard_of_batch(settings.batch)
    if not len(held_out):
        raise ValueError("there are no faces to validate on: a split of so few images has an empty part")
    scratch = None if scratch_folder is None else ScratchFile(scratch_folder, SCRATCH_BYTES // shard.world_size)
    make_sampler = FaceSampler if teaching is None else teaching.make_sampler
    make_run = LandmarkTrainState if teaching is None else teaching.make_run
    sampler = make_sampler(faces, landmarks, settings, shard, scratch=scratch, real=real, others=others)
    chosen = np.unique(np.linspace(0, len(held_out) - 1, min(len(held_out), VALIDATION_FACES)).astype(int))
    held = [held_out[place] for place in chosen.tolist()]
    # Each process of a group scores its part of them, where there are enough.
    own = held[shard.rank :: shard.world_size] if len(held) >= shard.world_size else held
    crops_of = _validation_crops(own, settings, control.workers) if settings.validate_every else {}
    real_crops = center_crops(real_held_out, REAL, settings.image_pixels) if len(real_held_out) else None

    def measure(trained: nn.Module) -> tuple[float, ...]:
        network, was_training = run.landmarker(trained), trained.training
        trained.eval()
        *errors, count = all_reduce_sum(
            [float(score(network, crops, device).errors.sum(dtype=np.float64)) for crops in crops_of.values()]
            + [len(own)]
        )
        on_real = () if real_crops is None else (score(network, real_crops, device).nme,)
        trained.train(was_training)
        return float(np.mean(errors)) / count, *on_real

    with reproducible(derive_seed(settings.seed, RngStream.NETWORK), device):
        run = make_run(settings, landmarks, precision, device, encoder, real_crops is not None, initial, is_frozen)
        losses = run_steps(
            run,
            settings,
            sampler.batches,
            measure if settings.validate_every else None,
            control,
            f"train landmarks {landmarks}",
        )
        network = run.landmarker(run.finish())
    if shard.world_size > 1 or not crops_of:
        crops_of = _validation_crops(held, settings, control.workers)
    calibration, errors = _calibrate(network, held, crops_of, settings, device)
    if real_crops is not None:
        errors[REAL] = score(network, real_crops, device).nme
    return TrainedLandmarker(network, calibration, losses, precision, errors)


def _validation_crops(
    held: Sequence[TrainingFace], settings: LandmarkSettings, workers: int
) -> dict[str, tuple[np.ndarray, ...]]:
    """Crops of each spectrum that the run learns from, ``rgb`` or a variant."""
    spectra = [None] if settings.thermal_share < 1 else []
    spectra += sorted(held[0].variants) if settings.thermal_share > 0 else []
    return {
        variant or "rgb": center_crops(held, variant, settings.image_pixels, workers=workers) for variant in spectra
    }


def _calibrate(
    network: LandmarkNetwork,
    held: Sequence[TrainingFace],
    crops_of: dict[str, tuple[np.ndarray, ...]],
    settings: LandmarkSettings,
    device: torch.device,
) -> tuple[Calibration, dict[str, float]]:
    temperature = 1.0
    # Twice: what lies between the answers on a crop and on its mirror image is not scaled.
    for _ in range(2):
        scores = {name: score(network, crops, device) for name, crops in crops_of.items()}
        distances, sigma = (np.concatenate(parts) for parts in zip(*(s.counted for s in scores.values()), strict=True))
        factor = fit_temperature(distances, sigma)
        network.scale_sigma(factor)
        temperature *= factor
    # Of a network for both sets the 70 points are what a search looks at.
    searching = network.select(LANDMARKS) if network.architecture.landmarks == BOTH_POINTS else network
    on_faces = np.concatenate([window_sigma(searching, images, device) for images, _, _ in crops_of.values()])
    others = [texture_sigma(searching, _TEXTURES, derive_seed(settings.seed, RngStream.VALIDATION), device)]
    others += [negative_sigma(searching, held, None if name == "rgb" else name, device) for name in crops_of]
    calibration = Calibration(temperature, choose_threshold(on_faces, np.concatenate(others)))
    return calibration, {name: s.nme for name, s in scores.items()}
