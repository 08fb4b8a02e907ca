"""Landmark networks out of any file that holds one: a training's, a release's, or TFAN's."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import nn

from tfake.landmarks.landmarker_file import FACE_VARIANCE, is_tfan, load_landmark_weights, load_tfan
from tfake.landmarks.release import FORMAT, Detector, load_release
from tfake.training.weights_file import read_weights


class LoadedNetworks(NamedTuple):
    """What a file holds, on the CPU and ready for inference.

    Attributes:
        network: what finds points.
        threshold: mean standard deviation in crop widths below which a window is a face; of a network for both sets
            that of the 70 points.
        detector: what finds faces; None: the file has none.
    """

    network: nn.Module
    threshold: float
    detector: Detector | None = None


def load_landmark_networks(path: str | Path) -> LoadedNetworks:
    """Rebuild the networks of a file of this workflow, or of a state dict that TFAN released.

    Raises:
        FileNotFoundError: no such file.
        ValueError: torch cannot read it without running code from it, or it holds no landmark network.
    """
    content = read_weights(path, "landmark network")
    if isinstance(content, Mapping) and is_tfan(content):
        return LoadedNetworks(load_tfan(content, str(path)), float(np.sqrt(FACE_VARIANCE)))
    if isinstance(content, Mapping) and content.get("format") == FORMAT:
        network, calibration, detector = load_release(path)
        return LoadedNetworks(network, calibration.threshold, detector)
    network, calibration = load_landmark_weights(path)
    return LoadedNetworks(network, calibration.threshold)
