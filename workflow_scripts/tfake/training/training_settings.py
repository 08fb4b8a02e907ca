"""The settings that every training run has, checked once, and the number format that they resolve to on a machine."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import torch

PRECISIONS = ("auto", "float32", "bfloat16", "float16")


def resolve_precision(name: str, device: torch.device) -> str:
    """Turn the config's precision into the body's number format on this machine.

    Args:
        name: ``float32``, ``bfloat16``, ``float16`` (GPUs alone), or ``auto``: bfloat16 where the device computes in
            it, float32 otherwise.
        device: where the network runs.

    Returns:
        ``float32``, ``bfloat16`` or ``float16``.

    Raises:
        ValueError: none of these names, or float16 on a CPU (bfloat16 is as fast there, and has float32's range).
    """
    if name not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(PRECISIONS)}; found {name!r}")
    if name == "float16" and device.type != "cuda":
        raise ValueError(f"precision float16 needs a GPU; found the device {device.type!r}")
    if name != "auto":
        return name
    if device.type == "cuda":
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        native = torch.cpu._is_avx512_bf16_supported()
    return "bfloat16" if native else "float32"


def precisions_to_resume(name: str, device: torch.device) -> tuple[str, ...]:
    """The number formats that a run may go on in: the one that it would begin in here, then others.

    A run that chose its format by ``auto`` keeps it on a machine that would choose otherwise: every device computes in
    either, in bfloat16 slowly where it is emulated.

    Args:
        name: as in ``resolve_precision``.
        device: where the run goes on.
    """
    first = resolve_precision(name, device)
    return (first,) if name != "auto" else tuple(dict.fromkeys((first, "float32", "bfloat16")))


def autocast_body(precision: str, device: torch.device) -> AbstractContextManager:
    """The autocast region of a network's body, for a format of ``resolve_precision``."""
    number = torch.float16 if precision == "float16" else torch.bfloat16
    return torch.autocast(device.type, number, enabled=precision != "float32")


SCHEDULES = ("onecycle", "cosine", "step", "constant")


@dataclass(frozen=True)
class LoopSettings:
    """How a network is trained, whatever it learns; each kind of network adds its own settings and defaults.

    Each field is the key of its name in the config's block of that network, described in config/README.md. The schedule
    ``step`` falls to a tenth after two fifths of the steps, as T-FAKE's after 4 of 10 epochs.
    """

    steps: int = 200
    learning_rate: float = 5e-3
    schedule: str = "onecycle"
    weight_decay: float = 1e-4
    clip_norm: float = 20.0
    ema_decay: float = 0.0
    validate_every: int = 40
    patience: int = 0
    checkpoint_every: int = 100
    precision: str = "auto"
    compile: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            ValueError: a value that cannot train, named with its key.
        """
        self._require_all(("steps",), 1)
        for key in ("learning_rate", "clip_norm"):
            self._require(key, getattr(self, key) > 0, "above 0")
        self._require_all(("weight_decay", "validate_every", "patience", "checkpoint_every", "seed"), 0)
        self._require_fraction("ema_decay")
        self._require("patience", self.patience == 0 or self._validates, "0 where nothing is validated")
        self._require("schedule", self.schedule in SCHEDULES, f"one of {', '.join(SCHEDULES)}")
        self._require("precision", self.precision in PRECISIONS, f"one of {', '.join(PRECISIONS)}")

    @property
    def _validates(self) -> bool:
        """Whether there will be a validation error."""
        return self.validate_every > 0

    def _require(self, key: str, holds: bool, expected: str) -> None:
        if not holds:
            raise ValueError(f"{key} must be {expected}; found {getattr(self, key)!r}")

    def _require_all(self, keys: tuple[str, ...], least: float) -> None:
        for key in keys:
            self._require(key, getattr(self, key) >= least, f"at least {least}")

    def _require_fraction(self, key: str) -> None:
        self._require(key, 0 <= getattr(self, key) < 1, "at least 0 and below 1")

    @classmethod
    def known_keys(cls) -> tuple[str, ...]:
        """The keys that ``from_mapping`` takes."""
        return tuple(field.name for field in fields(cls))

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """Build the settings from a config block, where lists stand for tuples; a key left out keeps its default.

        Raises:
            ValueError: an unknown key, or a value that cannot train.
        """
        known = cls.known_keys()
        if unknown := sorted(set(mapping) - set(known)):
            raise ValueError(f"unknown training settings: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        return cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in mapping.items()})

    def as_mapping(self) -> dict[str, Any]:
        """The settings as plain values that JSON and ``from_mapping`` take."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}
