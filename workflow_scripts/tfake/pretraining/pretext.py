"""What a pretext is: a task that images set by themselves, as a view maker, a head, and a loss.

A head sees the images of a step through one encoder that all heads share, and gives two numbers: its loss, and a
measure that a person reads. Its module holds no more than its own idea; :mod:`tfake.pretraining.registry` lists them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from tfake.landmarks.crop_views import stretch
from tfake.landmarks.landmark_network import IMAGENET_MEAN, IMAGENET_STD, FeatureNeck
from tfake.pretraining.pretraining_views import PretrainingImage, ViewSettings
from tfake.training.loading import TensorBatch
from tfake.training.training_settings import autocast_body

#: From an image, a random generator and the settings to the arrays of one item of a batch, by name.
DrawViews = Callable[[PretrainingImage, np.random.Generator, ViewSettings], dict[str, np.ndarray]]


class Views(TensorBatch):
    """The views of a step for one pretext: tensors by name, the first axis the items'."""

    def __init__(self, **tensors: Tensor) -> None:
        """Keep the tensors as attributes."""
        vars(self).update(tensors)

    def __getitem__(self, name: str) -> Tensor:
        """The tensor of a name."""
        return vars(self)[name]


class Encoder(FeatureNeck):
    """The part that is kept: a landmark network's backbone and neck, and how images are shown to them."""

    def __init__(self, backbone: str, stretches: bool, precision: str = "float32") -> None:
        """Build it at random.

        Args:
            backbone: name of a timm model.
            stretches: whether contrast is stretched, as the landmark network will do.
            precision: number format of its computations (:func:`tfake.training.training_settings.resolve_precision`).
        """
        super().__init__(backbone)
        self._stretches, self._precision = stretches, precision
        #: Channels of the backbone's last features.
        self.channels: int = self.backbone.feature_info.channels()[-1]

    def show(self, views: Tensor) -> Tensor:
        """Views (B, 1, P, P) in 0..1, float16 or float32, as a network sees them: (B, 3, P, P) float32."""
        images = views.float().expand(-1, 3, -1, -1)
        return stretch(images) if self._stretches else images

    def pool(self, shown: Tensor) -> Tensor:
        """Images (B, 3, P, P) to their last features averaged over the image: (B, ``channels``)."""
        with autocast_body(self._precision, shown.device):
            features = self.backbone(_normalise(shown))[-1]
        return features.float().mean((2, 3))

    def map(self, shown: Tensor) -> Tensor:
        """Images (B, 3, P, P) to (B, NECK_CHANNELS, P / stride, P / stride)."""
        with autocast_body(self._precision, shown.device):
            return self.merge(self.features(_normalise(shown))).float()


def _normalise(shown: Tensor) -> Tensor:
    # Gray images: the three channels' statistics, as the landmark network subtracts them.
    mean, std = (shown.new_tensor(values).reshape(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (shown - mean) / std


class PretextHead(nn.Module, ABC):
    """What stands on the encoder for one task; it is thrown away afterwards."""

    @abstractmethod
    def forward(self, encoder: Encoder, views: Views) -> tuple[Tensor, Tensor]:
        """Loss and measure of a step's views, () each; the measure needs no gradient."""


@dataclass(frozen=True)
class Pretext:
    """One entry of the registry.

    Attributes:
        title: what it asks, for people.
        measure: what the second number is, with its unit.
        draw_views: makes an item's views.
        make_head: from the encoder and the number of subjects to the head.
        trains_neck: whether it reads the neck's map; else the backbone alone learns.
        needs_points: whether images without points teach it nothing.
        closed_set: whether it asks about the very subjects of the training, so that others cannot test it.
    """

    title: str
    measure: str
    draw_views: DrawViews
    make_head: Callable[[Encoder, int], PretextHead]
    trains_neck: bool = False
    needs_points: bool = False
    closed_set: bool = False
