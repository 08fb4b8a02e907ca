"""Keys of the LoRAs of diffusion models."""

from typing import Literal, Self

from pydantic import model_validator

from tfake.config.keys import Count, Name, Section, Text, Unique, conflict, key, with_default
from tfake.config.models_thermalizers import Training


class ThermalGeneration(Section):
    """What `snakemake thermal_generation` makes of each LoRA."""

    part: Literal["train", "validation", "test"] = key(
        "test", "Part of the split whose faces are described, or with control seen."
    )
    images: int = key(8, "Pictures of each LoRA, at most.", ge=1)
    steps: int = key(28, "Steps of the sampler; 1 to 4 suit a model that was distilled to few.", ge=1)
    guidance: float = key(3.0, "What a model with an embedding of its guidance is told; others do not read it.", ge=0)
    strength: float = key(1.0, "Factor on the LoRA.", unit="1", ge=0, le=4)
    prompts: list[Text] = key([], "Texts to take instead of captions, for the LoRA by text.")
    recalibrated: bool = key(
        True,
        "Whether pictures with control are held to the variant's mean temperature of each class; otherwise they are "
        "pictures, and no temperatures.",
    )
    seed: int = key(0, "Seed of the noise; each picture's follows from it and its row.", ge=0)


class Diffusion(Training):
    """LoRAs of a FLUX model that make thermal faces, `snakemake thermal_lora`: by text, or by the visible image."""

    steps: int = with_default(Training, "steps", 3000)
    learning_rate: float = with_default(Training, "learning_rate", 4e-4)
    schedule: Literal["onecycle", "cosine", "step", "constant"] = with_default(Training, "schedule", "constant")
    weight_decay: float = with_default(Training, "weight_decay", 0.01)
    clip_norm: float = with_default(Training, "clip_norm", 1.0)
    validate_every: int = with_default(Training, "validate_every", 500)
    checkpoint_every: int = with_default(Training, "checkpoint_every", 500)
    model: Text | None = key(None, "Folder of a FLUX model in diffusers' layout; nothing is downloaded.")
    license: Text | None = key(
        None,
        "Licence of that model as its owner states it, such as Apache-2.0; recorded in all that is made, and never "
        "guessed: it must be stated where there is a model.",
    )
    loras: Unique[Literal["text", "control"]] = key(
        ["text", "control"], "What is trained: text to thermal, and the source's visible image to thermal."
    )
    variant: Name | None = key(None, "Variant whose images are learnt; null is the first that no camera has recorded.")
    faces: int = key(1000, "Faces of the train part that are learnt from, at most, evenly taken.", unit="images", ge=1)
    caption: Text = key(
        "thermal infrared picture of the face of [person], [pose], [expression], [glasses], [headwear], [ambient]",
        "What a picture is described by, fields in brackets; parts between commas whose field nobody knows are left "
        "out. Labels fill pose, expression, glasses, headwear and ambient.",
    )
    attributes: Text | None = key(
        None,
        "A CSV of image_id and fields of the caption, such as person; procedural faces have one of their own.",
    )
    rank: int = key(64, "Rank of each layer's update.", ge=1)
    alpha: float = key(64.0, "The update counts alpha / rank.", gt=0)
    targets: Literal["blocks", "attention"] = key(
        "blocks", "Which layers are updated: all linear ones of the transformer's blocks, or those of attention."
    )
    batch: int = key(1, "Pictures per step.", unit="images", ge=1)
    image_pixels: int = key(512, "Edge of the pictures; whole images are scaled to it.", ge=16, multiple_of=16)
    guidance: float = key(
        3.0, "What a model with an embedding of its guidance is told in training; others do not read it.", ge=0
    )
    timesteps: Literal["logit_normal", "uniform"] = key("logit_normal", "How noise levels are drawn.")
    timestep_shift: float = key(1.0, "How far noise levels are moved towards noise; 1 leaves them.", unit="1", gt=0)
    t5_attention_mask: bool = key(True, "Whether a text's padding is hidden from T5 and from the transformer.")
    text_tokens: Count = key(512, "Most tokens of a text.", unit="tokens")
    gradient_checkpointing: bool = key(
        True, "Whether activations are computed twice instead of kept, for less memory.", neutral=True
    )
    generation: ThermalGeneration

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.model is not None and self.license is None:
            raise conflict("expected the model's licence, for a model is named", "license")
        if self.ema_decay > 0:
            raise conflict("expected 0: a LoRA has no average", "ema_decay")
        if self.precision == "float16":
            raise conflict("expected auto, float32 or bfloat16: FLUX overflows in float16", "precision")
        return self
