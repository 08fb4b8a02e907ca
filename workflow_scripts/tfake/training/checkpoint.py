"""Checkpoints of a training run: written whole or not at all, and resumed by the very run that wrote them alone."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from tfake.core.files import write_whole
from tfake.training.weights_file import UNREADABLE

FORMAT = "tfake-checkpoint-1"


class CheckpointFile:
    """One file that holds the latest state of one run."""

    def __init__(self, path: str | Path, run: str) -> None:
        """Name the file, and the run by a digest of everything its result depends on."""
        self.path, self.run = Path(path), run

    def save(self, state: dict[str, Any]) -> None:
        """Write a state over the last one."""
        content = {"format": FORMAT, "run": self.run, "state": state}
        write_whole(str(self.path), lambda part: torch.save(content, part))

    def load(self) -> dict[str, Any] | None:
        """Read the state, on the CPU; None where there is no file, or one of another run, or no checkpoint at all."""
        content = _read(self.path)
        return content["state"] if content and content["run"] == self.run else None

    def remove(self) -> None:
        """Delete the file, if it is there: the run is finished."""
        self.path.unlink(missing_ok=True)


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
    return content if isinstance(content, dict) and content.get("format") == FORMAT else None
