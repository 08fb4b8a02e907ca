"""How much the check does: all of it on a card, next to nothing on a CPU, where it only tests itself."""

import os
from dataclasses import dataclass, replace

import torch

from presets import LANDMARKERS, THERMALIZERS
from tfake.landmarks.landmark_settings import LandmarkSettings
from tfake.thermalizer.thermalizer_settings import TrainingSettings


@dataclass(frozen=True)
class Size:
    """Numbers of the check.

    Attributes:
        steps: of each training that is compared.
        preset_steps: over which a preset's step is timed, behind as many that do not count.
        workers: threads beside the network.
        pixels: edge of the images that are thermalized.
        images: how many are, by a job.
        network_batches: batches over which the network alone is timed.
        is_tiny: whether the trainings' networks and batches are shrunk.
    """

    steps: int
    preset_steps: int
    workers: int
    pixels: int
    images: int
    network_batches: int
    is_tiny: bool

    @classmethod
    def of(cls, device: torch.device) -> "Size":
        """What fits a device."""
        if device.type == "cuda":
            return cls(30, 5, min(8, os.cpu_count() or 1), 512, 600, 40, is_tiny=False)
        return cls(3, 1, 1, 64, 3, 1, is_tiny=True)

    def thermalizer(self, settings: TrainingSettings, **changes) -> TrainingSettings:
        """A thermalizer's settings at this size, without validations."""
        if self.is_tiny:
            small = {"batch_pairs": 2, "batch_sources": 2, "image_pixels": 64, "patches": 16}
            scales = tuple(scale for scale in settings.patch_scales if scale <= 2)
            settings = replace(settings, **small, patch_scales=scales, encoder="resnet18")
        return replace(settings, validate_every=0, patience=0, checkpoint_every=0, **changes)

    def landmarks(self, settings: LandmarkSettings, **changes) -> LandmarkSettings:
        """A landmark network's settings at this size, without validations."""
        if self.is_tiny:
            settings = replace(settings, batch=4, image_pixels=32, backbone="resnet10t")
        return replace(settings, validate_every=0, patience=0, checkpoint_every=0, **changes)

    def default_thermalizer(self, **changes) -> TrainingSettings:
        """The default config's."""
        return self.thermalizer(THERMALIZERS["default"], **changes)

    def default_landmarks(self, **changes) -> LandmarkSettings:
        """The default config's."""
        return self.landmarks(LANDMARKERS["default"], **changes)
