"""Landmark network files: tensors, architecture and calibration, and the provenance beside them."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from tfake.landmarks.calibration import Calibration
from tfake.landmarks.network import LandmarkArchitecture, LandmarkNetwork
from tfake.training.weights_file import bare_tensors, load_payload, save_payload, save_record

FORMAT = "tfake-landmarks-1"

_RECORDED_PACKAGES = ("torch", "torchvision", "timm", "numpy", "opencv-contrib-python")


def save_landmark_weights(path: str | Path, network: LandmarkNetwork, calibration: Calibration) -> str:
    """Write a network's tensors; equal networks give equal bytes.

    Args:
        path: the file to write; it appears whole or not at all.
        network: the network, whose deviations are already scaled by ``calibration.temperature``.
        calibration: the threshold that it is used with.

    Returns:
        The file's SHA-256, hexadecimal.
    """
    payload = {
        "format": FORMAT,
        "settings": asdict(network.architecture),
        "calibration": asdict(calibration),
        "state": bare_tensors(network),
    }
    return save_payload(path, payload)


def save_landmark_provenance(path: str | Path, **record: Any) -> None:
    """Write where a weights file comes from, as JSON, with the versions of what made it."""
    save_record(path, {"format": FORMAT, **record}, _RECORDED_PACKAGES)


def load_landmark_weights(path: str | Path) -> tuple[LandmarkNetwork, Calibration]:
    """Rebuild a landmark network from its file.

    Args:
        path: a file of ``save_landmark_weights``.

    Returns:
        The network, in evaluation mode on the CPU, and its calibration.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is no landmark network, or its tensors do not fit the architecture that it names.
    """
    payload = load_payload(path, FORMAT, "landmark network")
    network = _build(payload["settings"])
    try:
        network.load_state_dict(payload["state"])
    except RuntimeError as error:
        raise ValueError(f"{path}: the tensors do not fit the architecture that the file names: {error}") from error
    return network.eval(), Calibration(**payload["calibration"])


def _build(settings: Mapping[str, Any]) -> LandmarkNetwork:
    with torch.random.fork_rng([]):
        return LandmarkNetwork(LandmarkArchitecture(**settings))
