"""Keys of the diffusion thermalizers: the training of conditions whose kind is diffusion."""

from typing import Annotated, Self

from annotated_types import Ge, MultipleOf
from pydantic import model_validator

from tfake.config.keys import key, with_default
from tfake.config.models_thermalizers import PairedTraining, check_stride

Channels = Annotated[int, Ge(8), MultipleOf(8)]


class DiffusionTraining(PairedTraining):
    """How a diffusion thermalizer is trained; shared by the conditions of that kind."""

    steps: int = with_default(PairedTraining, "steps", 1500)
    learning_rate: float = with_default(PairedTraining, "learning_rate", 2e-3)
    clip_norm: float = with_default(PairedTraining, "clip_norm", 1.0)
    ema_decay: float = with_default(PairedTraining, "ema_decay", 0.99)
    validate_every: int = with_default(PairedTraining, "validate_every", 250)
    batch_sources: int = with_default(PairedTraining, "batch_sources", 2)
    image_pixels: int = with_default(PairedTraining, "image_pixels", 128)
    weight_prior: float = key(
        0.1,
        "Weight of the temperature prior, on the mean of what the network would draw, against flow matching; 0 leaves "
        "it out.",
        ge=0,
    )
    residual_kelvin: float = key(
        1.0,
        "What one unit of noise stands for: about the standard deviation of thermal images about their base image, the "
        "heat field or the classes' temperatures.",
        gt=0,
    )
    block_channels: list[Channels] = key(
        [16, 32, 64, 64],
        "Channels of the U-Net's levels, fine to coarse, multiples of 8; each level but the first halves the image.",
        min_length=1,
        max_length=6,
    )
    layers_per_block: int = key(1, "Residual blocks a level.", unit="blocks", ge=1)
    sampling_steps: int = key(
        8, "Euler steps from noise to temperatures, each a pass of the network; kept with the weights.", ge=1
    )

    @model_validator(mode="after")
    def _crops_fit_the_network(self) -> Self:
        check_stride(self.image_pixels, len(self.block_channels) - 1, "block_channels")
        return self
