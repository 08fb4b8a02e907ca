"""What a step of the loss needs beside its crops: which patches are compared, and what the prior expects."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tfake.thermalizer.patch_bank import PatchBank
from tfake.thermalizer.training_data import TrainingData
from tfake.training.chance import Stream, derive_seed
from tfake.training.drawing import Batch


@dataclass(frozen=True)
class StepDraws(Batch):
    """Made with the step's crops, so that nothing is drawn or looked up while a GPU waits."""

    targets: Tensor  # (C, 19) float32 degrees Celsius that the prior expects of each source crop's classes
    real: Tensor  # (S, N) int64: patches of the bank, by scale; 0 where it has none
    places: Tensor  # (S, N) float64 in [0, 1): of the generated patches, see patch_wasserstein


def draw_step(data: TrainingData, ambient_celsius: Tensor, patches: int, seed: int, step: int) -> StepDraws:
    """Draw what a step needs.

    Args:
        data: what the run learns from.
        ambient_celsius: (C,) float32 rooms of the step's source crops.
        patches: patches a scale.
        seed: of the run.
        step: its number.
    """
    targets = np.stack([data.prior_at(room).celsius for room in ambient_celsius.tolist()])
    generator = torch.Generator().manual_seed(derive_seed(seed, Stream.PATCHES, step))
    return StepDraws(torch.from_numpy(targets), *draw_patches(data.bank, patches, generator))


def draw_patches(bank: PatchBank, patches: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Which real patches are compared with which generated ones.

    Args:
        bank: the real patches.
        patches: how many a scale.
        generator: a CPU generator.

    Returns:
        ``real`` and ``places`` of ``StepDraws``.
    """
    real = [torch.randint(max(1, len(cloud)), (patches,), generator=generator) for cloud in bank.patches]
    return torch.stack(real), torch.rand(len(bank.scales), patches, generator=generator, dtype=torch.float64)
