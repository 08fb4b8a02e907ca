"""How fast landmarks are: ``python tests/landmark_speed.py WEIGHTS.pt|BACKBONE [PIXELS] [PASSES]``.

Crops one at a time and in batches, with torch and with ONNX Runtime; and the search of one image: windows singly,
in batches, and nominated by shared convolutions, whose answers are compared. Medians over the passes, taken in turns.
"""

import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow_scripts"))

from tfake.imaging.textures import draw_texture
from tfake.landmarks.landmark_network import LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmarker_file import load_landmark_weights
from tfake.landmarks.network_finder import NetworkFinder
from tfake.landmarks.onnx_finder import LANDMARKS_FORMAT, OnnxFinder, OnnxSession
from tfake.landmarks.point_finder import predict
from tfake.landmarks.search import SearchSettings, score_windows

_CROPS = 32


def measure(network: LandmarkNetwork, pixels: int, passes: int, device: torch.device) -> dict[str, float]:
    """Crops and images a second of each way, and how far the searches' answers differ."""
    runtime = load_runtime(network.eval())
    network = network.to(device)
    image = draw_texture(np.random.default_rng(0), pixels)
    edge = network.architecture.image_pixels
    crops = np.random.default_rng(1).random((_CROPS, 3, edge, edge), np.float32)
    finder = NetworkFinder(network, device)
    every, some = SearchSettings(nominated=None), SearchSettings()
    one_by_one = _OneByOne(network, device)
    ways = {
        "torch_crops_alone": lambda: [predict(finder, crop[None]) for crop in crops],
        "torch_crops_batched": lambda: predict(finder, crops),
        "search_windows_alone": lambda: score_windows(one_by_one, image, every),
        "search_windows_batched": lambda: score_windows(finder, image, every),
        "search_shared": lambda: score_windows(finder, image, some),
    }
    if runtime:
        ways["onnx_crops_batched"] = lambda: runtime(crops)
    times: dict[str, list[float]] = {name: [] for name in ways}
    # The first pass warms up.
    for _ in range(passes + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            if device.type == "cuda":
                torch.cuda.synchronize()
            times[name].append(time.perf_counter() - start)
    seconds = {name: median(values[1:]) for name, values in times.items()}
    rates = {name: (_CROPS if "crops" in name else 1) / value for name, value in seconds.items()}
    squares, found = score_windows(finder, image, every)
    best, again = score_windows(finder, image, some)
    least, nominated = (values[..., 2].mean(1).min() for values in (found, again))
    return {
        "device": device.type,
        "threads": torch.get_num_threads(),
        "crop_pixels": edge,
        "image_pixels": pixels,
        "windows": len(squares),
        **{f"{name}_per_second": rate for name, rate in rates.items()},
        "batched_over_alone": rates["search_windows_batched"] / rates["search_windows_alone"],
        "shared_over_alone": rates["search_shared"] / rates["search_windows_alone"],
        "best_window_differs_by": float(abs(nominated - least)),
        "same_best_window": bool(
            (best[again[..., 2].mean(1).argmin()] == squares[found[..., 2].mean(1).argmin()]).all()
        ),
    }


def load_runtime(network: LandmarkNetwork) -> OnnxFinder | None:
    """The network in ONNX Runtime; None without the extra ``onnx``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        try:
            from tfake.landmarks.onnx_export import export_landmarks

            export_landmarks(path, network.cpu(), 0.0)
            return OnnxFinder(OnnxSession(path, LANDMARKS_FORMAT, torch.get_num_threads()))
        except ImportError:
            return None


class _OneByOne(NetworkFinder):
    """A network that is called a crop at a time."""

    def __call__(self, crops: np.ndarray, stretched: bool | None = None) -> np.ndarray:
        """As the protocol says."""
        return np.concatenate([super(_OneByOne, self).__call__(crop[None], stretched) for crop in crops])


if __name__ == "__main__":
    name, pixels, passes = [*sys.argv[1:], "512", "5"][:3] if len(sys.argv) < 3 else [*sys.argv[1:], "5"][:3]
    built = (
        load_landmark_weights(name)[0]
        if Path(name).exists()
        else LandmarkNetwork(LandmarkArchitecture(70, name, "heatmap", 64))
    )
    where = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    print(json.dumps(measure(built, int(pixels), int(passes), where), indent=1))
