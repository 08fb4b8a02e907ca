"""Label adapters as files."""

import io
import os
from dataclasses import asdict
from pathlib import Path

import torch

from tfake.landmarks.adaptation.network import AdapterArchitecture, LabelAdapter
from tfake.landmarks.torch_files import read_torch_file

FORMAT = "tfake-label-adapter-1"


def save_adapter(path: str | Path, adapter: LabelAdapter) -> None:
    """Write an adapter; equal adapters give equal bytes.

    Args:
        path: the file; it appears whole or not at all.
        adapter: the adapter.
    """
    content = {"format": FORMAT, "settings": asdict(adapter.architecture), "state": adapter.state_dict()}
    # Saved to memory first: saved to a path, torch writes the path's name into the file.
    buffer = io.BytesIO()
    torch.save(content, buffer)
    Path(f"{path}.part").write_bytes(buffer.getvalue())
    os.replace(f"{path}.part", path)


def load_adapter(path: str | Path) -> LabelAdapter:
    """Rebuild an adapter.

    Args:
        path: a file of ``save_adapter``.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is no adapter.
    """
    content = read_torch_file(path)
    found = content.get("format") if isinstance(content, dict) else None
    if found != FORMAT:
        raise ValueError(f"{path}: not a label adapter: expected the format {FORMAT!r}, found {found!r}")
    adapter = LabelAdapter(AdapterArchitecture(**content["settings"]))
    adapter.load_state_dict(content["state"])
    return adapter.eval()
