"""What a search of one image costs: windows singly, in batches, and nominated by shared convolutions."""

import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import nn

from tfake.imaging.textures import draw_texture
from tfake.landmarks.network_finder import NetworkFinder
from tfake.landmarks.search import SearchSettings, score_windows

_PASSES = 3


class _OneByOne(NetworkFinder):
    """A network that is called a crop at a time."""

    def __call__(self, crops: np.ndarray, stretched: bool | None = None) -> np.ndarray:
        """As the protocol says."""
        return np.concatenate([super(_OneByOne, self).__call__(crop[None], stretched) for crop in crops])


def measure_search(network: nn.Module, pixels: int, passes: int = _PASSES) -> dict[str, Any]:
    """Search a texture on the CPU in three ways by turns; times are medians over the passes, after one to warm up.

    Args:
        network: in evaluation mode, on the CPU.
        pixels: edge of the image.
        passes: of each way.

    Returns:
        ``image_pixels``, ``windows``, ``threads``; ``alone_seconds``, ``batched_seconds`` and ``shared_seconds``; and
        ``best_sigma_differs``: by how many crop widths the mean standard deviation of the shared search's best window
        is above that of the best of all.
    """
    image = draw_texture(np.random.default_rng(0), pixels)
    cpu = torch.device("cpu")
    finder, one_by_one = NetworkFinder(network, cpu), _OneByOne(network, cpu)
    every, some = SearchSettings(nominated=None), SearchSettings()
    ways: dict[str, Callable[[], tuple]] = {
        "alone": lambda: score_windows(one_by_one, image, every),
        "batched": lambda: score_windows(finder, image, every),
        "shared": lambda: score_windows(finder, image, some),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    found = {}
    for _ in range(passes + 1):
        for name, way in ways.items():
            start = time.perf_counter()
            found[name] = way()
            seconds[name].append(time.perf_counter() - start)
    best = {name: float(answers[..., 2].mean(1).min()) for name, (_, answers) in found.items()}
    return {
        "image_pixels": pixels,
        "windows": len(found["batched"][0]),
        "threads": torch.get_num_threads(),
        **{f"{name}_seconds": median(values[1:]) for name, values in seconds.items()},
        "best_sigma_differs": best["shared"] - best["batched"],
    }
