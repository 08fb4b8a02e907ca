"""The landmark network: from a square crop to L points, each with its own standard deviation.

Two heads stand on any backbone of timm. ``pooled`` is T-FAKE's (Flotho et al., CVPR 2025): the backbone's last
features, averaged over the crop, and one linear layer. ``heatmap`` reads each point as the mean of a softmax map over
features of an eighth of the resolution (integral regression, Sun et al., ECCV 2018), and its deviation as the same
map's mean of a second one: it learns from far fewer images, since where a point is need not pass through an average.

Both fall into two halves: ``encode`` is convolutional, ``decode`` looks at one window of its output. Detection encodes
a large image once and decodes all of its windows. Another cut, between ``features`` (the backbone) and ``points_of``
(all that stands on it), is where distillation passes from one network to another. The loss is how likely the true
points are under the network's Gaussians. A calibration holds their scale, the threshold that tells a face, and how well
both hold.
"""

import copy
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import timm
import torch
from torch import Tensor, nn

from tfake.core.codes import BOTH_POINTS, ROWS_OF_BOTH
from tfake.landmarks.crop_views import stretch_gray
from tfake.training.weights_file import load_encoder

HEADS = ("heatmap", "pooled")

#: Standard deviations are never below this, in crop widths: T-FAKE's least variance of 1e-6.
MIN_SIGMA = 1e-3

#: Channel statistics of ImageNet, which every backbone of timm was trained with.
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: Channels of the map that a neck adds the features of a backbone up to, where nothing else is said.
NECK_CHANNELS = 64
_FINEST_STRIDE = 8
# Positions of a map reach this far beyond the crop, so that points on its edge can be met without an infinite logit.
_REACH = 1.25
# The untrained network's deviation is near that of a point anywhere in the crop, 0.29.
_INITIAL_LOGIT = -1.0


@dataclass(frozen=True)
class LandmarkArchitecture:
    """What must agree for weights to fit a network.

    Attributes:
        landmarks: number of points: 70, 478, or 548 for both, the 70 first.
        backbone: name of a timm model.
        head: ``heatmap`` or ``pooled``.
        image_pixels: edge of the crops it is trained on; a multiple of 32.
        thermal_stretch: whether the network stretches the contrast of gray crops (:mod:`tfake.landmarks.crop_views`).
        thermal_mirror: whether its answers on gray crops are averaged with those on their mirror images.
        neck_channels: width of what joins the backbone's scales, of the head ``heatmap``; the other has none.
    """

    landmarks: int
    backbone: str = "regnetx_002"
    head: str = "heatmap"
    image_pixels: int = 96
    # What files that do not state it were trained with.
    thermal_stretch: bool = False
    thermal_mirror: bool = False
    neck_channels: int = NECK_CHANNELS


class LandmarkNetwork(nn.Module):
    """Points and standard deviations of one face in a square crop."""

    def __init__(self, architecture: LandmarkArchitecture, pretrained: bool | Path = False) -> None:
        """Build the network in channels-last layout; random weights come from torch's global generator.

        Args:
            architecture: number of points, backbone, head and crop.
            pretrained: whether to fetch timm's ImageNet weights for the backbone; or the path of a file of
                :func:`tfake.training.weights_file.save_encoder`.

        Raises:
            ValueError: timm has no such backbone, an unknown head, a crop that is no multiple of 32, a neck of no
                channels, or a file that does not fit the backbone.
        """
        super().__init__()
        if architecture.head not in HEADS:
            raise ValueError(f"head must be one of {', '.join(HEADS)}; found {architecture.head!r}")
        if architecture.image_pixels % 32 or architecture.image_pixels < 32:
            raise ValueError(f"image_pixels must be a multiple of 32; found {architecture.image_pixels}")
        if architecture.neck_channels < 1:
            raise ValueError(f"neck_channels must be at least 1; found {architecture.neck_channels}")
        if not timm.is_model(architecture.backbone):
            raise ValueError(f"timm has no model {architecture.backbone!r}")
        self.architecture = architecture
        head = _HeatmapHead if architecture.head == "heatmap" else _PooledHead
        self.body = head(architecture, pretrained is True)
        if isinstance(pretrained, Path):
            load_encoder(pretrained, architecture.backbone, self.body.backbone)
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("temperature", torch.ones(()))
        self.to(memory_format=torch.channels_last)

    def scale_sigma(self, factor: float) -> None:
        """Multiply every standard deviation from now on: what calibration found missing."""
        self.temperature.mul_(factor)

    def select(self, landmarks: int) -> "LandmarkNetwork":
        """The part of a network for both sets that finds one of them; its answers are the same, at less cost.

        Args:
            landmarks: 70 or 478; the network's own number gives the network itself.

        Raises:
            ValueError: the network does not find them.
        """
        if landmarks == self.architecture.landmarks:
            return self
        rows = ROWS_OF_BOTH.get(landmarks)
        if self.architecture.landmarks != BOTH_POINTS or rows is None:
            raise ValueError(
                f"expected a network that finds {landmarks} points, found one for {self.architecture.landmarks}"
            )
        part = copy.deepcopy(self)
        part.architecture = replace(self.architecture, landmarks=landmarks)
        part.body.select(torch.arange(BOTH_POINTS)[rows])
        return part

    @property
    def stride(self) -> int:
        """Pixels from one position of ``encode``'s output to the next."""
        return self.body.stride

    def forward(self, images: Tensor, body_precision: AbstractContextManager | None = None) -> Tensor:
        """Find the points of one face a crop, whose contrast is stretched first where the architecture says so.

        Args:
            images: (B, 3, P, P) float32 in 0..1; a thermal image fills the three channels alike.
            body_precision: an autocast region for all but the last step; none: float32.

        Returns:
            (B, L, 3) float32: x and y in crop widths, 0 and 1 being the crop's outer edges, so that the centre of pixel
            i lies at (i + 1/2) / P; and the standard deviation of either, in the same unit, at least ``MIN_SIGMA``
            times the temperature.
        """
        shown = stretch_gray(images) if self.architecture.thermal_stretch else images
        return self.decode(self.encode(shown, body_precision))

    def encode(self, images: Tensor, body_precision: AbstractContextManager | None = None) -> Tensor:
        """Compute what the windows of an image share; it is looked at as it is.

        Args:
            images: (B, 3, H, W) float32 in 0..1, H and W multiples of 32.
            body_precision: as in ``forward``.

        Returns:
            (B, K, H / stride, W / stride) float32.
        """
        with body_precision or nullcontext():
            return self.body.encode(self._normalise(images)).float()

    @property
    def feature_scales(self) -> tuple[tuple[int, int], ...]:
        """Stride in pixels and channels of each map that ``features`` gives."""
        return self.body.feature_scales

    def features(self, images: Tensor, body_precision: AbstractContextManager | None = None) -> tuple[Tensor, ...]:
        """What the backbone makes of crops, which it is shown as ``forward`` shows them.

        Args:
            images: (B, 3, P, P) float32 in 0..1.
            body_precision: as in ``forward``.

        Returns:
            (B, C, P / stride, P / stride) of each of ``feature_scales``, finest first, in the body's number format.
        """
        shown = stretch_gray(images) if self.architecture.thermal_stretch else images
        with body_precision or nullcontext():
            return self.body.features(self._normalise(shown))

    def points_of(self, features: tuple[Tensor, ...], body_precision: AbstractContextManager | None = None) -> Tensor:
        """Points and deviations from what ``features`` gives: ``points_of(features(images))`` is ``forward(images)``.

        Returns:
            (B, L, 3) as ``forward``.
        """
        with body_precision or nullcontext():
            encoded = self.body.join(features).float()
        return self.decode(encoded)

    def _normalise(self, images: Tensor) -> Tensor:
        return ((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)

    def decode(self, encoded: Tensor) -> Tensor:
        """Read points and deviations off windows (B, K, P / stride, P / stride) of what ``encode`` gave.

        Returns:
            (B, L, 3) as in ``forward``, relative to each window.
        """
        with torch.autocast(encoded.device.type, enabled=False):
            points, logit = self.body.decode(encoded)
            sigma = self.temperature * (MIN_SIGMA + nn.functional.softplus(logit))
        return torch.cat((points, sigma[..., None]), 2)


class _PooledHead(nn.Module):
    """Average over the crop, then one linear layer to (x, y, deviation) of each point."""

    def __init__(self, architecture: LandmarkArchitecture, pretrained: bool) -> None:
        super().__init__()
        self.backbone = timm.create_model(architecture.backbone, pretrained=pretrained, num_classes=0)
        reductions = {info["reduction"] for info in self.backbone.feature_info}
        self.stride = max(reductions)
        self.linear = nn.Linear(self.backbone.num_features, 3 * architecture.landmarks)
        with torch.no_grad():
            self.linear.bias.copy_(torch.tensor((0.5, 0.5, _INITIAL_LOGIT)).repeat(architecture.landmarks))

    def select(self, points: Tensor) -> None:
        self.linear = _rows_of(self.linear, (3 * points[:, None] + torch.arange(3)).flatten())

    @property
    def feature_scales(self) -> tuple[tuple[int, int], ...]:
        return ((self.stride, self.backbone.num_features),)

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        return (self.backbone.forward_features(images),)

    def join(self, features: tuple[Tensor, ...]) -> Tensor:
        return features[0]

    def encode(self, images: Tensor) -> Tensor:
        return self.join(self.features(images))

    def decode(self, encoded: Tensor) -> tuple[Tensor, Tensor]:
        values = self.linear(encoded.mean((2, 3))).unflatten(1, (-1, 3))
        return values[..., :2], values[..., 2]


class FeatureNeck(nn.Module):
    """A backbone of timm, and its features of several scales added up to one map of an eighth of the resolution."""

    def __init__(self, backbone: str, pretrained: bool = False, width: int = NECK_CHANNELS) -> None:
        """Build both; random weights come from torch's global generator.

        Args:
            backbone: name of a timm model.
            pretrained: whether timm's ImageNet weights are fetched for it.
            width: channels of the map.
        """
        super().__init__()
        self.backbone = timm.create_model(backbone, pretrained=pretrained, features_only=True)
        reductions = self.backbone.feature_info.reduction()
        # The stages that the neck adds up: from an eighth of the resolution to the coarsest.
        self._stages = [stage for stage, by in enumerate(reductions) if by >= _FINEST_STRIDE]
        self.stride = reductions[self._stages[0]]
        channels = [self.backbone.feature_info.channels()[stage] for stage in self._stages]
        self.lateral = nn.ModuleList(nn.Conv2d(count, width, 1) for count in channels)
        self.smooth = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )

    @property
    def feature_scales(self) -> tuple[tuple[int, int], ...]:
        """Stride in pixels and channels of each map that ``features`` gives."""
        scales = list(zip(self.backbone.feature_info.reduction(), self.backbone.feature_info.channels(), strict=True))
        return tuple(scales[stage] for stage in self._stages)

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        """What the backbone makes of normalised images, a map a stage, finest first."""
        stages = self.backbone(images)
        return tuple(stages[stage] for stage in self._stages)

    def merge(self, features: Sequence[Tensor]) -> Tensor:
        """Add up what ``features`` gave: (B, width, H / stride, W / stride)."""
        merged = None
        for own_features, lateral in reversed(list(zip(features, self.lateral, strict=True))):
            own = lateral(own_features)
            if merged is not None:
                own = own + nn.functional.interpolate(merged, scale_factor=2.0, mode="nearest")
            merged = own
        return self.smooth(merged)


class _HeatmapHead(FeatureNeck):
    """A map of places and a map of deviations for each point, over features of several scales."""

    def __init__(self, architecture: LandmarkArchitecture, pretrained: bool) -> None:
        super().__init__(architecture.backbone, pretrained, architecture.neck_channels)
        self.maps = nn.Conv2d(architecture.neck_channels, 2 * architecture.landmarks, 1)
        with torch.no_grad():
            self.maps.bias[architecture.landmarks :].fill_(_INITIAL_LOGIT)

    def select(self, points: Tensor) -> None:
        self.maps = _rows_of(self.maps, torch.cat((points, self.maps.out_channels // 2 + points)))

    def join(self, features: tuple[Tensor, ...]) -> Tensor:
        return self.maps(self.merge(features))

    def encode(self, images: Tensor) -> Tensor:
        return self.join(self.features(images))

    def decode(self, encoded: Tensor) -> tuple[Tensor, Tensor]:
        places, deviations = encoded.chunk(2, 1)
        points, weights = expected_places(places)
        return points, (weights * deviations.flatten(2)).sum(2)


def _rows_of(layer: nn.Module, rows: Tensor) -> nn.Module:
    """A layer with some of its outputs."""
    part = copy.deepcopy(layer)
    part.weight, part.bias = (nn.Parameter(tensor.detach()[rows]) for tensor in (layer.weight, layer.bias))
    setattr(part, "out_channels" if isinstance(layer, nn.Conv2d) else "out_features", len(rows))
    return part


def expected_places(maps: Tensor) -> tuple[Tensor, Tensor]:
    """Means of softmax maps (B, L, h, w): (B, L, 2) x and y in crop widths, and the weights (B, L, h w)."""
    height, width = maps.shape[2:]
    weights = maps.flatten(2).softmax(2)
    grid = torch.stack((_positions(width, maps).repeat(height), _positions(height, maps).repeat_interleave(width)), 1)
    return weights @ grid, weights


def _positions(count: int, like: Tensor) -> Tensor:
    """Where the cells of a map stand for, in crop widths."""
    middles = (torch.arange(count, device=like.device, dtype=torch.float32) + 0.5) / count
    return 0.5 + (middles - 0.5) * _REACH


def gaussian_nll(found: Tensor, points: Tensor, beta: float = 0.0) -> Tensor:
    """Negative logarithm of a Gaussian's density, a coordinate, without its constant (Flotho et al., CVPR 2025).

        l = (log v + e^2 / v) / 2, averaged over x and y, with v = sigma^2

    With a beta above 0, l is weighted by sigma^(2 beta), itself without a gradient (Seitzer et al., ICLR 2022, eq. 5):
    the plain likelihood all but drops a point from the gradient of the mean once its deviation is large.

    Args:
        found: (B, L, 3) x, y and sigma > 0, from the network.
        points: (B, L, 2) true places, in the same unit.
        beta: 0 to 1.

    Returns:
        (B, L).
    """
    sigma = found[..., 2]
    squared = (found[..., :2] - points).square().mean(-1)
    nll = sigma.log() + 0.5 * squared / sigma.square()
    return nll * sigma.detach().pow(2 * beta) if beta else nll


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Mean of (B, L) values by (B, L) weights; 0 where no weight is left."""
    return (values * weights).sum() / weights.sum().clamp(min=torch.finfo(values.dtype).tiny)


_BINS = 10
_ABOVE_FACES = 1.1


@dataclass(frozen=True)
class Calibration:
    """What a trained network is used with.

    Attributes:
        temperature: factor that makes the standard deviations true on validation faces.
        threshold: mean standard deviation over a window, in crop widths and after scaling, below which it is a face.
    """

    temperature: float = 1.0
    threshold: float = 0.1


def fit_temperature(distances: np.ndarray, sigma: np.ndarray) -> float:
    """The factor on sigma (N,) a coordinate under which distances (N,) are likeliest: sqrt(mean(e^2 / sigma^2))."""
    ratios = distances / sigma
    # Points that are lost altogether are cut at seven typical distances: a handful would stretch everybody's deviation.
    ratios = np.minimum(ratios, 7 * np.median(ratios))
    # A distance joins two coordinates, so it has twice the variance of one.
    return float(np.sqrt((ratios**2).mean() / 2))


def calibration_curve(distances: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predicted against measured deviations, over tenths of the points by descending confidence.

    Returns:
        Root mean square of the predicted and of the measured deviation a coordinate, (10,) each.
    """
    tenths = np.array_split(np.argsort(sigma, kind="stable"), _BINS)
    predicted = np.array([np.sqrt((sigma[part] ** 2).mean()) for part in tenths])
    measured = np.array([np.sqrt((distances[part] ** 2).mean() / 2) for part in tenths])
    return predicted, measured


def calibration_error(distances: np.ndarray, sigma: np.ndarray) -> float:
    """Mean of |measured / predicted - 1| over the tenths of ``calibration_curve``."""
    predicted, measured = calibration_curve(distances, sigma)
    return float(np.abs(measured / predicted - 1).mean())


def separation(faces: np.ndarray, others: np.ndarray) -> float:
    """Area under the ROC curve of "the lower, the more of a face": how often a face has the lower one.

    Both are mean standard deviations of windows: (F,) on faces, (M,) on anything else.
    """
    ordered = np.sort(others)
    above = len(ordered) - np.searchsorted(ordered, faces, side="right")
    ties = np.searchsorted(ordered, faces, side="right") - np.searchsorted(ordered, faces, side="left")
    return float((above + ties / 2).mean() / len(ordered))


def choose_threshold(faces: np.ndarray, others: np.ndarray) -> float:
    """A threshold that finds the faces and little else, from values as in ``separation``.

    The best balance (the largest sum of faces found and others left) says which faces can be found; the threshold is a
    tenth above the least confident of them, and not in the middle of the gap to the others: a search looks at hundreds
    of windows an image.
    """
    values = np.unique(np.concatenate((faces, others)))
    cuts = (values[1:] + values[:-1]) / 2
    found = np.searchsorted(np.sort(faces), cuts) / len(faces)
    left = 1 - np.searchsorted(np.sort(others), cuts) / len(others)
    best = cuts[np.argmax(found + left)]
    return float(min(best, _ABOVE_FACES * faces[faces < best].max(initial=0.0) or best))
