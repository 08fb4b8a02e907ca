"""Detectors in files, of their own or within another one: tensors with what rebuilds their network."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from tfake.detector.detector_network import DetectorArchitecture, DetectorNetwork
from tfake.detector.face_detector import ScoreCalibration
from tfake.training.weights_file import bare_tensors, load_payload, save_payload, save_record

FORMAT = "tfake-detector-1"
_RECORDED_PACKAGES = ("torch", "torchvision", "timm", "numpy", "scipy", "opencv-contrib-python")


def detector_payload(network: DetectorNetwork, calibration: ScoreCalibration) -> dict[str, Any]:
    """A detector as tensors and plain values, which torch loads without running code."""
    return {
        "format": FORMAT,
        "settings": asdict(network.architecture),
        "calibration": asdict(calibration),
        "state": bare_tensors(network),
    }


def detector_from_payload(
    payload: Mapping[str, Any], where: str = "detector"
) -> tuple[DetectorNetwork, ScoreCalibration]:
    """Rebuild a detector, in evaluation mode on the CPU; tensors of half precision become float32.

    Raises:
        ValueError: it is no detector, or its tensors do not fit the architecture that it names; ``where`` is for the
            message.
    """
    if payload.get("format") != FORMAT:
        raise ValueError(f"{where}: not a detector: expected the format {FORMAT!r}, found {payload.get('format')!r}")
    with torch.random.fork_rng([]):
        network = DetectorNetwork(DetectorArchitecture(**payload["settings"]))
    try:
        network.load_state_dict(payload["state"])
    except RuntimeError as error:
        raise ValueError(f"{where}: the tensors do not fit the architecture that it names: {error}") from error
    return network.eval(), ScoreCalibration(**payload["calibration"])


def save_detector(path: str | Path, network: DetectorNetwork, calibration: ScoreCalibration) -> str:
    """Write a detector, and return the file's SHA-256; equal ones give equal bytes."""
    return save_payload(path, detector_payload(network, calibration))


def load_detector(source: str | Path | Mapping[str, Any]) -> tuple[DetectorNetwork, ScoreCalibration]:
    """Rebuild a detector from its file, or from what ``detector_payload`` gave.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is no detector.
    """
    if isinstance(source, Mapping):
        return detector_from_payload(source)
    return detector_from_payload(load_payload(source, FORMAT, "detector"), str(source))


def save_detector_provenance(path: str | Path, **record: Any) -> None:
    """Write where a detector comes from, as JSON, with the versions of what made it."""
    save_record(path, {"format": FORMAT, **record}, _RECORDED_PACKAGES)
