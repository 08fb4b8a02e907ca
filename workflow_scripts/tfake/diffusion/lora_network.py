"""A FLUX transformer with a LoRA, as the trainer takes it: its parameters are the LoRA's alone."""

from dataclasses import dataclass

import torch
from diffusers import FluxPipeline, FluxTransformer2DModel
from peft import LoraConfig
from torch import Tensor, nn

from tfake.diffusion.flow_matching import mix_noise
from tfake.training.loading import TensorBatch
from tfake.training.training_settings import autocast_body

_BLOCKS = ("transformer_blocks.", "single_transformer_blocks.")
#: The layer that takes the latents: a LoRA with control has learnt its new channels there.
INPUT_LAYER = "x_embedder"


@dataclass(frozen=True)
class FlowBatch(TensorBatch):
    """What a step learns from.

    Attributes:
        clean: (B, L, C) packed latents.
        control: (B, L, C) of the control image; (B, L, 0) without.
        noise: (B, L, C) normal noise.
        sigmas: (B,) noise levels.
        text: (B, T, D) tokens of T5, padded at the end.
        is_text: (B, T) bool, False where padded.
        pooled: (B, P) of CLIP.
    """

    clean: Tensor
    control: Tensor
    noise: Tensor
    sigmas: Tensor
    text: Tensor
    is_text: Tensor
    pooled: Tensor


def find_targets(transformer: nn.Module, targets: str, has_control: bool) -> list[str]:
    """Names of the linear layers that a LoRA updates.

    Args:
        transformer: of FLUX.
        targets: ``blocks`` or ``attention``.
        has_control: whether the layer that takes the latents is among them.
    """
    names = [
        name
        for name, module in transformer.named_modules()
        if isinstance(module, nn.Linear) and name.startswith(_BLOCKS) and (targets == "blocks" or ".attn." in name)
    ]
    return [*([INPUT_LAYER] if has_control else []), *names]


class LoraVelocity(nn.Module):
    """The loss of a transformer whose LoRA is trained.

    The transformer itself is frozen, so it is no part of this module: neither the optimiser nor a checkpoint sees it.
    """

    def __init__(
        self,
        transformer: FluxTransformer2DModel,
        rank: int,
        alpha: float,
        targets: list[str],
        guidance: float,
        precision: str,
    ) -> None:
        """Add the LoRA; its random weights come from torch's global generator.

        Args:
            transformer: on its device, in the precision's number format; it is changed.
            rank: as the settings'.
            alpha: the same.
            targets: of :func:`find_targets`.
            guidance: as the settings'; only told to models with an embedding of it.
            precision: number format that it computes in; the LoRA's own weights stay float32.
        """
        super().__init__()
        self._number = transformer.dtype
        transformer.requires_grad_(False)
        transformer.add_adapter(LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets))
        trained = [parameter for parameter in transformer.parameters() if parameter.requires_grad]
        for parameter in trained:
            parameter.data = parameter.data.float()
        self.weights = nn.ParameterList(trained)
        self._guidance = guidance if transformer.config.guidance_embeds else None
        self._precision = precision
        # Past nn.Module, which would register it.
        object.__setattr__(self, "transformer", transformer)

    def forward(self, batch: FlowBatch) -> Tensor:
        """The mean squared error of the velocities, () float32."""
        shown = mix_noise(batch.clean, batch.noise, batch.sigmas)
        found = self._velocity(torch.cat((shown.noisy, batch.control), dim=2), batch)
        return (found.float() - shown.velocity).square().mean()

    def _velocity(self, hidden: Tensor, batch: FlowBatch) -> Tensor:
        transformer, device, number = self.transformer, hidden.device, self._number
        edge = round(hidden.shape[1] ** 0.5)
        guidance = None if self._guidance is None else torch.full((len(hidden),), self._guidance, device=device)
        with autocast_body(self._precision, device):
            return transformer(
                hidden_states=hidden.to(number),
                timestep=batch.sigmas,
                guidance=guidance,
                pooled_projections=batch.pooled.to(number),
                encoder_hidden_states=batch.text.to(number),
                txt_ids=torch.zeros(batch.text.shape[1], 3, device=device, dtype=number),
                img_ids=FluxPipeline._prepare_latent_image_ids(len(hidden), edge, edge, device, number),
                joint_attention_kwargs=self._mask(batch, hidden.shape[1]),
                return_dict=False,
            )[0]

    def _mask(self, batch: FlowBatch, latents: int) -> dict[str, Tensor] | None:
        """What attention sees: (B, 1, 1, T + L) bool; nothing where no text is padded."""
        if batch.is_text.shape[0] == 1:
            # Texts are padded to the longest of their batch.
            return None
        is_latent = batch.is_text.new_ones(len(batch.is_text), latents)
        return {"attention_mask": torch.cat((batch.is_text, is_latent), dim=1)[:, None, None]}
