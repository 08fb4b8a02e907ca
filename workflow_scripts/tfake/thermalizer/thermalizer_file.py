"""Thermalizer files: a network's tensors with what rebuilds it, and the provenance beside them; own and imported ones.

A file's format tells the kind of its network (:mod:`tfake.thermalizer.thermalizer_kinds`). Both files depend on the
run's result alone: no time, no path, no name of the file.

T-FAKE's translator (Flotho et al., CVPR 2025) is segmentation_models_pytorch's U-Net with its default decoder and a
resnet34 encoder. It takes RGB / 255 without ImageNet's statistics, and its sigmoid v means 20 + 20 v degrees Celsius.
That is this project's network without class offset, so such a file is translated once and then is one like any other.
"""

import pickle
import re
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tfake.thermalizer.inference import Thermalizer, ThermalNetwork
from tfake.thermalizer.thermal_unet import Architecture
from tfake.thermalizer.thermalizer_kinds import KINDS, ThermalizerKind
from tfake.thermalizer.thermalizer_settings import PairedSettings
from tfake.training.weights_file import bare_tensors, read_weights, save_payload, save_record

#: Of the regression network's files, the kind that others publish.
FORMAT = KINDS["unet"].format
_BY_FORMAT = {kind.format: kind for kind in KINDS.values()}


def save_weights(path: str | Path, network: ThermalNetwork, condition: str) -> str:
    """Write a network's tensors with the condition it was trained for; returns the file's SHA-256."""
    tensors, own_format = bare_tensors(network), KINDS[network.kind].format
    payload = {"format": own_format, "condition": condition, **asdict(network.architecture), "tensors": tensors}
    if network.raw_rgb:
        payload["raw_rgb"] = True
    return save_payload(path, payload)


def save_provenance(path: str | Path, settings: PairedSettings, ambient_celsius: tuple[float, float], **more) -> None:
    """Write where a weights file comes from, as JSON.

    Args:
        path: the file to write.
        settings: of the run.
        ambient_celsius: lowest and highest ambient temperature trained for.
        **more: further plain values by name, such as the digests of weights and sources.
    """
    record = {
        "format": KINDS[settings.kind].format,
        "ambient_celsius": ambient_celsius,
        "architecture": asdict(settings.architecture(ambient_celsius)),
        "settings": settings.as_mapping(),
        "seed": settings.seed,
        **more,
    }
    save_record(path, record, KINDS[settings.kind].packages)


def load_thermalizer(
    path: str | Path, device: torch.device, precision: str = "auto", expected: Any | None = None
) -> Thermalizer:
    """Rebuild a thermalizer of whatever kind from its file.

    Args:
        path: a file of ``save_weights``.
        device: where it shall run.
        precision: number format of the body: ``auto``, ``float32`` or ``bfloat16``.
        expected: the architecture that the caller's config describes; None takes the file's own.

    Returns:
        The thermalizer.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is no thermalizer, its architecture is not the expected one, its tensors do not fit the
            architecture it names, or its kind needs a package that is not installed.
    """
    payload = read_weights(path, "thermalizer")
    named = payload.get("format") if isinstance(payload, dict) else None
    if named not in _BY_FORMAT:
        known = " or ".join(map(repr, _BY_FORMAT))
        raise ValueError(f"{path}: not a thermalizer file: expected the format {known}, found {named!r}")
    kind = _BY_FORMAT[named]
    found = read_architecture(payload, kind)
    if expected is not None and found != expected:
        raise ValueError(f"{path}: weights of another architecture: expected {expected}, found {found}")
    network = _build(kind, found, payload.get("raw_rgb", False))
    try:
        network.load_state_dict(payload["tensors"])
    except RuntimeError as error:
        raise ValueError(
            f"{path}: the tensors do not fit the architecture that the file names, {found}: {error}"
        ) from error
    return Thermalizer(network, device, precision, payload["condition"])


def read_architecture(payload: Mapping[str, Any], kind: ThermalizerKind) -> Any:
    """The architecture that the content of a file of ``save_weights`` names.

    What files did not name when they were written has its default: such a network takes no heat field.
    """
    architecture = kind.load("architecture")
    named = [field.name for field in fields(architecture) if field.name in payload or field.default is MISSING]
    return architecture(**{name: payload[name] for name in named})


def _build(kind: ThermalizerKind, architecture: Any, raw_rgb: bool) -> nn.Module:
    with torch.random.fork_rng([]):
        network = kind.load("network")(architecture)
    if raw_rgb:
        network.set_input_normalization(raw_rgb)
    return network


#: What T-FAKE's code builds; a state dict does not hold its range, and shapes give its encoder alone.
TFAKE_ARCHITECTURE = Architecture("resnet34", (256, 128, 64, 32, 16), (20.0, 40.0), class_offset=False)
_WRAPPERS = ("state_dict", "model_state_dict", "model")
#: Prefixes that wrappers leave behind: DataParallel's and torch.compile's.
_PREFIX = re.compile(r"^(?:module\.|_orig_mod\.)+")


def import_weights(path: str | Path, released: str | Path, condition: str) -> tuple[str, dict[str, Any]]:
    """Read a trained thermalizer and write it as this workflow's own file.

    Args:
        path: the weights to write, by ``save_weights``.
        released: a weights file of this workflow, or a state dict of T-FAKE's translator, bare or under ``state_dict``,
            ``model_state_dict`` or ``model``.
        condition: the condition that it shall serve.

    Returns:
        The SHA-256 of what was written, and a description of its origin for the provenance.

    Raises:
        ValueError: torch cannot read the file without running code from it, or its tensors are not the network's; the
            message names some that are missing or too many.
    """
    content = _read(released)
    kind = _BY_FORMAT.get(content.get("format"))
    if kind is None:
        origin, tensors = "tfake-2025 state dict", _translate(_find_state_dict(content, released))
        network = _build(KINDS["unet"], TFAKE_ARCHITECTURE, True)
    else:
        origin, tensors = kind.format, content["tensors"]
        network = _build(kind, read_architecture(content, kind), content.get("raw_rgb", False))
    _load(network, tensors, released)
    return save_weights(path, network, condition), {"kind": origin}


def _read(path: str | Path) -> Mapping[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ValueError(
            f"{path}: torch cannot read it as weights ({type(error).__name__}: {str(error).splitlines()[0]}); a whole "
            "pickled model is refused, since it could run code: save its state_dict"
        ) from error
    if not isinstance(content, Mapping):
        found = type(content).__name__
        raise ValueError(f"{path}: expected a state dict, found {found}")  # noqa: TRY004 - the file is wrong, not a type
    return content


def _find_state_dict(content: Mapping[str, Any], path: str | Path) -> dict[str, Tensor]:
    inner = next((content[key] for key in _WRAPPERS if isinstance(content.get(key), Mapping)), content)
    tensors = {_PREFIX.sub("", str(name)): value for name, value in inner.items()}
    others = [name for name, value in tensors.items() if not isinstance(value, Tensor)]
    if others or not tensors:
        raise ValueError(f"{path}: expected tensors by name, found also {others[:3] or 'nothing at all'}")
    return tensors


def _translate(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """From smp's names to ours: the U-Net is our body, its segmentation head our head."""
    renamed = {}
    for name, value in tensors.items():
        head = name.removeprefix("segmentation_head.")
        renamed[f"body.{name}" if head == name else f"head.{head}"] = value
    return renamed


def _load(network: nn.Module, tensors: Mapping[str, Tensor], path: str | Path) -> None:
    expected = network.state_dict()
    missing, extra = sorted(expected.keys() - tensors.keys()), sorted(tensors.keys() - expected.keys())
    unlike = sorted(name for name in expected.keys() & tensors.keys() if expected[name].shape != tensors[name].shape)
    if missing or extra or unlike:
        raise ValueError(
            f"{path}: its tensors are not those of {network.architecture}: {len(missing)} missing {missing[:3]}, "
            f"{len(extra)} too many {extra[:3]}, {len(unlike)} of another shape {unlike[:3]}"
        )
    network.load_state_dict(tensors)
