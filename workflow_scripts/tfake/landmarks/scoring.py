"""A landmark network on faces with known points, cropped as inference crops them, and on what is no face."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tfake.core.processes import map_threads
from tfake.imaging.crops import MARGIN
from tfake.imaging.textures import draw_texture
from tfake.landmarks.crop_sampling import center_crop, negative_crops
from tfake.landmarks.landmark_network import LandmarkNetwork
from tfake.landmarks.network_finder import NetworkFinder
from tfake.landmarks.point_finder import predict
from tfake.training.training_faces import TrainingFace


@dataclass(frozen=True)
class Scores:
    """A network's errors and standard deviations on some faces.

    Attributes:
        distances: (F, L) from found to true points, in crop widths.
        sigma: (F, L) standard deviations a coordinate, in crop widths.
        weights: (F, L) how much each point counts.
        size: (F,) sqrt(w h) of each face's box, in crop widths.
    """

    distances: np.ndarray
    sigma: np.ndarray
    weights: np.ndarray
    size: np.ndarray

    @property
    def errors(self) -> np.ndarray:
        """(F,) mean distance of each face's points over sqrt(w h) of its box; points of weight 0 do not count."""
        total = (self.distances * self.weights).sum(1) / np.maximum(self.weights.sum(1), 1e-9)
        return total / self.size

    @property
    def nme(self) -> float:
        """Mean of ``errors``."""
        return float(self.errors.mean())

    @property
    def counted(self) -> tuple[np.ndarray, np.ndarray]:
        """Distances and deviations of the points that count, flat."""
        return self.distances[self.weights > 0], self.sigma[self.weights > 0]


def center_crops(
    faces: Iterable[TrainingFace],
    variant: str | None,
    pixels: int,
    margin: float = MARGIN,
    workers: int = 0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Upright crops of faces (:func:`tfake.landmarks.crop_sampling.center_crop`), stacked, made by some worker threads.

    Returns:
        (F, 3, P, P) float32 images, (F, L, 2) points, (F, L) weights.
    """
    crops = list(map_threads(lambda face: center_crop(face, variant, margin, pixels), faces, workers))
    images, points, weights = (np.stack(parts) for parts in zip(*crops, strict=True))
    return images.transpose(0, 3, 1, 2), points, weights


def score(network: LandmarkNetwork, crops: tuple[np.ndarray, np.ndarray, np.ndarray], device: torch.device) -> Scores:
    """Compare the network's answers on ``center_crops`` with the truth; it is in evaluation mode, on the device.

    Answers are those that a user gets: averaged over mirrored crops where the network's file says so.
    """
    images, points, weights = crops
    found = _predict(network, images, device, mirrored=None)
    distances = np.linalg.norm(found[..., :2] - points, axis=2)
    size = np.sqrt(np.ptp(points, axis=1).prod(axis=1))
    return Scores(distances, found[..., 2], weights, size)


def predict_samples(
    network: LandmarkNetwork, faces: Sequence[TrainingFace], variant: str | None, label: str, device: torch.device
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """What :func:`tfake.training.curves.plot_predictions` takes of some faces: label, crop and answer of each."""
    images, _, _ = center_crops(faces, variant, network.architecture.image_pixels)
    yield from ((label, *pair) for pair in zip(images, _predict(network, images, device, mirrored=None), strict=True))


def negative_sigma(
    network: LandmarkNetwork, faces: Iterable[TrainingFace], variant: str | None, device: torch.device
) -> np.ndarray:
    """Mean standard deviation of a network on the windows beside faces: (4 F,) crop widths."""
    pixels = network.architecture.image_pixels
    images = np.stack([crop for face in faces for crop in negative_crops(face, variant, pixels)])
    return window_sigma(network, images.transpose(0, 3, 1, 2), device)


def texture_sigma(network: LandmarkNetwork, count: int, seed: int, device: torch.device) -> np.ndarray:
    """Mean standard deviation of a network on textures: (count,) crop widths."""
    pixels = network.architecture.image_pixels
    images = np.stack([draw_texture(np.random.default_rng([seed, place]), pixels) for place in range(count)])
    return window_sigma(network, images.transpose(0, 3, 1, 2), device)


def window_sigma(network: LandmarkNetwork, images: np.ndarray, device: torch.device) -> np.ndarray:
    """What a search judges windows (F, 3, P, P) by, the mean standard deviation: (F,) crop widths."""
    return _predict(network, images, device)[..., 2].mean(1)


def _predict(
    network: LandmarkNetwork, images: np.ndarray, device: torch.device, mirrored: bool | None = False
) -> np.ndarray:
    return predict(NetworkFinder(network, device), images, mirrored=mirrored)
