"""Thermalizer files: a network's tensors with what is needed to rebuild it, and the provenance beside them.

Both files depend on the run's result alone: no time, no path, no name of the file.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch

from tfake.thermalizer.inference import Thermalizer
from tfake.thermalizer.network import Architecture, ThermalUNet
from tfake.thermalizer.settings import TrainingSettings
from tfake.training.weights_file import bare_tensors, load_payload, save_payload, save_record

FORMAT = "tfake-thermalizer-2"

_RECORDED_PACKAGES = (
    "torch",
    "torchvision",
    "timm",
    "segmentation-models-pytorch",
    "geomloss",
    "numpy",
    "opencv-contrib-python",
)


def save_weights(path: str | Path, network: ThermalUNet, condition: str) -> str:
    """Write a network's tensors; equal networks give equal bytes.

    Args:
        path: the file to write; it appears whole or not at all.
        network: the network.
        condition: the name it was trained for.

    Returns:
        The file's SHA-256, hexadecimal.
    """
    tensors = bare_tensors(network)
    payload = {"format": FORMAT, "condition": condition, **asdict(network.architecture), "tensors": tensors}
    if network.raw_rgb:
        payload["raw_rgb"] = True
    return save_payload(path, payload)


def save_provenance(
    path: str | Path,
    *,
    weights_sha256: str,
    settings: TrainingSettings,
    precision: str,
    condition: str,
    ambient_celsius: tuple[float, float],
    prior: str,
    pair_values: str,
    supervision: str,
    pairs: int,
    validation_pairs: int,
    sources: int,
    source_sha256: str,
    device: torch.device,
    threads: int,
) -> None:
    """Write where a weights file comes from, as JSON.

    Args:
        path: the file to write.
        weights_sha256: from ``save_weights``.
        settings: of the run.
        precision: the body's number format that the run resolved to.
        condition: the name it was trained for.
        ambient_celsius: lowest and highest temperature of the rooms trained for.
        prior: name or file name of the prior's table.
        pair_values: ``celsius`` or ``relative``.
        supervision: ``absolute`` or ``within_class``.
        pairs: how many pairs the set has.
        validation_pairs: how many of them were held out.
        sources: how many source images it was trained on.
        source_sha256: identity of the source samples.
        device: where it was trained.
        threads: CPU threads of the run; with them, bytes are reproducible.
    """
    record: dict[str, Any] = {
        "format": FORMAT,
        "weights_sha256": weights_sha256,
        "condition": condition,
        "ambient_celsius": ambient_celsius,
        "architecture": asdict(settings.architecture(ambient_celsius)),
        "settings": settings.as_mapping(),
        "seed": settings.seed,
        "precision": precision,
        "prior": prior,
        "pair_values": pair_values,
        "supervision": supervision,
        "pairs": pairs,
        "validation_pairs": validation_pairs,
        "sources": sources,
        "source_sha256": source_sha256,
        "device": device.type,
        "threads": threads,
    }
    save_record(path, record, _RECORDED_PACKAGES)


def load_thermalizer(
    path: str | Path, device: torch.device, precision: str = "auto", expected: Architecture | None = None
) -> Thermalizer:
    """Rebuild a thermalizer from its file.

    Args:
        path: a file of ``save_weights``.
        device: where it shall run.
        precision: number format of the body: ``auto``, ``float32`` or ``bfloat16``.
        expected: the architecture that the caller's config describes; None takes the file's own.

    Returns:
        The thermalizer.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is no thermalizer, its architecture is not the expected one, or its tensors do not fit the
            architecture it names.
    """
    payload = load_payload(path, FORMAT, "thermalizer")
    found = read_architecture(payload)
    if expected is not None and found != expected:
        raise ValueError(f"{path}: weights of another architecture: expected {expected}, found {found}")
    with torch.random.fork_rng([]):
        network = ThermalUNet(found)
    network.take_raw_rgb(payload.get("raw_rgb", False))
    try:
        network.load_state_dict(payload["tensors"])
    except RuntimeError as error:
        raise ValueError(
            f"{path}: the tensors do not fit the architecture that the file names, {found}: {error}"
        ) from error
    return Thermalizer(network, device, precision, payload["condition"])


def read_architecture(payload: Mapping[str, Any]) -> Architecture:
    """The architecture that a file of ``save_weights`` names.

    Args:
        payload: the file's content.
    """
    return Architecture(**{field.name: payload[field.name] for field in fields(Architecture)})
