"""The landmark command line with a network of random weights, whose every window passes for a face."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import torch

from tfake.landmarks.__main__ import main
from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmarker_file import save_landmark_weights


def save_random_weights(path: Path) -> Path:
    """A small network of 70 points that finds a face wherever it looks."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        network = LandmarkNetwork(LandmarkArchitecture(70, "resnet10t", "heatmap", 32))
    save_landmark_weights(path, network, Calibration(1.0, 10.0))
    return path


def runner(weights: Path, folder: Path, capsys) -> Callable[..., tuple[int, dict | None, str]]:
    """A function that runs the command in a folder: exit status, what the JSON holds (None: no file), and stderr."""

    def run(*arguments: str, out: str = "out.json") -> tuple[int, dict | None, str]:
        status = main([*arguments, "-w", str(weights), "--device", "cpu", "-o", out])
        content = json.loads((folder / out).read_text()) if (folder / out).is_file() else None
        assert not list(folder.rglob("*.part*"))
        return status, content, capsys.readouterr().err

    return run


def write(folder: Path, **files) -> Path:
    """Write bytes and images into a folder; two underscores stand for the dot of a name."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else cv2.imencode(path.suffix, content)[1].tobytes())
    return folder
