"""Reading torch's files without running code from them."""

import pickle
from pathlib import Path
from typing import Any

import torch

# What torch raises on files that are none of its own, or cut short.
_UNREADABLE = (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, LookupError, AttributeError, TypeError)


def read_torch_file(path: str | Path) -> Any:
    """Read a file of ``torch.save``, onto the CPU.

    Args:
        path: the file.

    Raises:
        FileNotFoundError: no such file.
        ValueError: torch cannot read it as weights.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        raise ValueError(f"{path}: torch cannot read it as weights ({type(error).__name__})") from error
