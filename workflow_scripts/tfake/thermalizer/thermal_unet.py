"""The thermalizer's network: a U-Net from RGB to one bounded temperature a pixel, shifted by the class map.

    T = lo + (hi - lo) sigmoid(f(rgb) + g(classes))

f is the U-Net; it sees the image alone. g, one small convolution over the class indicators, adds a temperature step a
class and softens it at the borders. The source always has a class map, and learning from the image alone to tell hair
from skin takes far longer than a laptop's minutes. Giving the map to the U-Net itself was tried: where the pairs carry
no class maps, its output is flat inside every class, for nothing ties what it learns with a map to what it learns
without. A network for a range of ambients also takes their temperature: it scales and shifts f's last features (FiLM,
Perez et al. 2018), and multiplies a second set of g's steps.

A network that takes the heat field (:mod:`tfake.heat`) renders it: where the field F of a face is known,

    T = lo + (hi - lo) sigmoid(logit(F) + a + b logit(F))

with a and b a small convolution of f's last features, 0 before training. It learns what the image knows and the field
does not: stubble, brows, frames, and how dense hair is, which lies between room and skin and so multiplies. The class
steps stay out there, for the field has no edge where a class ends and skin goes on. The field joins behind the U-Net,
so that encoders, pretrained weights and networks without it are alike.

The body may run in bfloat16; the last convolution, g and the bound always run in float32, since a bfloat16 logit would
quantise temperatures far coarser than the 0.01 K of a stored count.
"""

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import segmentation_models_pytorch as smp
import torch
from torch import Tensor, nn

from tfake.core.classes import LABELLED_CLASSES
from tfake.training.weights_file import load_encoder


def convolve_by_rows(features: Tensor, weight: Tensor) -> Tensor:
    """As ``torch.nn.functional.conv2d`` with zeros beyond the border, but for the order of the sums.

    Libraries compute many output channels at once; with a single one most of that width lies idle. With a channel for
    each row of the kernel, and the rows' results added where they belong, the sum is the same and takes, on a CPU, a
    fifth (19 channels to 1, 7x7) or two fifths (16 to 1, 3x3) of the time.

    Args:
        features: (B, C, H, W).
        weight: (S, C, K, K), K odd.

    Returns:
        (B, S, H, W).
    """
    sets, channels, size, _ = weight.shape
    height, reach = features.shape[2], size // 2
    rows = weight.transpose(1, 2).reshape(sets * size, channels, 1, size)
    by_row = nn.functional.conv2d(features, rows, padding=reach).unflatten(1, (sets, size))
    return sum(by_row[:, :, row, row : row + height] for row in range(size))


_CLASS_COUNT = len(LABELLED_CLASSES)

#: Reach of a class's temperature step across its border.
_PIXELS = 7


class ClassOffset(nn.Conv2d):
    """A convolution from class ids to one channel, all zeros before training; IGNORE adds nothing."""

    def __init__(self, takes_ambient: bool) -> None:
        """Build it; of a network that takes the ambient there is a second set of steps, which that multiplies."""
        super().__init__((1 + takes_ambient) * _CLASS_COUNT, 1, _PIXELS, padding=_PIXELS // 2, bias=False)
        nn.init.zeros_(self.weight)
        # One row more than there are classes stands for IGNORE.
        self.register_buffer("indicators", torch.eye(_CLASS_COUNT + 1, _CLASS_COUNT), persistent=False)

    def forward(self, classes: Tensor, ambient: Tensor | None = None) -> Tensor:
        """Add up the steps around each pixel: (B, 1, H, W) float32 of (B, H, W) uint8 class ids.

        ``ambient`` (B,) float32 multiplies the second set of steps; None where there is none.
        """
        slots = classes.clamp(max=_CLASS_COUNT).int()
        indicators = nn.functional.embedding(slots, self.indicators).permute(0, 3, 1, 2)
        steps = convolve_by_rows(indicators, self.weight[0].unflatten(0, (-1, _CLASS_COUNT)))
        return steps if ambient is None else steps[:, :1] + ambient[:, None, None, None] * steps[:, 1:]


# Channel statistics of ImageNet, which every encoder of timm and smp was trained with.
_RGB_MEAN = (0.485, 0.456, 0.406)
_RGB_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Architecture:
    """What must agree for weights to fit a network.

    Attributes:
        encoder: name of the encoder in segmentation_models_pytorch (``resnet34``; ``tu-NAME`` for one of timm's).
        decoder_channels: channels of the decoder's stages, coarse to fine; their number is the depth.
        output_celsius: (lowest, highest) temperature the network can give.
        class_offset: whether a class map, where there is one, shifts what the image alone gives.
        ambient_celsius: (lowest, highest) ambient temperature that the network takes as an input; None: it takes none.
        heat_field: whether the network takes the heat field of a face, where it is known.
    """

    encoder: str
    decoder_channels: tuple[int, ...]
    output_celsius: tuple[float, float]
    class_offset: bool = True
    ambient_celsius: tuple[float, float] | None = None
    heat_field: bool = False


class ThermalUNet(nn.Module):
    """U-Net with a bounded float32 output in degrees Celsius.

    Attributes:
        kind: of :data:`tfake.thermalizer.thermalizer_kinds.KINDS`.
        noise_seed: of a network that draws; this one does not.
    """

    kind = "unet"
    noise_seed: int | None = None

    def __init__(
        self,
        architecture: Architecture,
        encoder_weights: str | Path | None = None,
        initial_celsius: float | None = None,
    ) -> None:
        """Build the network in channels-last layout; random weights come from torch's global generator.

        Args:
            architecture: encoder, decoder and range.
            encoder_weights: None for random weights, the path of a file of
                :func:`tfake.training.weights_file.save_encoder`, or ``imagenet`` to fetch pretrained ones.
            initial_celsius: the temperature that the untrained network gives everywhere on average; the middle of the
                range by default.

        Raises:
            ValueError: smp knows no such encoder or weights, the file does not fit it, the range is empty, or the
                initial value lies outside.
            RuntimeError: the pretrained weights cannot be fetched.
        """
        super().__init__()
        low, high = architecture.output_celsius
        if not low < high:
            raise ValueError(f"output_celsius must be (lowest, highest); found ({low}, {high})")
        self.architecture = architecture
        if isinstance(encoder_weights, Path):
            self.body = _build_unet(architecture, None)
            load_encoder(encoder_weights, architecture.encoder, self.body.encoder)
        else:
            self.body = _build_unet(architecture, encoder_weights)
        takes_ambient = architecture.ambient_celsius is not None
        if architecture.class_offset:
            self.offset = ClassOffset(takes_ambient)
        if takes_ambient:
            self.film = _AmbientFilm(architecture.decoder_channels[-1])
        if architecture.heat_field:
            # Without a bias: what no feature tells apart is the field's to say.
            self.correction = nn.Conv2d(architecture.decoder_channels[-1], 2, 3, padding=1, bias=False)
            nn.init.zeros_(self.correction.weight)
        self.head = self.body.segmentation_head
        self.body.segmentation_head = nn.Identity()
        initial = (low + high) / 2 if initial_celsius is None else initial_celsius
        if not low < initial < high:
            raise ValueError(f"initial_celsius {initial} is not inside the output range ({low}, {high})")
        with torch.no_grad():
            self.head[0].bias.fill_(math.log((initial - low) / (high - initial)))
        self.register_buffer("rgb_mean", torch.tensor(_RGB_MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("rgb_std", torch.tensor(_RGB_STD).reshape(1, 3, 1, 1), persistent=False)
        self.set_channels_last(True)

    def set_channels_last(self, channels_last: bool) -> None:
        """Lay out weights and images; channels last, the default, is the faster on CPUs and GPUs alike."""
        self.channels_last = channels_last
        self.to(memory_format=self._memory_format)

    @property
    def _memory_format(self) -> torch.memory_format:
        return torch.channels_last if self.channels_last else torch.contiguous_format

    @property
    def raw_rgb(self) -> bool:
        """Whether the network takes RGB / 255 as it is, without ImageNet's statistics."""
        return not self.rgb_mean.any().item()

    def set_input_normalization(self, raw: bool = True) -> None:
        """Choose the input: ``raw`` RGB / 255 as it is, or by ImageNet's statistics, as a new network has it."""
        self.rgb_mean.copy_(torch.tensor((0.0,) * 3 if raw else _RGB_MEAN).reshape(1, 3, 1, 1))
        self.rgb_std.copy_(torch.tensor((1.0,) * 3 if raw else _RGB_STD).reshape(1, 3, 1, 1))

    @property
    def stride(self) -> int:
        """Height and width of an input must be multiples of this."""
        return self.body.encoder.output_stride

    def forward(
        self,
        rgb: Tensor,
        classes: Tensor | None = None,
        ambient_celsius: Tensor | None = None,
        field: Tensor | None = None,
        body_precision: AbstractContextManager | None = None,
    ) -> Tensor:
        """Turn images into temperatures.

        Args:
            rgb: (B, 3, H, W) uint8, background already 0.
            classes: (B, H, W) uint8 class ids with lenses filled, IGNORE where a pixel's is not known; None where
                nothing is known. Not used by a network without class offset.
            ambient_celsius: (B,) float32 ambient temperatures; only used, and then needed, by a network that takes
                them.
            field: (B, 1, H, W) float32 heat field in degrees Celsius, NaN where it is not known; None: nowhere. Not
                used by a network that does not take it.
            body_precision: an autocast region for everything but the head, from ``autocast_body``; none: float32.

        Returns:
            (B, 1, H, W) float32 degrees Celsius.
        """
        ambient = self._scale_ambient(ambient_celsius)
        image = (rgb.to(torch.float32) / 255 - self.rgb_mean) / self.rgb_std
        with body_precision or nullcontext():
            features = self.body(image.contiguous(memory_format=self._memory_format))
        with torch.autocast(image.device.type, enabled=False):
            features = features.float()
            features = features if ambient is None else self.film(features, ambient)
            logit = convolve_by_rows(features, self.head[0].weight) + self.head[0].bias
            if self.architecture.class_offset and classes is not None:
                logit = logit + self.offset(classes, ambient)
            if self.architecture.heat_field and field is not None:
                known = ~field.isnan()
                rendered = self._to_logit(torch.where(known, field, sum(self.architecture.output_celsius) / 2))
                shift, gain = convolve_by_rows(features, self.correction.weight).split(1, 1)
                logit = torch.where(known, rendered + shift + gain * rendered, logit)
        low, high = self.architecture.output_celsius
        return low + (high - low) * torch.sigmoid(logit)

    def _to_logit(self, celsius: Tensor) -> Tensor:
        """What the bound turns into these temperatures; those outside of the range become its ends, nearly."""
        low, high = self.architecture.output_celsius
        return torch.logit((celsius - low) / (high - low), eps=_NEAR_THE_END)

    def _scale_ambient(self, ambient_celsius: Tensor | None) -> Tensor | None:
        """Ambient temperatures as (B,) numbers that are -1 and 1 at the ends of the network's range."""
        if self.architecture.ambient_celsius is None:
            return None
        low, high = self.architecture.ambient_celsius
        return (2 * ambient_celsius - (low + high)) / (high - low)


class _AmbientFilm(nn.Module):
    """Feature-wise scale and shift from one number an image; nothing is changed before training."""

    def __init__(self, channels: int, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(1, width), nn.GELU(), nn.Linear(width, 2 * channels))
        nn.init.zeros_(self.layers[-1].weight)
        nn.init.zeros_(self.layers[-1].bias)

    def forward(self, features: Tensor, ambient: Tensor) -> Tensor:
        scale, shift = self.layers(ambient[:, None])[..., None, None].chunk(2, 1)
        return features * (1 + scale) + shift


#: How near the ends of the range a field's temperature may come, as a part of the range: a logit stays finite.
_NEAR_THE_END = 1e-4


def _build_unet(architecture: Architecture, encoder_weights: str | None) -> nn.Module:
    arguments = {
        "encoder_name": architecture.encoder,
        "encoder_depth": len(architecture.decoder_channels),
        "decoder_channels": architecture.decoder_channels,
        "in_channels": 3,
        "classes": 1,
    }
    try:
        return smp.Unet(**arguments, encoder_weights=encoder_weights)
    except KeyError as error:
        known = f"encoder {architecture.encoder!r} with weights {encoder_weights!r}"
        raise ValueError(f"segmentation_models_pytorch cannot build {known}: {error}") from error
    except Exception as error:
        if encoder_weights is None:
            raise ValueError(f"the encoder {architecture.encoder!r} cannot be built: {error}") from error
        raise RuntimeError(
            f"the {encoder_weights!r} weights of the encoder {architecture.encoder!r} cannot be fetched ({error}); "
            "they need a connection to their host or its local cache; encoder_weights: null trains from random weights"
        ) from error
