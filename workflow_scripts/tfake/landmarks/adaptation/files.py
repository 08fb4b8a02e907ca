"""Label adapters as files."""

from dataclasses import asdict
from pathlib import Path

import torch

from tfake.landmarks.adaptation.network import AdapterArchitecture, LabelAdapter
from tfake.training.weights_file import bare_tensors, load_payload, save_payload

FORMAT = "tfake-label-adapter-1"


def save_adapter(path: str | Path, adapter: LabelAdapter) -> str:
    """Write an adapter; equal adapters give equal bytes.

    Args:
        path: the file; it appears whole or not at all.
        adapter: the adapter.

    Returns:
        The file's SHA-256, hexadecimal.
    """
    payload = {"format": FORMAT, "settings": asdict(adapter.architecture), "state": bare_tensors(adapter)}
    return save_payload(path, payload)


def load_adapter(path: str | Path) -> LabelAdapter:
    """Rebuild an adapter.

    Args:
        path: a file of ``save_adapter``.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is no adapter.
    """
    payload = load_payload(path, FORMAT, "label adapter")
    with torch.random.fork_rng([]):
        adapter = LabelAdapter(AdapterArchitecture(**payload["settings"]))
    adapter.load_state_dict(payload["state"])
    return adapter.eval()
