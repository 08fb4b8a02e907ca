"""Landmark networks from files: this workflow's own, and TFAN's."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tfake.landmarks.network import LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.tfan import FACE_VARIANCE, is_tfan, load_tfan
from tfake.landmarks.torch_files import read_torch_file

#: Where a file says no threshold: half of a point that may be anywhere.
_NO_THRESHOLD = 0.15


def load_landmark_network(path: str | Path) -> tuple[nn.Module, float]:
    """Rebuild a landmark network from its file.

    Args:
        path: a file of this workflow's training, ``{"settings", "state"}``, or a state dict that TFAN released.

    Returns:
        The network on the CPU, ready for inference, and the mean standard deviation in crop widths below which it has
        a face before it.

    Raises:
        FileNotFoundError: no such file.
        ValueError: torch cannot read it without running code from it, or it holds no landmark network.
    """
    content = read_torch_file(path)
    if isinstance(content, Mapping) and is_tfan(content):
        return load_tfan(content, str(path)), float(np.sqrt(FACE_VARIANCE))
    if not isinstance(content, Mapping) or not {"settings", "state"} <= content.keys():
        raise ValueError(f"{path}: expected the landmark network of this workflow, or a state dict of TFAN's")
    with torch.random.fork_rng([]):
        network = LandmarkNetwork(LandmarkArchitecture(**content["settings"]))
    network.load_state_dict(content["state"])
    return network.eval(), float(content.get("threshold", _NO_THRESHOLD))
