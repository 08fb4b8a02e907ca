"""A diffusion thermalizer of seconds, on the discs of ``tiny_training``."""

from dataclasses import replace

import torch

from tfake.thermalizer.diffusion_settings import DiffusionSettings
from tfake.thermalizer.thermal_diffusion import DiffusionArchitecture, ThermalDenoiser, ThermalDiffusion
from tfake.thermalizer.thermalizer_training import train
from tfake.training.loop import RunControl
from tiny_training import CPU, make_data

TINY_DIFFUSION = {
    "steps": 3,
    "batch_pairs": 2,
    "batch_sources": 2,
    "image_pixels": 32,
    "validation_share": 0.3,
    "validate_every": 2,
    "block_channels": [8, 16],
    "sampling_steps": 2,
    "precision": "float32",
}
ARCHITECTURE = DiffusionArchitecture((8, 16), 1, (10.0, 45.0), 1.5, 2, 0)


def run_diffusion(data=None, checkpoint=None, is_stopping=lambda: False, workers=0, **changes):
    """Train with ``TINY_DIFFUSION`` and some changes."""
    settings = DiffusionSettings.from_mapping(TINY_DIFFUSION | changes)
    return train(settings, data or make_data(), RunControl(CPU, checkpoint, is_stopping, workers))


def make_diffusion(seed=0, **changes):
    """A network that has learnt nothing, but whose output is not nil; its base image is the tiny data's."""
    architecture = replace(ARCHITECTURE, **changes)
    torch.manual_seed(seed)
    denoiser = ThermalDenoiser(architecture).set_base(make_data())
    torch.nn.init.normal_(denoiser.body.conv_out.weight, std=0.1)
    return ThermalDiffusion(architecture, denoiser).eval()
