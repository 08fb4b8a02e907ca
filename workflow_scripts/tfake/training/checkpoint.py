"""Checkpoints of a training run: written whole or not at all, and only taken up by the very run that wrote them."""

import os
import pickle
from pathlib import Path
from typing import Any

import torch

FORMAT = "tfake-checkpoint-1"


class CheckpointFile:
    """One file that holds the latest state of one run."""

    def __init__(self, path: str | Path, run: str) -> None:
        """Name the file and the run.

        Args:
            path: the file.
            run: a digest of everything the run's result depends on; a state of another run is not taken up.
        """
        self.path = Path(path)
        self.run = run

    def save(self, state: dict[str, Any]) -> None:
        """Write a state over the last one."""
        part = self.path.with_name(self.path.name + ".part")
        torch.save({"format": FORMAT, "run": self.run, "state": state}, part)
        os.replace(part, self.path)

    def load(self) -> dict[str, Any] | None:
        """Read the state, on the CPU; None where there is no file, or one of another run, or no checkpoint at all."""
        try:
            content = torch.load(self.path, map_location="cpu", weights_only=True)
        except FileNotFoundError:
            return None
        except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError):
            return None
        if not isinstance(content, dict) or (content.get("format"), content.get("run")) != (FORMAT, self.run):
            return None
        return content["state"]

    def remove(self) -> None:
        """Delete the file, if it is there: the run is finished."""
        self.path.unlink(missing_ok=True)
