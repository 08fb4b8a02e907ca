"""Files of tensors with what rebuilds their network: equal content, equal bytes; read without running code.

Pretrained encoders are fetched into such files once, before any training, and read by every process of it. Checkpoints
of a training are written whole or not at all, and resumed by the very run that wrote them alone.
"""

import hashlib
import io
import json
import logging
import pickle
import platform
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn

import tfake
from tfake.config.plan_rules import without_neutral
from tfake.core.files import write_text_whole, write_whole
from tfake.training.training_settings import LoopSettings

FORMAT = "tfake-encoder-1"

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
    """Write tensors and plain values, whole or not at all, without time or name; returns the file's SHA-256."""
    # Saved to memory first: saved to a path, torch writes the path's name into the file.
    buffer = io.BytesIO()
    torch.save(dict(payload), buffer)
    write_whole(str(path), lambda part: Path(part).write_bytes(buffer.getvalue()))
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def read_weights(path: str | Path, what: str) -> Any:
    """Read whatever torch has written, without running code from it; ``what`` it should be is for messages.

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
    """Read a payload that must name the expected format; ``what`` it should be is for messages.

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
    """Write a JSON record of plain values with the versions of the packages that made it."""
    versions = {
        "tfake-workflow": tfake.__version__,
        "python": platform.python_version(),
        **{package: version(package) for package in packages},
    }
    text = json.dumps({**record, "versions": versions}, indent=2, sort_keys=True) + "\n"
    write_text_whole(path, text)


def save_encoder(
    path: str | Path, name: str, encoder: nn.Module, neck: Mapping[str, torch.Tensor] | None = None
) -> str:
    """Write a pretrained encoder, and return the file's SHA-256.

    Args:
        path: the file.
        name: the encoder's, in the library that it comes from.
        encoder: the encoder.
        neck: tensors of what adds its features up, where that was trained, too.
    """
    payload = {"format": FORMAT, "encoder": name, "tensors": bare_tensors(encoder)}
    return save_payload(path, payload if neck is None else payload | {"neck": dict(neck)})


def load_encoder(path: str | Path, name: str, encoder: nn.Module) -> None:
    """Give an encoder the weights of a file of ``save_encoder``.

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


CHECKPOINT_FORMAT = "tfake-checkpoint-1"


class CheckpointFile:
    """One file that holds the latest state of one run."""

    def __init__(self, path: str | Path, run: str) -> None:
        """Name the file, and the run by a digest of everything its result depends on."""
        self.path, self.run = Path(path), run

    def save(self, state: dict[str, Any]) -> None:
        """Write a state over the last one."""
        content = {"format": CHECKPOINT_FORMAT, "run": self.run, "state": state}
        write_whole(str(self.path), lambda part: torch.save(content, part))

    def load(self) -> dict[str, Any] | None:
        """Read the state, on the CPU; None where there is no file, or one of another run, or no checkpoint at all."""
        content = _read(self.path)
        return content["state"] if content and content["run"] == self.run else None

    def remove(self) -> None:
        """Delete the file, if it is there: the run is finished."""
        self.path.unlink(missing_ok=True)


def run_digest(settings: LoopSettings, *parts: Any) -> str:
    """Tells runs apart: stands for the settings that results depend on, for plain values, and for torch's version."""
    # What follows a plus tells CUDA's version, or that there is none.
    version = torch.__version__.split("+")[0]
    told = [without_neutral(settings.as_mapping()), *parts, version]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def find_checkpoint(
    path: str | Path, precisions: Sequence[str], digest: Callable[[str], str]
) -> tuple[CheckpointFile, str]:
    """The checkpoint of a run, and the number format that the run goes on in.

    Args:
        path: the file, there or not.
        precisions: number formats that the run may go on in, the one that it would begin in first
            (:func:`tfake.training.training_settings.precisions_to_resume`).
        digest: the run's digest, given its number format.

    Returns:
        The file, and the format of the state in it; without a state of this run the first one.
    """
    content = _read(Path(path)) or {}
    for precision in precisions:
        if content.get("run") == (run := digest(precision)):
            if precision != precisions[0]:
                logging.info("%s: the run goes on in %s, as it began, not in %s", path, precision, precisions[0])
            return CheckpointFile(path, run), precision
    return CheckpointFile(path, digest(precisions[0])), precisions[0]


def _read(path: Path) -> dict[str, Any] | None:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE:
        return None
    return content if isinstance(content, dict) and content.get("format") == CHECKPOINT_FORMAT else None
