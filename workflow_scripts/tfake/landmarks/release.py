"""The landmarker in one small file: the networks that find faces and points, ready to ship.

Filters are stored as 8-bit numbers, one scale an output channel (symmetric, Jacob et al., CVPR 2018); all else stays as
it is. They are turned back when the file is loaded, so that nothing else knows of it. Standard deviations and threshold
are those of the networks that were packed.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tfake.detector.detector_file import detector_from_payload, detector_payload
from tfake.detector.detector_network import DetectorNetwork
from tfake.detector.face_detector import ScoreCalibration
from tfake.landmarks.landmark_network import Calibration, LandmarkNetwork
from tfake.landmarks.landmarker_file import landmark_payload, network_from_payload
from tfake.training.weights_file import load_payload, save_payload

Detector = tuple[DetectorNetwork, ScoreCalibration]

FORMAT = "tfake-landmarker-1"
_LEVELS = 127
# Smaller tensors are not worth it: biases, and the statistics of normalisations.
_LEAST_VALUES = 1024


def pack_tensors(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Filters to ``{"levels": int8, "scale": float32}``; other tensors as they are."""
    return {name: _pack(tensor) if is_filter(tensor) else tensor for name, tensor in state.items()}


def unpack_tensors(packed: Mapping[str, Any]) -> dict[str, Tensor]:
    """What ``pack_tensors`` took, to half a step of each filter's scale."""
    return {name: _unpack(value) if isinstance(value, Mapping) else value for name, value in packed.items()}


def save_release(
    path: str | Path, network: LandmarkNetwork, calibration: Calibration, detector: Detector | None = None
) -> str:
    """Write a landmarker, and return the file's SHA-256; equal networks give equal bytes.

    Args:
        path: the file to write.
        network: what finds points.
        calibration: its own.
        detector: what finds faces, and its scores' calibration; None: windows are searched.
    """
    parts = {
        "landmarks": landmark_payload(network, calibration),
        "detector": None if detector is None else detector_payload(*detector),
    }
    packed = {name: part and part | {"state": pack_tensors(part["state"])} for name, part in parts.items()}
    return save_payload(path, {"format": FORMAT, **packed})


def load_release(path: str | Path) -> tuple[LandmarkNetwork, Calibration, Detector | None]:
    """Rebuild a landmarker, in evaluation mode on the CPU: network, calibration, and detector where it has one.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is no landmarker, or its tensors do not fit the architecture that it names.
    """
    payload = load_payload(path, FORMAT, "landmarker")
    packed = (payload["landmarks"], payload["detector"])
    landmarks, finds_faces = (part and {**part, "state": unpack_tensors(part["state"])} for part in packed)
    detector = finds_faces and detector_from_payload(finds_faces, str(path))
    return *network_from_payload(landmarks, path), detector


def is_filter(tensor: Tensor) -> bool:
    """Whether a tensor is worth 8-bit numbers."""
    return tensor.is_floating_point() and tensor.ndim > 1 and tensor.numel() >= _LEAST_VALUES


def _pack(tensor: Tensor) -> dict[str, Tensor]:
    largest = tensor.flatten(1).abs().amax(1).clamp(min=torch.finfo(torch.float32).tiny)
    scale = largest / _LEVELS
    levels = (tensor / _as_rows(scale, tensor)).round().to(torch.int8).contiguous()
    return {"levels": levels, "scale": scale}


def _unpack(packed: Mapping[str, Tensor]) -> Tensor:
    return packed["levels"].float() * _as_rows(packed["scale"], packed["levels"])


def _as_rows(scale: Tensor, tensor: Tensor) -> Tensor:
    return scale.reshape(-1, *[1] * (tensor.ndim - 1))
