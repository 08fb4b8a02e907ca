"""A training run of seconds: discs of skin on clothing, and what it learns from."""

import numpy as np
import torch

from tfake.archive.pairs import Pair
from tfake.thermalizer.pair_sampling import TrainingData
from tfake.thermalizer.patch_bank import PatchBank
from tfake.thermalizer.prior_table import load_prior
from tfake.thermalizer.thermalizer_settings import TrainingSettings
from tfake.thermalizer.thermalizer_training import train
from tfake.training.loop import RunControl

TINY = {
    "steps": 3,
    "batch_pairs": 2,
    "batch_sources": 2,
    "image_pixels": 64,
    "patches": 32,
    "patch_scales": [1, 2],
    "encoder": "resnet18",
    "decoder_channels": [16, 8, 8],
    "validation_share": 0.3,
    "validate_every": 2,
}
CPU = torch.device("cpu")
PRIOR = load_prior("tfake2025")
TARGETS = PRIOR.at(26.0).celsius


def samples(count, pixels=96):
    """A bright disc of skin on dark clothing, before a background."""
    y, x = np.mgrid[:pixels, :pixels]
    for seed in range(count):
        rng = np.random.default_rng(seed)
        classes = np.zeros((pixels, pixels), np.uint8)
        classes[x + y > pixels * 0.4] = 15
        centre = rng.uniform(0.45, 0.55, 2) * pixels
        classes[(x - centre[0]) ** 2 + (y - centre[1]) ** 2 < (0.3 * pixels) ** 2] = 1
        shade = np.array([128, 60, 220])[np.searchsorted([0, 15, 1], classes, sorter=[0, 2, 1])]
        rgb = np.clip(shade[..., None] + rng.normal(0, 10, (pixels, pixels, 3)), 0, 255).astype(np.uint8)
        yield rgb, classes


def make_bank(scales=(1, 2), values="celsius"):
    """Patches around the temperature of skin."""
    rng = np.random.default_rng(0)
    clouds = tuple(rng.normal(35, 0.5, (100, 64)).astype(np.float32) for _ in scales)
    return PatchBank(values, 8, tuple(scales), clouds)


def make_data(values="celsius", supervision="absolute", rooms=(26.0, 26.0), bank=None):
    """Four sources, three pairs of three subjects."""
    pairs = []
    for number, (rgb, classes) in enumerate(samples(3)):
        room = float(np.linspace(*rooms, 3)[number])
        thermal = PRIOR.at(room).celsius[classes.astype(int)]
        pairs.append(Pair(f"{number}", rgb, thermal if values == "celsius" else 3 * thermal + 20, classes, "", room))
    subjects = ["a", "b", "c"]
    return TrainingData(
        pairs, subjects, values, supervision, list(samples(4)), bank or make_bank(), PRIOR, tuple(rooms)
    )


def run(data=None, checkpoint=None, is_stopping=lambda: False, workers=0, encoder=None, **changes):
    """Train with ``TINY`` and some changes."""
    settings = TrainingSettings.from_mapping(TINY | changes)
    return train(settings, data or make_data(), RunControl(CPU, checkpoint, is_stopping, workers), encoder)
