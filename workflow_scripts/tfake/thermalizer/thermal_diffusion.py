"""The diffusion thermalizer: temperatures drawn by rectified flow around what is known of a face, given its image.

    T = B + s x_0,    x_0 by the flow from noise x_1 (:mod:`tfake.thermalizer.rectified_flow`)

B is the base image: the heat field where it is known, elsewhere the temperature that the table of the prior expects of
a pixel's class in that room. So means are right before anything is learnt, and the network, a small U-Net of diffusers,
learns what the image tells beyond them, and how people of one look differ. s, in K, is what one unit of noise stands
for. What the network sees beside x_t and t: RGB, class indicators, B, whether a field is known there, and the room.

x_t is 0 in the background, in training as in sampling: nothing is known of it, and it is set afterwards.

Where the regression network (:mod:`tfake.thermalizer.thermal_unet`) gives the mean of what an image leaves open, this
one gives a draw from it: textures keep their strength, and a single image's squared error is larger. The draw follows
from (seed, image id), whatever room, shard, batch or thread it is made in.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import NamedTuple, Self

import torch
from diffusers import UNet2DModel
from torch import Tensor, nn

from tfake.core.classes import LABELLED_CLASSES, FaceClass
from tfake.thermalizer.pair_sampling import TrainingData
from tfake.thermalizer.rectified_flow import integrate

#: A slot for each class, and one for pixels of unknown class.
_SLOTS = len(LABELLED_CLASSES) + 1
# RGB, classes, base image, where a field is known, room.
_PLANES = 3 + len(LABELLED_CLASSES) + 3
#: Temperatures as the network takes them: about -1 in a cold room and 1 on warm skin.
_CENTRE_CELSIUS, _UNIT_KELVIN = 27.0, 8.0
#: Channels are multiples of this; groups of the normalisation.
GROUPS = 8
# What diffusers' embedding of times is made for.
_TIMESTEPS = 1000.0


@dataclass(frozen=True)
class DiffusionArchitecture:
    """What must agree for weights to fit a network, and how it is sampled.

    Attributes:
        block_channels: channels of the U-Net's levels, fine to coarse, multiples of ``GROUPS``.
        layers_per_block: residual blocks a level.
        output_celsius: (lowest, highest) temperature the network can give.
        residual_kelvin: what one unit of noise stands for.
        sampling_steps: Euler steps from noise to temperatures.
        sampling_seed: of the noise.
        ambient_celsius: (lowest, highest) ambient temperature that it was trained for, where that is a range; None: it
            was trained for one, and takes any.
        heat_field: whether the network takes the heat field of a face, where it is known.
    """

    block_channels: tuple[int, ...]
    layers_per_block: int
    output_celsius: tuple[float, float]
    residual_kelvin: float
    sampling_steps: int
    sampling_seed: int
    ambient_celsius: tuple[float, float] | None = None
    heat_field: bool = False


class Conditions(NamedTuple):
    """What a batch of images gives the network, at every time alike."""

    base: Tensor  # (B, 1, H, W) float32 degrees Celsius
    planes: Tensor  # (B, C, H, W) float32
    inside: Tensor  # (B, 1, H, W) bool: not background


class ThermalDenoiser(nn.Module):
    """The mean of the data at x_t, given an image. What is trained; :class:`ThermalDiffusion` samples with it."""

    def __init__(self, architecture: DiffusionArchitecture) -> None:
        """Build the network; random weights come from torch's global generator.

        Until ``set_base`` or the tensors of a file say otherwise, every class is expected at 0 °C.

        Raises:
            ValueError: channels that are no multiples of ``GROUPS``.
        """
        super().__init__()
        if wrong := [count for count in architecture.block_channels if count % GROUPS]:
            raise ValueError(f"block_channels must be multiples of {GROUPS}; found {wrong[0]}")
        self.architecture = architecture
        levels = len(architecture.block_channels)
        self.body = UNet2DModel(
            in_channels=1 + _PLANES,
            out_channels=1,
            block_out_channels=architecture.block_channels,
            layers_per_block=architecture.layers_per_block,
            # No attention: images are larger than the crops of training.
            down_block_types=("DownBlock2D",) * levels,
            up_block_types=("UpBlock2D",) * levels,
            add_attention=False,
            norm_num_groups=GROUPS,
        )
        # Before training, the mean is the base image.
        nn.init.zeros_(self.body.conv_out.weight)
        nn.init.zeros_(self.body.conv_out.bias)
        self.register_buffer("base_rooms", torch.tensor([0.0, 1.0]))
        self.register_buffer("base_celsius", torch.zeros(2, _SLOTS))
        self.register_buffer("indicators", torch.eye(_SLOTS, len(LABELLED_CLASSES)), persistent=False)

    def set_base(self, data: TrainingData) -> Self:
        """Take the base image's class temperatures from a run's prior, linear in the room between its ends."""
        low, high = data.ambient_celsius
        rooms = (low, high) if low < high else (low - 1, high + 1)
        for place, room in enumerate(rooms):
            celsius = torch.from_numpy(data.prior_at(room).celsius)
            self.base_rooms[place] = room
            self.base_celsius[place, :-1] = celsius
            # A pixel of unknown class: any of the foreground's.
            self.base_celsius[place, -1] = celsius[FaceClass.BACKGROUND + 1 :].mean()
        return self

    def conditions(
        self, rgb: Tensor, classes: Tensor | None, ambient_celsius: Tensor, field: Tensor | None
    ) -> Conditions:
        """What the network sees of some images; arguments are as of :meth:`ThermalDiffusion.forward`."""
        batch, _, height, width = rgb.shape
        if classes is None:
            classes = rgb.new_full((batch, height, width), int(FaceClass.IGNORE))
        slots = classes.clamp(max=_SLOTS - 1).long()
        first, last = self.base_rooms
        fraction = ((ambient_celsius - first) / (last - first))[:, None]
        by_class = torch.lerp(*self.base_celsius[:, None].expand(-1, batch, -1), fraction)
        base = by_class.gather(1, slots.flatten(1)).reshape(batch, 1, height, width)
        known = torch.zeros_like(base, dtype=torch.bool)
        if self.architecture.heat_field and field is not None:
            known = ~field.isnan()
            base = torch.where(known, field, base)
        room = ambient_celsius[:, None, None, None].expand_as(base)
        planes = (
            rgb.float() / 127.5 - 1,
            nn.functional.embedding(slots, self.indicators).permute(0, 3, 1, 2),
            (base - _CENTRE_CELSIUS) / _UNIT_KELVIN,
            known.float(),
            (room - _CENTRE_CELSIUS) / _UNIT_KELVIN,
        )
        return Conditions(base, torch.cat(planes, 1), (classes != FaceClass.BACKGROUND)[:, None])

    def forward(
        self,
        noisy: Tensor,
        times: Tensor,
        planes: Tensor,
        inside: Tensor,
        body_precision: AbstractContextManager | None = None,
    ) -> Tensor:
        """The mean of the data at some points of the paths.

        Args:
            noisy: (B, 1, H, W) float32 x_t; what it holds in the background is not seen.
            times: (B,) float32 t in [0, 1].
            planes: of ``conditions``.
            inside: of ``conditions``.
            body_precision: an autocast region for the U-Net, from ``autocast_body``; none: float32.

        Returns:
            (B, 1, H, W) float32.
        """
        seen = torch.where(inside, noisy, 0.0)
        with body_precision or nullcontext():
            return self.body(torch.cat((seen, planes), 1), times * _TIMESTEPS, return_dict=False)[0].float()

    def celsius(self, residual: Tensor, base: Tensor) -> Tensor:
        """Temperatures of some x_0 around their base image, within the network's range."""
        return (base + self.architecture.residual_kelvin * residual).clamp(*self.architecture.output_celsius)


class ThermalDiffusion(nn.Module):
    """Draws temperatures in degrees Celsius, as :class:`tfake.thermalizer.thermal_unet.ThermalUNet` computes them.

    Attributes:
        kind: of :data:`tfake.thermalizer.thermalizer_kinds.KINDS`.
        raw_rgb: whether the input's normalisation was changed, which it never is.
    """

    kind = "diffusion"
    raw_rgb = False

    def __init__(self, architecture: DiffusionArchitecture, denoiser: ThermalDenoiser | None = None) -> None:
        """Sample with a trained network, or with one that the tensors of a file fill."""
        super().__init__()
        self.architecture = architecture
        self.denoiser = denoiser or ThermalDenoiser(architecture)

    @property
    def stride(self) -> int:
        """Height and width of an input must be multiples of this."""
        return 2 ** (len(self.architecture.block_channels) - 1)

    @property
    def noise_seed(self) -> int:
        """Seed of the noise that images begin with."""
        return self.architecture.sampling_seed

    def forward(
        self,
        rgb: Tensor,
        classes: Tensor | None,
        ambient_celsius: Tensor,
        field: Tensor | None,
        body_precision: AbstractContextManager | None,
        noise: Tensor,
    ) -> Tensor:
        """Draw temperatures of images.

        Args:
            rgb: (B, 3, H, W) uint8, background already 0.
            classes: (B, H, W) uint8 class ids with lenses filled, IGNORE where a pixel's is not known; None: nowhere.
            ambient_celsius: (B,) float32 ambient temperatures.
            field: (B, 1, H, W) float32 heat field in degrees Celsius, NaN where it is not known; None: nowhere. Not
                used by a network that does not take it.
            body_precision: as of :meth:`ThermalDenoiser.forward`.
            noise: (B, 1, H, W) float32, of :func:`tfake.training.rng.draw_noise`.

        Returns:
            (B, 1, H, W) float32 degrees Celsius.
        """
        base, planes, inside = self.denoiser.conditions(rgb, classes, ambient_celsius, field)
        region = body_precision or nullcontext()

        def estimate_at(points: Tensor, times: Tensor) -> Tensor:
            return self.denoiser(points, times, planes, inside, region)

        return self.denoiser.celsius(integrate(estimate_at, noise, self.architecture.sampling_steps), base)
