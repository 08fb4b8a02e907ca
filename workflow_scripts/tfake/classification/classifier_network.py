"""The network of a classifier: a backbone's features of each frame, what becomes of them over time, and a linear layer.

Its file holds its architecture and tensors alone, and the names of its classes.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import timm
import torch
from torch import Tensor, nn

from tfake.landmarks.crop_views import stretch
from tfake.landmarks.landmark_network import IMAGENET_MEAN, IMAGENET_STD
from tfake.training.training_settings import autocast_body
from tfake.training.weights_file import bare_tensors, load_payload, save_payload

FORMAT = "tfake-classifier-1"


@dataclass(frozen=True)
class ClassifierArchitecture:
    """What a network is built from.

    Attributes:
        classes: their names in the order of the answers.
        backbone: name of a timm model.
        temporal: ``mean`` or ``gru``.
        frames: that it is shown of a clip.
        image_pixels: edge of a frame.
        crop_scale: edge of a crop over the longer side of the face's box.
        thermal_stretch: whether each frame's contrast is stretched to the face.
    """

    classes: tuple[str, ...]
    backbone: str
    temporal: str
    frames: int
    image_pixels: int
    crop_scale: float
    thermal_stretch: bool


class ClassifierNetwork(nn.Module):
    """From frames of a clip to a score a class."""

    def __init__(self, architecture: ClassifierArchitecture, precision: str = "float32") -> None:
        """Build it; random weights come from torch's global generator.

        Args:
            architecture: what it is built from.
            precision: number format of the backbone (:func:`tfake.training.training_settings.resolve_precision`).
        """
        super().__init__()
        self.architecture, self._precision = architecture, precision
        self.backbone = timm.create_model(architecture.backbone, pretrained=False, num_classes=0)
        channels = _width(self.backbone, architecture.image_pixels)
        self.over_time = nn.GRU(channels, channels // 4, batch_first=True) if architecture.temporal == "gru" else None
        self.answer = nn.Linear(channels // 4 if self.over_time else channels, len(architecture.classes))

    def forward(self, images: Tensor) -> Tensor:
        """Clips (B, T, P, P) in 0..1, float16 or float32, to (B, K) float32, logits."""
        clips, frames = images.shape[:2]
        shown = images.flatten(0, 1).float()[:, None].expand(-1, 3, -1, -1)
        if self.architecture.thermal_stretch:
            shown = stretch(shown, 1 / self.architecture.crop_scale)
        mean, std = (shown.new_tensor(values).reshape(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
        with autocast_body(self._precision, shown.device):
            features = self.backbone((shown - mean) / std)
        features = features.float().reshape(clips, frames, -1)
        summary = features.mean(dim=1) if self.over_time is None else self.over_time(features)[0][:, -1]
        return self.answer(summary)


def _width(backbone: nn.Module, pixels: int) -> int:
    """Channels of a backbone's pooled features: its own word for it is not the same in all of timm's models."""
    was_training = backbone.training
    with torch.no_grad():
        width = backbone.eval()(torch.zeros(1, 3, pixels, pixels)).shape[1]
    backbone.train(was_training)
    return width


def classify(network: ClassifierNetwork, images: Sequence[Tensor], device: torch.device, batch: int) -> Tensor:
    """Answer for clips (T, P, P) each, some at a time: (N, K) float32 logits on the CPU."""
    starts = range(0, len(images), batch)
    with torch.no_grad():
        return torch.cat([network(torch.stack(list(images[n : n + batch])).to(device)).cpu() for n in starts])


def save_classifier(path: str | Path, network: ClassifierNetwork) -> str:
    """Write a network, and return the file's SHA-256."""
    architecture = asdict(network.architecture) | {"classes": list(network.architecture.classes)}
    return save_payload(path, {"format": FORMAT, "architecture": architecture, "tensors": bare_tensors(network)})


def load_classifier(path: str | Path) -> ClassifierNetwork:
    """Rebuild a network, on the CPU and in evaluation mode.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it holds no classifier.
    """
    payload = load_payload(path, FORMAT, "classifier")
    about = payload["architecture"]
    network = ClassifierNetwork(ClassifierArchitecture(**about | {"classes": tuple(about["classes"])}))
    network.load_state_dict(payload["tensors"])
    return network.eval()
