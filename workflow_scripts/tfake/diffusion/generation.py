"""Pictures of a FLUX model with a LoRA, by text or by control image; each follows from its own seed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import FluxControlPipeline, FluxPipeline
from torch import Tensor

from tfake.diffusion.flux_model import LatentCoder, Prompt
from tfake.diffusion.window_pictures import to_celsius
from tfake.training.rng import RngStream, derive_seed

_ADAPTER = "thermal"


@dataclass(frozen=True)
class GenerationSettings:
    """How pictures are generated; fields are the keys of the config's block ``diffusion.generation``.

    Attributes:
        part: of the split, whose faces are described or seen.
        images: pictures, at most.
        steps: of the sampler.
        guidance: what models with an embedding of the guidance are told.
        strength: factor on the LoRA.
        prompts: texts to take instead of captions.
        recalibrated: whether pictures with control are held to the variant's class means.
        seed: of the noise.
    """

    part: str = "test"
    images: int = 8
    steps: int = 28
    guidance: float = 3.0
    strength: float = 1.0
    prompts: Sequence[str] = ()
    recalibrated: bool = True
    seed: int = 0

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> "GenerationSettings":
        """Build the settings from a config block."""
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in mapping.items()})


@dataclass(frozen=True)
class Order:
    """A picture to make.

    Attributes:
        prompt: what it is told.
        control: (L, C) packed latents of a control image; None without.
        number: which draws its noise: a row of the stores.
    """

    prompt: Prompt
    control: Tensor | None
    number: int


def generate(
    model: str | Path,
    lora: str | Path,
    orders: Sequence[Order],
    settings: GenerationSettings,
    pixels: int,
    number: torch.dtype,
    device: torch.device,
) -> Iterator[np.ndarray]:
    """Generate pictures, one after the other; none depends on the others.

    Args:
        model: folder of the FLUX model.
        lora: file of the LoRA by diffusers' names.
        orders: the pictures; all with a control image, or none.
        settings: of the sampler.
        pixels: edge of the pictures.
        number: number format of the transformer; latents become pictures in float32.
        device: where to compute.

    Yields:
        (pixels, pixels) float32 °C of the window (:mod:`tfake.diffusion.window_pictures`).
    """
    has_control = any(order.control is not None for order in orders)
    kind = FluxControlPipeline if has_control else FluxPipeline
    absent = dict.fromkeys(("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2"))
    pipeline = kind.from_pretrained(model, **absent, torch_dtype=number, local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.load_lora_weights(str(Path(lora).parent), weight_name=Path(lora).name, adapter_name=_ADAPTER)
    pipeline.set_adapters(_ADAPTER, settings.strength)
    # Its autoencoder, too: the pipeline takes the device of any of its parts for that of all.
    pipeline.to(device)
    coder = LatentCoder(model, device)
    for order in orders:
        control = {"control_image": order.control[None].to(device)} if has_control else {}
        seed = derive_seed(settings.seed, RngStream.VALIDATION, order.number)
        with torch.inference_mode():
            packed = pipeline(
                prompt_embeds=order.prompt.tokens[None].to(device, number),
                pooled_prompt_embeds=order.prompt.pooled[None].to(device, number),
                height=pixels,
                width=pixels,
                num_inference_steps=settings.steps,
                guidance_scale=settings.guidance,
                generator=torch.Generator().manual_seed(seed),
                output_type="latent",
                **control,
            ).images
        yield to_celsius(coder.decode(packed[0], pixels))
