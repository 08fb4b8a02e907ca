"""The detector's network: from a picture to maps of faces' centres, boxes and five points.

A face is the cell of a map of a quarter of the resolution that its centre lies in (Zhou et al., Objects as Points,
2019), and boxes are read off the cells around it (TTFNet, Liu et al., AAAI 2020), which learns in few steps. The
backbone ends at a sixteenth of the resolution; a few cheap layers at a thirty-second see as far as the largest face
reaches. Sizes and places are in units of the face, so that one error weighs alike in near and far ones.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import timm
import torch
from torch import Tensor, nn

from tfake.detector.face_maps import CHANNELS, STRIDE

# Before training a cell is a face with a probability of a hundredth (Lin et al., ICCV 2017).
_PRIOR_LOGIT = -4.6
_CONTEXT_CHANNELS = 64
_COARSEST_FEATURES = 16


@dataclass(frozen=True)
class DetectorArchitecture:
    """What must agree for weights to fit a network, and the size of the pictures that it knows.

    Attributes:
        backbone: name of a timm model.
        channels: of the neck and of the heads.
        search_pixels: edge of a square of the area that a picture is brought to before it is searched.
        search_looks: how often a picture is searched (:data:`tfake.detector.face_detector.LOOKS`).
    """

    backbone: str = "regnetx_002"
    channels: int = 40
    search_pixels: int = 288
    search_looks: int = 1


class DetectorNetwork(nn.Module):
    """Maps of faces over a picture."""

    def __init__(self, architecture: DetectorArchitecture) -> None:
        """Build the network in channels-last layout; random weights come from torch's global generator.

        Args:
            architecture: backbone and channels.

        Raises:
            ValueError: timm has no such backbone, or it has no features of a fourth to a sixteenth of the resolution.
        """
        super().__init__()
        if not timm.is_model(architecture.backbone):
            raise ValueError(f"timm has no model {architecture.backbone!r}")
        self.architecture = architecture
        self.backbone, counts = _truncated(architecture.backbone)
        channels = architecture.channels
        self.context = nn.Sequential(
            _block(counts[-1], _CONTEXT_CHANNELS, 1),
            _block(_CONTEXT_CHANNELS, _CONTEXT_CHANNELS, 3, stride=2),
            _Residual(_CONTEXT_CHANNELS),
            _Residual(_CONTEXT_CHANNELS),
        )
        self.lateral = nn.ModuleList(nn.Conv2d(count, channels, 1) for count in (*counts, _CONTEXT_CHANNELS))
        self.head = nn.Sequential(_block(channels, channels, 3), _block(channels, channels, 3))
        self.answer = nn.Conv2d(channels, CHANNELS, 1)
        with torch.no_grad():
            self.answer.bias.zero_()
            self.answer.bias[0] = _PRIOR_LOGIT
        self.to(memory_format=torch.channels_last)

    def start_from(self, backbone: Mapping[str, Tensor]) -> None:
        """Begin with the weights of a backbone that learnt something else; what lies behind its cut is left out.

        Raises:
            ValueError: it is another backbone.
        """
        own = self.backbone.state_dict()
        unlike = [name for name, value in own.items() if name not in backbone or backbone[name].shape != value.shape]
        if unlike:
            raise ValueError(f"the weights are of another backbone than {self.architecture.backbone}: {unlike[:3]}")
        self.backbone.load_state_dict({name: backbone[name] for name in own})

    def forward(self, images: Tensor, body_precision: AbstractContextManager | None = None) -> Tensor:
        """Look at pictures.

        Args:
            images: (B, 3, H, W) float32 in 0..1, H and W multiples of ``COARSEST_STRIDE``; a gray picture fills the
                three channels alike, its contrast stretched (:func:`tfake.detector.views.stretch_scene`).
            body_precision: an autocast region for all but the last step; none: float32.

        Returns:
            (B, ``CHANNELS``, H / 4, W / 4) float32: the logit of a face's centre; log(w / 32) and log(h / 32) of its
            box in pixels; its centre and its five points relative to the cell's middle, over sqrt(w h).
        """
        with body_precision or nullcontext():
            features = self.backbone(((images - 0.5) / 0.25).contiguous(memory_format=torch.channels_last))
            features = [*features, self.context(features[-1])]
            merged = self.lateral[-1](features[-1])
            for feature, lateral in zip(features[-2::-1], list(self.lateral)[-2::-1], strict=True):
                merged = lateral(feature) + nn.functional.interpolate(merged, scale_factor=2.0, mode="nearest")
            merged = self.head(merged)
        with torch.autocast(images.device.type, enabled=False):
            return self.answer(merged.float())


def _truncated(name: str) -> tuple[nn.Module, list[int]]:
    """A backbone that ends at a sixteenth of the resolution, and the channels of its three outputs."""
    whole = timm.create_model(name, pretrained=False, features_only=True)
    reductions = whole.feature_info.reduction()
    stages = [reductions.index(by) for by in (STRIDE, 2 * STRIDE, _COARSEST_FEATURES) if by in reductions]
    if len(stages) != 3:
        raise ValueError(f"{name} has no features of strides {STRIDE} to {_COARSEST_FEATURES}; found {reductions}")
    backbone = timm.create_model(name, pretrained=False, features_only=True, out_indices=tuple(stages))
    return backbone, backbone.feature_info.channels()


def _block(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class _Residual(nn.Module):
    """Looks one cell further in each direction."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(_block(channels, channels, 3, groups=channels // 8), _block(channels, channels, 1))

    def forward(self, features: Tensor) -> Tensor:
        return features + self.body(features)


class NetworkMaps:
    """A detector's network as :func:`tfake.detector.face_detector.find_faces` asks it: arrays in, arrays out."""

    def __init__(self, network: DetectorNetwork, device: torch.device, search_looks: int | None = None) -> None:
        """Keep a network in evaluation mode, and the device that it is on; None: as many looks as it asks for."""
        self.search_pixels = network.architecture.search_pixels
        self.search_looks = search_looks or network.architecture.search_looks
        self.network, self.device = network, device

    @torch.inference_mode()
    def __call__(self, image: np.ndarray) -> np.ndarray:
        """The maps of a picture, (3, H, W) float32 in 0..1: (``CHANNELS``, H / 4, W / 4) float32."""
        return self.network(torch.from_numpy(image)[None].to(self.device))[0].cpu().numpy()
