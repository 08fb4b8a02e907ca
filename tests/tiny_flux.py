"""A FLUX model of 80 thousand weights in diffusers' layout, with tokenizers of single letters; made, never fetched."""

import string
from pathlib import Path

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer, T5Config, T5EncoderModel, T5TokenizerFast

LETTERS = string.ascii_lowercase + string.digits + ",."
#: Channels of a latent, before 2 x 2 of them are packed.
LATENT_CHANNELS = 4


def tiny_transformer(guidance: bool = True) -> FluxTransformer2DModel:
    """One block of each kind, 32 channels wide; its answer does not begin with 0."""
    torch.manual_seed(0)
    return FluxTransformer2DModel(
        in_channels=4 * LATENT_CHANNELS,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=32,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=guidance,
    )


def make_flux(folder: Path, guidance: bool = True) -> Path:
    """Write a model; equal seeds, equal weights."""
    torch.manual_seed(1)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(8,) * 4,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=4,
        sample_size=32,
        use_quant_conv=False,
        use_post_quant_conv=False,
        shift_factor=0.1,
        scaling_factor=0.4,
        mid_block_add_attention=False,
    )
    ends = {"<|startoftext|>": 0, "<|endoftext|>": 1}
    pieces = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    clip = CLIPTokenizer(vocab=ends | {piece: 2 + place for place, piece in enumerate(pieces)}, merges=[])
    clip.model_max_length = 77
    scores = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((letter, -3.0) for letter in ("\u2581", *LETTERS))]
    t5 = T5TokenizerFast(vocab=scores, extra_ids=0)
    sizes = {"hidden_size": 32, "intermediate_size": 37, "num_attention_heads": 4, "num_hidden_layers": 1}
    tokens = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1, "vocab_size": 2 + len(pieces)}
    FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(),
        vae=vae,
        text_encoder=CLIPTextModel(CLIPTextConfig(**sizes, **tokens, projection_dim=32)),
        tokenizer=clip,
        text_encoder_2=T5EncoderModel(
            T5Config(d_model=32, d_ff=37, d_kv=8, num_heads=4, num_layers=1, vocab_size=len(scores))
        ),
        tokenizer_2=t5,
        transformer=tiny_transformer(guidance),
    ).save_pretrained(folder, safe_serialization=True)
    return folder
