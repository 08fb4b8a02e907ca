"""A FLUX model in a folder, as diffusers keeps it: what must be there, text and pictures as it sees them.

Nothing is looked for on a hub. Parts are opened one after the other, and let go before the next one is: the text
encoders of FLUX.1 alone have 4.9 billion parameters, the transformer 11.9.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, FluxPipeline, FluxTransformer2DModel
from torch import Tensor

#: Files and folders of a model, and what is in them.
PARTS = {
    "model_index.json": "the pipeline",
    "scheduler/scheduler_config.json": "the scheduler",
    "tokenizer": "CLIP's tokenizer",
    "tokenizer_2": "T5's tokenizer",
    "text_encoder/config.json": "CLIP's text encoder",
    "text_encoder_2/config.json": "T5's encoder",
    "transformer/config.json": "the transformer",
    "vae/config.json": "the autoencoder",
}


@dataclass(frozen=True)
class Prompt:
    """A text as the transformer takes it.

    Attributes:
        tokens: (T, D) of T5.
        pooled: (P,) of CLIP.
    """

    tokens: Tensor
    pooled: Tensor


def check_model(folder: str | Path) -> None:
    """See whether a folder holds a model.

    Raises:
        FileNotFoundError: a part is not there; the message lists all that was expected.
    """
    missing = [name for name in PARTS if not Path(folder, name).exists()]
    missing += [
        f"{part}/*.safetensors"
        for part in ("text_encoder", "text_encoder_2", "transformer", "vae")
        if not any(Path(folder, part).glob("*.safetensors"))
    ]
    if missing:
        found = (
            "is a file" if Path(folder).is_file() else "lacks" if Path(folder).is_dir() else "is not there; it lacks"
        )
        expected = ", ".join(f"{name} ({what})" for name, what in PARTS.items())
        raise FileNotFoundError(
            f"diffusion.model: {folder} {found} {', '.join(missing)}. Expected is a FLUX model in diffusers' layout, a "
            f"folder with {expected}, and *.safetensors in the four folders of weights; nothing is downloaded"
        )


def model_identity(folder: str | Path) -> dict[str, str | int]:
    """What tells a model from another: SHA-256 of each JSON file, and the bytes of each file of weights."""
    files = sorted(path for path in Path(folder).rglob("*") if path.suffix in (".json", ".safetensors"))
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.suffix == ".json"
        else path.stat().st_size
        for path in files
    }


def open_transformer(folder: str | Path, dtype: torch.dtype) -> FluxTransformer2DModel:
    """Open the transformer, on the CPU."""
    return FluxTransformer2DModel.from_pretrained(
        folder, subfolder="transformer", torch_dtype=dtype, local_files_only=True
    )


def widen_input(transformer: FluxTransformer2DModel) -> None:
    """Let a transformer take a control image's latents behind the noisy ones, along the channels.

    The weights of the new channels are 0, so that it does as before until it has learnt (FLUX.1 Tools; diffusers'
    ``train_control_lora_flux``).
    """
    before = transformer.x_embedder
    widened = torch.nn.Linear(
        2 * before.in_features,
        before.out_features,
        bias=before.bias is not None,
        dtype=before.weight.dtype,
        device=before.weight.device,
    )
    with torch.no_grad():
        widened.weight.zero_()
        widened.weight[:, : before.in_features].copy_(before.weight)
        if before.bias is not None:
            widened.bias.copy_(before.bias)
    transformer.x_embedder = widened
    transformer.register_to_config(in_channels=2 * before.in_features, out_channels=before.in_features)


def encode_prompts(
    folder: str | Path,
    prompts: Sequence[str],
    most_tokens: int,
    is_masked: bool,
    dtype: torch.dtype,
    device: torch.device,
) -> list[Prompt]:
    """Encode texts; equal ones once.

    Args:
        folder: the model.
        prompts: the texts.
        most_tokens: of T5; a longer text is cut.
        is_masked: whether T5 and the transformer see a text's own tokens alone. They are given no others, which is the
            same as a mask: T5 knows no absolute places, and all tokens of a text have the same place in FLUX. Otherwise
            texts are padded to ``most_tokens``, as diffusers' pipelines do.
        dtype: of the text encoders.
        device: where they compute.

    Returns:
        One a text, on the CPU.
    """
    pipeline = FluxPipeline.from_pretrained(
        folder, transformer=None, vae=None, torch_dtype=dtype, local_files_only=True
    )
    for part in (pipeline.text_encoder, pipeline.text_encoder_2):
        part.to(device).eval()

    def encode(text: str) -> Prompt:
        cut = {"truncation": True, "return_tensors": "pt"}
        clip = pipeline.tokenizer(text, padding="max_length", max_length=pipeline.tokenizer_max_length, **cut)
        padding = {} if is_masked else {"padding": "max_length"}
        t5 = pipeline.tokenizer_2(text, max_length=most_tokens, **padding, **cut)
        pooled = pipeline.text_encoder(clip.input_ids.to(device)).pooler_output
        tokens = pipeline.text_encoder_2(t5.input_ids.to(device))[0]
        return Prompt(tokens[0].cpu(), pooled[0].cpu())

    with torch.inference_mode():
        encoded = {text: encode(text) for text in dict.fromkeys(prompts)}
    return [encoded[text] for text in prompts]


class LatentCoder:
    """The autoencoder in float32: pictures to packed latents and back."""

    def __init__(self, folder: str | Path, device: torch.device) -> None:
        """Open it."""
        self._vae = AutoencoderKL.from_pretrained(
            folder, subfolder="vae", torch_dtype=torch.float32, local_files_only=True
        )
        self._vae.to(device).eval()
        #: Pixels along an edge of a latent.
        self.scale = 2 ** (len(self._vae.config.block_out_channels) - 1)

    @torch.inference_mode()
    def encode(self, picture: np.ndarray) -> Tensor:
        """Encode a picture without chance, by the mean of its latents.

        Args:
            picture: (3, H, W) float32 in -1..1, H and W multiples of twice the scale.

        Returns:
            (L, C) float32 on the CPU, packed by 2 x 2 as the transformer takes it.
        """
        image = torch.from_numpy(picture)[None].to(self._vae.device)
        config = self._vae.config
        latents = (self._vae.encode(image).latent_dist.mode() - config.shift_factor) * config.scaling_factor
        return FluxPipeline._pack_latents(latents, *latents.shape)[0].cpu()

    @torch.inference_mode()
    def decode(self, packed: Tensor, pixels: int) -> np.ndarray:
        """Decode packed latents, (L, C), of a square picture: (3, pixels, pixels) float32, about -1..1."""
        config = self._vae.config
        latents = FluxPipeline._unpack_latents(packed[None].to(self._vae.device).float(), pixels, pixels, self.scale)
        return self._vae.decode(latents / config.scaling_factor + config.shift_factor).sample[0].cpu().numpy()

    def encode_all(self, pictures: Iterator[np.ndarray]) -> list[Tensor]:
        """Encode pictures one after the other."""
        return [self.encode(picture) for picture in pictures]
