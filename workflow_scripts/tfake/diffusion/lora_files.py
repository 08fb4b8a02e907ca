"""Files of a LoRA: by diffusers' names, and by those of kohya's scripts, which ComfyUI reads.

FLUX as it was published has one layer where diffusers has several: query, key and value together, in single blocks the
widening layer of the MLP, too. Side by side updates of those are one update of that: matrices that go down are stacked,
those that go up lie on the diagonal of blocks, and the rank is the sum.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import FluxPipeline, FluxTransformer2DModel
from peft.utils import get_peft_model_state_dict
from torch import Tensor

from tfake.core.files import write_whole

DIFFUSERS_NAME = "pytorch_lora_weights.safetensors"
_PREFIX = "transformer."
_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"

#: A layer as it was published, below a block's name, to those of diffusers in order.
_DOUBLE = {
    "img_attn_qkv": ("attn.to_q", "attn.to_k", "attn.to_v"),
    "img_attn_proj": ("attn.to_out.0",),
    "img_mlp_0": ("ff.net.0.proj",),
    "img_mlp_2": ("ff.net.2",),
    "img_mod_lin": ("norm1.linear",),
    "txt_attn_qkv": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "txt_attn_proj": ("attn.to_add_out",),
    "txt_mlp_0": ("ff_context.net.0.proj",),
    "txt_mlp_2": ("ff_context.net.2",),
    "txt_mod_lin": ("norm1_context.linear",),
}
_SINGLE = {
    "linear1": ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"),
    "linear2": ("proj_out",),
    "modulation_lin": ("norm.linear",),
}
_KINDS = {"transformer_blocks": ("double_blocks", _DOUBLE), "single_transformer_blocks": ("single_blocks", _SINGLE)}
_LAYER = re.compile(r"(transformer_blocks|single_transformer_blocks)\.(\d+)\.(.+)")
_INPUT = {"x_embedder": "img_in"}


def lora_tensors(transformer: FluxTransformer2DModel, scale: float) -> dict[str, Tensor]:
    """A trained transformer's LoRA by diffusers' names, ``transformer.{layer}.lora_A.weight`` and ``lora_B``.

    Args:
        transformer: with the adapter.
        scale: alpha over rank, multiplied into ``lora_B``, so that no reader needs to know it.

    Returns:
        float32 on the CPU.
    """
    state = get_peft_model_state_dict(transformer)
    return {
        f"{_PREFIX}{name}": (value * scale if name.endswith(_UP) else value).detach().float().cpu().contiguous()
        for name, value in state.items()
    }


def to_kohya(tensors: Mapping[str, Tensor], mlp_ratio: int = 4) -> dict[str, Tensor]:
    """A LoRA by the names of kohya's scripts, ``lora_unet_{layer}.lora_down.weight``, ``.lora_up.weight``, ``.alpha``.

    Args:
        tensors: by diffusers' names.
        mlp_ratio: width of a single block's MLP over that of the block, for the layers that a LoRA leaves out.

    Returns:
        The same updates. That of a wider input layer also has ``lora_unet_img_in.reshape_weight``, by which ComfyUI
        widens the model's.

    Raises:
        ValueError: a layer that such files have no name for.
    """
    groups: dict[str, dict[str, str]] = {}
    for name in tensors:
        if name.endswith(_DOWN):
            layer = name.removeprefix(_PREFIX).removesuffix(_DOWN)
            published, part = _find_published(layer)
            groups.setdefault(published, {})[part] = f"{_PREFIX}{layer}"
    found: dict[str, Tensor] = {}
    for published, parts in groups.items():
        down, up = _fuse([_read_part(tensors, parts, part, mlp_ratio) for part in _parts_of(published)])
        found |= {
            f"lora_unet_{published}.lora_down.weight": down,
            f"lora_unet_{published}.lora_up.weight": up,
            f"lora_unet_{published}.alpha": torch.tensor(float(len(down))),
        }
        if published == "img_in":
            found["lora_unet_img_in.reshape_weight"] = torch.tensor([up.shape[0], down.shape[1]])
    return found


def save_lora(path: str | Path, tensors: Mapping[str, Tensor], number: torch.dtype) -> None:
    """Write a LoRA as safetensors, whole or not at all: equal tensors, equal bytes."""
    numbers = {
        name: value.to(number).contiguous() if value.is_floating_point() and value.ndim else value
        for name, value in tensors.items()
    }
    write_whole(
        str(path),
        lambda part: FluxPipeline.write_lora_layers(numbers, str(Path(part).parent), True, Path(part).name, None, True),
    )


def _find_published(layer: str) -> tuple[str, str]:
    """The published layer that a layer of diffusers is part of, and its name below the block."""
    if layer in _INPUT:
        return _INPUT[layer], layer
    if match := _LAYER.fullmatch(layer):
        block, names = _KINDS[match[1]]
        for published, parts in names.items():
            if match[3] in parts:
                return f"{block}_{match[2]}_{published}", match[3]
    raise ValueError(f"{layer}: FLUX as it was published has no such layer in its blocks")


def _parts_of(published: str) -> tuple[str, ...]:
    """The layers of diffusers that a published one is made of."""
    for block, names in _KINDS.values():
        if match := re.fullmatch(rf"{block}_\d+_(.+)", published):
            return names[match[1]]
    return tuple(layer for layer, name in _INPUT.items() if name == published)


def _read_part(
    tensors: Mapping[str, Tensor], parts: Mapping[str, str], part: str, mlp_ratio: int
) -> tuple[Tensor, Tensor]:
    """One part's matrices; those of a part that is not updated are 0, of the others' rank."""
    if part in parts:
        return tensors[parts[part] + _DOWN], tensors[parts[part] + _UP]
    down, up = (tensors[next(iter(parts.values())) + end] for end in (_DOWN, _UP))
    rows = down.shape[1] * (mlp_ratio if part == "proj_mlp" else 1)
    return torch.zeros_like(down), up.new_zeros(rows, up.shape[1])


def _fuse(pairs: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Updates side by side as one: (sum of ranks, in) and (sum of rows, sum of ranks)."""
    downs, ups = zip(*pairs, strict=True)
    return torch.cat(downs), torch.block_diag(*ups)
