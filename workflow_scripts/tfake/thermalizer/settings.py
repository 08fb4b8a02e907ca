"""Every number of a training run, checked once."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from tfake.thermalizer.crops import CropSettings
from tfake.thermalizer.network import PRECISIONS, Architecture

SCHEDULES = ("onecycle", "cosine", "step", "constant")


@dataclass(frozen=True)
class TrainingSettings:
    """How a thermalizer is trained.

    Attributes:
        steps: optimiser steps.
        batch_pairs: paired images a step.
        batch_sources: source images (RGB and class map, unpaired) a step.
        image_pixels: edge of the square crops the network trains on.
        largest_zoom: finest magnification of a crop, crop pixels a source pixel; the coarsest shows the whole image.
            1 trains on the native detail that inference meets.
        rotation_degrees: largest rotation of a crop, either way.
        shear_degrees: largest shear of a crop, either way.
        photometric_strength: how much colours and light are varied; 0 not at all, 1 as T-FAKE's training did.
        class_dropout: share of the source crops that the network sees without their class map.
        learning_rate: the schedule's peak.
        schedule: course of the learning rate: ``onecycle``, ``cosine``, ``step`` (a tenth after two fifths of the
            steps, as T-FAKE's after 4 of 10 epochs) or ``constant``.
        weight_decay: AdamW's decoupled weight decay.
        clip_norm: largest norm of the gradient.
        ema_decay: decay a step of the weights' exponential moving average, which becomes the result; 0: none.
        validation_share: share of the pairs that is held out, subject by subject, to validate on.
        validate_every: steps between two validations; 0: never.
        patience: validations without improvement after which training ends, with the best weights; 0: never.
        checkpoint_every: steps between two checkpoints; 0: none.
        weight_wasserstein: weight of the patch Wasserstein term against the supervised one; 0 leaves it out.
        weight_prior: weight of the temperature prior against the supervised one; 0 leaves it out.
        patch_pixels: edge of a Wasserstein patch.
        patch_scales: downsampling factors at which patches are taken.
        patches: patches of each kind, generated and real, at each scale.
        bank_patches: real patches a scale that the bank holds to draw from.
        sinkhorn_blur_kelvin: blur of the Sinkhorn divergence.
        encoder: the U-Net's encoder, a name of segmentation_models_pytorch.
        encoder_weights: None (random) or ``imagenet``.
        decoder_channels: channels of the U-Net's decoder, coarse to fine; their number is its depth. Four, not
            the usual five: a deeper body sees beyond the crops of training, learns their padding, and errs at 512.
        class_offset: whether a class map, where there is one, shifts what the image alone gives.
        output_celsius: (lowest, highest) temperature the network can give.
        precision: number format of the network's body: ``auto``, ``float32``, ``bfloat16`` or ``float16`` (GPUs alone).
        compile: whether ``torch.compile`` shall build the network's kernels: worth its minutes in long runs.
        seed: every random choice follows from it.
    """

    steps: int = 200
    batch_pairs: int = 4
    batch_sources: int = 4
    image_pixels: int = 160
    largest_zoom: float = 1.0
    rotation_degrees: float = 25.0
    shear_degrees: float = 8.0
    photometric_strength: float = 0.4
    class_dropout: float = 0.0
    learning_rate: float = 5e-3
    schedule: str = "onecycle"
    weight_decay: float = 1e-4
    clip_norm: float = 20.0
    ema_decay: float = 0.0
    validation_share: float = 0.125
    validate_every: int = 40
    patience: int = 0
    checkpoint_every: int = 100
    weight_wasserstein: float = 0.1
    weight_prior: float = 0.3
    patch_pixels: int = 8
    patch_scales: tuple[int, ...] = (1, 2, 4)
    patches: int = 192
    bank_patches: int = 4096
    sinkhorn_blur_kelvin: float = 0.3
    encoder: str = "tu-regnetx_002"
    encoder_weights: str | None = None
    decoder_channels: tuple[int, ...] = (64, 48, 32, 16)
    class_offset: bool = True
    output_celsius: tuple[float, float] = (10.0, 45.0)
    precision: str = "auto"
    compile: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: a value that cannot train, named with its key.
        """
        for key in ("steps", "batch_pairs", "batch_sources", "image_pixels", "patch_pixels", "patches", "bank_patches"):
            self._require(key, getattr(self, key) >= 1, "at least 1")
        for key in ("largest_zoom", "learning_rate", "clip_norm", "sinkhorn_blur_kelvin"):
            self._require(key, getattr(self, key) > 0, "above 0")
        for key in (
            "rotation_degrees",
            "shear_degrees",
            "photometric_strength",
            "weight_decay",
            "weight_wasserstein",
            "weight_prior",
            "validate_every",
            "patience",
            "checkpoint_every",
            "seed",
        ):
            self._require(key, getattr(self, key) >= 0, "at least 0")
        for key in ("class_dropout", "ema_decay", "validation_share"):
            self._require(key, 0 <= getattr(self, key) < 1, "at least 0 and below 1")
        can_validate = self.validation_share > 0 and self.validate_every > 0
        self._require("patience", self.patience == 0 or can_validate, "0 where nothing is validated")
        self._require("schedule", self.schedule in SCHEDULES, f"one of {', '.join(SCHEDULES)}")
        self._require(
            "patch_scales", len(self.patch_scales) > 0 and min(self.patch_scales) >= 1, "factors of at least 1"
        )
        low, high = self.output_celsius
        self._require("output_celsius", low < high, "(lowest, highest)")
        self._require("precision", self.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}")
        stride = 2 ** len(self.decoder_channels)
        self._require("image_pixels", self.image_pixels % stride == 0, f"a multiple of {stride}, the network's stride")

    def _require(self, key: str, holds: bool, expected: str) -> None:
        if not holds:
            raise ValueError(f"{key} must be {expected}; found {getattr(self, key)!r}")

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "TrainingSettings":
        """Build the settings from a config block; a key left out keeps its default.

        Args:
            mapping: key to value; lists stand for tuples.

        Returns:
            The settings.

        Raises:
            ValueError: an unknown key, or a value that cannot train.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(mapping) - known)
        if unknown:
            raise ValueError(f"unknown training settings: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in mapping.items()})

    def as_mapping(self) -> dict[str, Any]:
        """The settings as plain values that JSON and ``from_mapping`` take."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @property
    def crop(self) -> CropSettings:
        """Limits of the training's crops."""
        return CropSettings(
            pixels=self.image_pixels,
            largest_zoom=self.largest_zoom,
            rotation_degrees=self.rotation_degrees,
            shear_degrees=self.shear_degrees,
            photometric_strength=self.photometric_strength,
        )

    def architecture(self, ambient_celsius: tuple[float, float]) -> Architecture:
        """What weights trained with these settings fit.

        Args:
            ambient_celsius: lowest and highest temperature of the rooms it is trained for; of more than one room the
                network takes the temperature as an input.
        """
        low, high = self.output_celsius
        rooms = ambient_celsius if ambient_celsius[0] < ambient_celsius[1] else None
        return Architecture(
            self.encoder, tuple(self.decoder_channels), (float(low), float(high)), self.class_offset, rooms
        )
