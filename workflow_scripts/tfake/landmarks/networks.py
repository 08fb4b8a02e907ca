"""Landmark networks out of any file that holds one: a training's, a release's, or TFAN's."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch import nn

from tfake.landmarks.landmarker_file import FACE_VARIANCE, is_tfan, load_landmark_weights, load_tfan
from tfake.landmarks.release import FORMAT, load_release
from tfake.training.weights_file import read_weights


def load_landmark_network(path: str | Path) -> tuple[nn.Module, float]:
    """Rebuild a landmark network from its file, or from a state dict that TFAN released.

    Returns:
        The network on the CPU, ready for inference, and the mean standard deviation in crop widths below which a window
        is a face.

    Raises:
        FileNotFoundError: no such file.
        ValueError: torch cannot read it without running code from it, or it holds no landmark network.
    """
    content = read_weights(path, "landmark network")
    if isinstance(content, Mapping) and is_tfan(content):
        return load_tfan(content, str(path)), float(np.sqrt(FACE_VARIANCE))
    is_release = isinstance(content, Mapping) and content.get("format") == FORMAT
    network, calibration = (load_release if is_release else load_landmark_weights)(path)
    return network, calibration.threshold
