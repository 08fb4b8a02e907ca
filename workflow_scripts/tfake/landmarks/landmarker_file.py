"""Landmark networks in files: this workflow's own, with architecture and calibration, and those that T-FAKE releases.

TFAN (thermal-face-alignment) is a timm ``mobilenetv2_100`` without classifier (``feature_network``) and one linear
layer ``fc`` to (x, y, variance) of each point, followed by a leaky ReLU; crops of 224 pixels with ImageNet's statistics
(released code; Flotho et al. 2025). Its files may carry DataParallel's prefix.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import timm
import torch
from torch import Tensor, nn

from tfake.landmarks.landmark_network import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    Calibration,
    LandmarkArchitecture,
    LandmarkNetwork,
)
from tfake.training.weights_file import bare_tensors, load_payload, save_payload, save_record

FORMAT = "tfake-landmarks-1"

_RECORDED_PACKAGES = ("torch", "torchvision", "timm", "numpy", "opencv-contrib-python")
_TFAN_BACKBONE = "mobilenetv2_100"
_DATA_PARALLEL = "module."
#: TFAN's loss cuts variances off here.
_MIN_VARIANCE = 1e-6
#: A face, in TFAN's code: mean variance below it.
FACE_VARIANCE = 6e-4


def landmark_payload(network: LandmarkNetwork, calibration: Calibration) -> dict[str, Any]:
    """A network as tensors and plain values, which torch loads without running code."""
    return {
        "settings": asdict(network.architecture),
        "calibration": asdict(calibration),
        "state": bare_tensors(network),
    }


def network_from_payload(payload: Mapping[str, Any], where: str | Path) -> tuple[LandmarkNetwork, Calibration]:
    """Rebuild a landmark network, in evaluation mode on the CPU, and its calibration.

    Raises:
        ValueError: the tensors do not fit the architecture that it names; ``where`` it comes from is for the message.
    """
    with torch.random.fork_rng([]):
        network = LandmarkNetwork(LandmarkArchitecture(**payload["settings"]))
    try:
        network.load_state_dict(payload["state"])
    except RuntimeError as error:
        raise ValueError(f"{where}: the tensors do not fit the architecture that the file names: {error}") from error
    return network.eval(), Calibration(**payload["calibration"])


def save_landmark_weights(path: str | Path, network: LandmarkNetwork, calibration: Calibration) -> str:
    """Write a network's tensors, and return the file's SHA-256; equal networks give equal bytes.

    The network's deviations are already scaled by ``calibration.temperature``.
    """
    return save_payload(path, {"format": FORMAT, **landmark_payload(network, calibration)})


def save_landmark_provenance(path: str | Path, **record: Any) -> None:
    """Write where a weights file comes from, as JSON, with the versions of what made it."""
    save_record(path, {"format": FORMAT, **record}, _RECORDED_PACKAGES)


def load_landmark_weights(path: str | Path) -> tuple[LandmarkNetwork, Calibration]:
    """Rebuild a landmark network, in evaluation mode on the CPU, and its calibration.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is no landmark network, or its tensors do not fit the architecture that it names.
    """
    return network_from_payload(load_payload(path, FORMAT, "landmark network"), path)


class TfanNetwork(nn.Module):
    """TFAN's network with this project's answer: points and standard deviations in crop widths."""

    def __init__(self, landmarks: int) -> None:
        """Build the network for 70 or 478 points."""
        super().__init__()
        self.architecture = LandmarkArchitecture(landmarks, _TFAN_BACKBONE, "pooled", 224)
        self.feature_network = timm.create_model(_TFAN_BACKBONE, pretrained=False, num_classes=0)
        self.fc = nn.Linear(self.feature_network.num_features, 3 * landmarks)
        self.stride = 32
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor, body_precision: AbstractContextManager | None = None) -> Tensor:
        """(B, 3, 224, 224) in 0..1 to (B, L, 3), as :meth:`LandmarkNetwork.forward`."""
        return self.decode(self.encode(images, body_precision))

    def encode(self, images: Tensor, body_precision: AbstractContextManager | None = None) -> Tensor:
        """The features of images: (B, 3, H, W) in 0..1 to (B, 1280, H / 32, W / 32)."""
        with body_precision or nullcontext():
            return self.feature_network.forward_features((images - self.mean) / self.std).float()

    def decode(self, encoded: Tensor) -> Tensor:
        """Points and deviations of windows of the features: (B, 1280, 7, 7) to (B, L, 3)."""
        values = nn.functional.leaky_relu(self.fc(encoded.mean((2, 3)))).unflatten(1, (-1, 3))
        sigma = values[..., 2:].clamp(min=_MIN_VARIANCE).sqrt()
        return torch.cat((values[..., :2], sigma), dim=2)


def is_tfan(content: Mapping) -> bool:
    """Whether a file's content is a state dict of TFAN's network."""
    return "fc.weight" in content or f"{_DATA_PARALLEL}fc.weight" in content


def load_tfan(content: Mapping[str, Tensor], where: str) -> TfanNetwork:
    """Build TFAN's network from its state dict; the last layer tells how many points it has.

    Raises:
        ValueError: tensors are missing or of another shape; the message names the file and some of them.
    """
    tensors = {name.removeprefix(_DATA_PARALLEL): value for name, value in content.items()}
    # timm's classifier is an identity without classes; older files keep the layer all the same.
    tensors = {name: value for name, value in tensors.items() if not name.startswith("feature_network.classifier.")}
    rows = tensors["fc.weight"].shape[0]
    if rows % 3:
        raise ValueError(f"{where}: fc has {rows} rows, expected three a point")
    with torch.random.fork_rng([]):
        network = TfanNetwork(rows // 3)
    expected = network.state_dict()
    missing = sorted(expected.keys() - tensors.keys())
    unlike = sorted(name for name in expected.keys() & tensors.keys() if expected[name].shape != tensors[name].shape)
    if missing or unlike:
        raise ValueError(
            f"{where}: not TFAN's network: {len(missing)} missing {missing[:3]}, other shapes {unlike[:3]}"
        )
    network.load_state_dict({name: tensors[name] for name in expected})
    return network.eval()
