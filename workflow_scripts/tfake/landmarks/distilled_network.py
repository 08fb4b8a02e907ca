"""A student with the maps to and from its teacher's features, as one module that is trained; and the frozen teacher."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import NamedTuple

import torch
from torch import Tensor, nn

from tfake.landmarks.distillation_terms import Features
from tfake.landmarks.landmark_network import LandmarkNetwork


class FeatureMap(nn.Module):
    """From one network's features to another's channels and resolution, scale by scale.

    A 1x1 convolution where the channels differ, and a mean over neighbours where the resolutions do; what agrees is
    left as it is.
    """

    def __init__(self, source: LandmarkNetwork, target: LandmarkNetwork) -> None:
        """Build the maps; random weights come from torch's global generator.

        Raises:
            ValueError: the networks' features are of other strides: they have other heads, or backbones too unlike.
        """
        super().__init__()
        scales = source.feature_scales, target.feature_scales
        strides = [[stride for stride, _ in own] for own in scales]
        if strides[0] != strides[1]:
            raise ValueError(
                f"teacher and student must have features of the same strides; found {strides[0]} of "
                f"{source.architecture.backbone} and {strides[1]} of {target.architecture.backbone}"
            )
        self.maps = nn.ModuleList(
            nn.Identity() if own == other else nn.Conv2d(own, other, 1)
            for (_, own), (_, other) in zip(*scales, strict=True)
        )
        self._sizes = [target.architecture.image_pixels // stride for stride in strides[1]]

    def forward(self, features: Features) -> Features:
        """(B, C, h, w) of each scale to (B, C', h', w') as the target has them."""
        mapped = [convert(own) for convert, own in zip(self.maps, features, strict=True)]
        return tuple(
            own if own.shape[2] == size else nn.functional.adaptive_avg_pool2d(own, size)
            for own, size in zip(mapped, self._sizes, strict=True)
        )


class StudentAnswers(NamedTuple):
    """What a student gives in a step; what no term asks for is None."""

    found: Tensor  # (B, L, 3)
    raised: Features | None
    injected: Tensor | None  # (B, L, 3)


class DistilledNetwork(nn.Module):
    """A student in training. Without terms it is the student, with nothing beside it."""

    def __init__(self, student: LandmarkNetwork, teacher: LandmarkNetwork | None, raises: bool, injects: bool) -> None:
        """Build the maps that the terms need; the teacher itself is no part of it.

        Args:
            student: what is trained.
            teacher: what it learns from; None without terms.
            raises: whether a term needs the student's features in the teacher's channels.
            injects: whether a term needs the teacher's features in the student's.
        """
        super().__init__()
        self.student = student
        self.up = FeatureMap(student, teacher) if raises else None
        self.down = FeatureMap(teacher, student) if injects else None
        self.to(memory_format=torch.channels_last)

    def forward(
        self,
        images: Tensor,
        taught_features: Features | None = None,
        body_precision: AbstractContextManager | None = None,
        head_only: bool = False,
    ) -> StudentAnswers:
        """One step's answers.

        Args:
            images: (B, 3, P, P) what the student sees.
            taught_features: the teacher's features, constants; None: plain training.
            body_precision: an autocast region for all but the last step.
            head_only: the backbone is a constant, its normalisation included; nothing is asked of a teacher.
        """
        student = self.student
        with _frozen(student.body.backbone) if head_only else nullcontext():
            features = student.features(images, body_precision)
        found = student.points_of(features, body_precision)
        if taught_features is None:
            return StudentAnswers(found, None, None)
        raised = injected = None
        with body_precision or nullcontext():
            if self.up is not None:
                raised = self.up(features)
            lowered = None if self.down is None else self.down(taught_features)
        if lowered is not None:
            with keep_statistics(student):
                injected = student.points_of(lowered, body_precision)
        return StudentAnswers(found, raised, injected)


@contextmanager
def keep_statistics(network: nn.Module) -> Iterator[None]:
    """Let normalisation layers use a batch's statistics without remembering them.

    Another network's features are no sample of what the student will see; what it remembers is for inference.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]
    kept = [layer.momentum for layer in layers]
    for layer in layers:
        layer.momentum = 0.0
    try:
        yield
    finally:
        for layer, momentum in zip(layers, kept, strict=True):
            layer.momentum = momentum


@contextmanager
def _frozen(part: nn.Module) -> Iterator[None]:
    """Compute without a gradient and in evaluation mode."""
    was_training = part.training
    part.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        part.train(was_training)


def freeze(network: LandmarkNetwork) -> LandmarkNetwork:
    """Turn a network into a teacher: in evaluation mode, without a gradient for its own parameters."""
    return network.eval().requires_grad_(False)
