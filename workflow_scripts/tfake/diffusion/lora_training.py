"""Training a LoRA: what a step learns from, and how it is judged on other faces."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from diffusers import FluxTransformer2DModel
from torch import Tensor

from tfake.diffusion.flow_matching import draw_sigma
from tfake.diffusion.flux_model import Prompt
from tfake.diffusion.lora_files import lora_tensors
from tfake.diffusion.lora_network import FlowBatch, LoraVelocity, find_targets
from tfake.diffusion.lora_settings import LoraSettings
from tfake.training.distributed import shard_of_batch
from tfake.training.loop import RunControl, TrainState, reproducible, run_steps
from tfake.training.rng import SINGLE_PROCESS, BatchSampler, ProcessShard, RngStream, derive_seed
from tfake.training.training_settings import resolve_precision

#: Faces of a validation, at most.
VALIDATION_FACES = 16


@dataclass(frozen=True)
class CachedPicture:
    """A picture as the transformer takes it.

    Attributes:
        latents: (L, C) float32, packed.
        control: the same of its control image; (L, 0) without.
        prompt: its caption.
    """

    latents: Tensor
    control: Tensor
    prompt: Prompt


class LoraState(TrainState):
    """A LoRA in training. Terms: the loss alone; so for validation, at fixed noise on other faces."""

    term_names = ("total",)

    def compute(self, step: int, *batches: FlowBatch) -> tuple[Tensor, ...]:
        """The loss of a step."""
        return (self._forward(batches[0]),)


class FlowSampler:
    """Pictures, noise and noise levels of a step; all follow from (seed, step, place in the batch)."""

    def __init__(
        self, pictures: Sequence[CachedPicture], settings: LoraSettings, shard: ProcessShard = SINGLE_PROCESS
    ) -> None:
        """Keep the pictures.

        Raises:
            ValueError: there are none.
        """
        if not pictures:
            raise ValueError("there are no pictures to learn from")
        self._pictures, self._settings = pictures, settings
        streams = RngStream.FACE_ORDER, RngStream.FACE_CROPS
        self._draw = BatchSampler(len(pictures), settings.batch, settings.seed, shard, *streams)

    def batch(self, step: int) -> tuple[FlowBatch]:
        """Draw a step's batch."""
        return (self._put_together([(self._pictures[index], rng) for index, rng in self._draw(step)]),)

    def fixed_batches(self, pictures: Sequence[CachedPicture]) -> list[FlowBatch]:
        """Of each of some pictures a batch, always with the same noise."""
        stream = [self._settings.seed, RngStream.VALIDATION]
        return [
            self._put_together([(picture, np.random.default_rng([*stream, number]))])
            for number, picture in enumerate(pictures)
        ]

    def _put_together(self, drawn: Sequence[tuple[CachedPicture, np.random.Generator]]) -> FlowBatch:
        settings = self._settings
        sigmas = [draw_sigma(rng, settings.timesteps, settings.timestep_shift) for _, rng in drawn]
        noise = [rng.standard_normal(tuple(picture.latents.shape), np.float32) for picture, rng in drawn]
        texts = [picture.prompt.tokens.float() for picture, _ in drawn]
        text = torch.nn.utils.rnn.pad_sequence(texts, batch_first=True)
        return FlowBatch(
            clean=torch.stack([picture.latents for picture, _ in drawn]),
            control=torch.stack([picture.control for picture, _ in drawn]),
            noise=torch.from_numpy(np.stack(noise)),
            sigmas=torch.tensor(sigmas, dtype=torch.float32),
            text=text,
            is_text=torch.arange(text.shape[1]) < torch.tensor([[len(own)] for own in texts]),
            pooled=torch.stack([picture.prompt.pooled.float() for picture, _ in drawn]),
        )


@dataclass(frozen=True)
class TrainedLora:
    """A finished run.

    Attributes:
        tensors: the LoRA by diffusers' names (:func:`tfake.diffusion.lora_files.lora_tensors`), on the CPU.
        losses: one row a step with the columns ``LoraState.columns``.
        precision: the number format that the transformer computed in.
    """

    tensors: dict[str, Tensor]
    losses: pd.DataFrame
    precision: str


def train_lora(
    settings: LoraSettings,
    transformer: FluxTransformer2DModel,
    pictures: Sequence[CachedPicture],
    held_out: Sequence[CachedPicture],
    control: RunControl,
) -> TrainedLora:
    """Train a LoRA.

    Args:
        settings: of the run.
        transformer: in the precision's number format, its input already widened where pictures have controls; it is
            changed.
        pictures: to learn from.
        held_out: of other faces, to validate on; with none there is no validation.
        control: where it computes, and how it is stopped and goes on.

    Raises:
        ValueError: there are no pictures, or a batch cannot be split evenly.
        FloatingPointError: the loss is not finite any more.
        TrainingStoppedError: the control's ``is_stopping`` said yes.
    """
    device = control.device
    precision = resolve_precision(settings.precision, device)
    sampler = FlowSampler(pictures, settings, shard_of_batch(settings.batch))
    fixed = sampler.fixed_batches(held_out[:VALIDATION_FACES])

    def measure(network: LoraVelocity) -> float:
        with torch.no_grad():
            return float(torch.stack([network(batch.to(device)) for batch in fixed]).mean())

    with reproducible(derive_seed(settings.seed, RngStream.NETWORK), device):
        transformer.to(device)
        if settings.gradient_checkpointing:
            transformer.enable_gradient_checkpointing()
        has_control = pictures[0].control.shape[1] > 0
        targets = find_targets(transformer, settings.targets, has_control)
        network = LoraVelocity(transformer, settings.rank, settings.alpha, targets, settings.guidance, precision)
        run = LoraState(settings, network.to(device), precision, device)
        validates = bool(fixed) and settings.validate_every > 0
        losses = run_steps(
            run,
            settings,
            sampler.batch,
            measure if validates else None,
            control,
            "train LoRA",
        )
        run.finish()
    return TrainedLora(lora_tensors(transformer, settings.alpha / settings.rank), losses, precision)
