"""Landmark networks from files: this workflow's own, and TFAN's."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import nn

from tfake.landmarks.tfan import FACE_VARIANCE, is_tfan, load_tfan
from tfake.landmarks.weights import load_landmark_weights
from tfake.training.weights_file import read_weights


def load_landmark_network(path: str | Path) -> tuple[nn.Module, float]:
    """Rebuild a landmark network from its file.

    Args:
        path: a file of :func:`tfake.landmarks.weights.save_landmark_weights`, or a state dict that TFAN released.

    Returns:
        The network on the CPU, ready for inference, and the mean standard deviation in crop widths below which it has
        a face before it.

    Raises:
        FileNotFoundError: no such file.
        ValueError: torch cannot read it without running code from it, or it holds no landmark network.
    """
    content = read_weights(path, "landmark network")
    if isinstance(content, Mapping) and is_tfan(content):
        return load_tfan(content, str(path)), float(np.sqrt(FACE_VARIANCE))
    network, calibration = load_landmark_weights(path)
    return network, calibration.threshold
