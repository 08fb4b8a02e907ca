"""Files of tensors with what rebuilds their network: equal content, equal bytes; read without running code.

Files of pretrained encoders: fetched once, before any training, and read by every process of it.
"""

import hashlib
import io
import json
import os
import pickle
import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn

import tfake

#: What torch raises on files that are not its own, or are cut short; LookupError is what some texts come to.
UNREADABLE = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
    LookupError,
    AttributeError,
    TypeError,
)


def bare_tensors(network: nn.Module) -> dict[str, torch.Tensor]:
    """A network's tensors by name, on the CPU."""
    return {name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()}


def save_payload(path: str | Path, payload: Mapping[str, Any]) -> str:
    """Write a payload; it appears whole or not at all.

    Args:
        path: the file to write; neither time nor name becomes part of it.
        payload: tensors and plain values.

    Returns:
        The file's SHA-256, hexadecimal.
    """
    # Saved to memory first: saved to a path, torch writes the path's name into the file.
    buffer = io.BytesIO()
    torch.save(dict(payload), buffer)
    _write_bytes(path, buffer.getvalue())
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def read_weights(path: str | Path, what: str) -> Any:
    """Read whatever torch has written, without running code from it.

    Args:
        path: the file.
        what: what it should be, for messages.

    Raises:
        FileNotFoundError: no such file.
        ValueError: torch cannot read it.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise
    except UNREADABLE as error:
        raise ValueError(f"{path}: not a {what} file: torch cannot read it ({type(error).__name__})") from error


def load_payload(path: str | Path, expected: str, what: str) -> dict[str, Any]:
    """Read a payload.

    Args:
        path: the file.
        expected: the format that it must name.
        what: what it should be, for messages.

    Raises:
        FileNotFoundError: no such file.
        ValueError: torch cannot read it, or it has another format.
    """
    payload = read_weights(path, what)
    kind = payload.get("format") if isinstance(payload, dict) else None
    if kind != expected:
        raise ValueError(f"{path}: not a {what} file: expected the format {expected!r}, found {kind!r}")
    return payload


def save_record(path: str | Path, record: Mapping[str, Any], packages: Sequence[str]) -> None:
    """Write a JSON record with the versions of what made it.

    Args:
        path: the file to write.
        record: plain values.
        packages: names of the packages whose versions are told.
    """
    versions = {
        "tfake-workflow": tfake.__version__,
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }
    _write_bytes(path, (json.dumps({**record, "versions": versions}, indent=2, sort_keys=True) + "\n").encode())


def _write_bytes(path: str | Path, data: bytes) -> None:
    part = Path(f"{path}.part")
    part.write_bytes(data)
    os.replace(part, path)


FORMAT = "tfake-encoder-1"


def save_encoder(path: str | Path, name: str, encoder: nn.Module) -> str:
    """Write an encoder's tensors; equal ones give equal bytes.

    Args:
        path: the file to write; it appears whole or not at all.
        name: the encoder's, in the library that it comes from.
        encoder: with its pretrained weights.

    Returns:
        The file's SHA-256, hexadecimal.
    """
    return save_payload(path, {"format": FORMAT, "encoder": name, "tensors": bare_tensors(encoder)})


def load_encoder(path: str | Path, name: str, encoder: nn.Module) -> None:
    """Give an encoder the weights of a file.

    Args:
        path: from ``save_encoder``.
        name: the encoder's.
        encoder: as it was built, with random weights.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file holds no encoder, another one, or one of another depth.
    """
    payload = load_payload(path, FORMAT, "pretrained encoder")
    if payload["encoder"] != name:
        raise ValueError(f"{path}: weights of another encoder: expected {name}, found {payload['encoder']}")
    try:
        encoder.load_state_dict(payload["tensors"])
    except RuntimeError as error:
        raise ValueError(f"{path}: the tensors do not fit the encoder {name} as it is built here: {error}") from error
