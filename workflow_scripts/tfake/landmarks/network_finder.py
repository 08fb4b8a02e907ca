"""Landmark networks and detectors that torch computes, as a landmarker asks them: arrays in, arrays out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tfake.core.codes import BOTH_POINTS, LANDMARKS
from tfake.detector.detector_file import load_detector
from tfake.detector.detector_network import NetworkMaps
from tfake.landmarks.crop_views import stretch
from tfake.landmarks.landmark_network import LandmarkNetwork
from tfake.landmarks.networks import load_landmark_networks
from tfake.landmarks.point_finder import BATCH, Finders, are_gray, choose_points

# Encoded levels are padded to multiples of the backbone's coarsest stride.
_COARSEST_STRIDE = 32


class NetworkFinder:
    """A :class:`tfake.landmarks.point_finder.PointFinder` that torch computes."""

    shares_windows = True

    def __init__(self, network: LandmarkNetwork, device: torch.device) -> None:
        """Keep a network in evaluation mode, and the device that it is on."""
        self.network, self.device = network, device

    @property
    def landmarks(self) -> int:
        """How many points it finds."""
        return self.network.architecture.landmarks

    @property
    def image_pixels(self) -> int:
        """Edge of its crops."""
        return self.network.architecture.image_pixels

    @property
    def stride(self) -> int:
        """Pixels from one position of its maps to the next."""
        return self.network.stride

    @property
    def thermal_stretch(self) -> bool:
        """Whether the contrast of gray crops is stretched."""
        return self.network.architecture.thermal_stretch

    @property
    def thermal_mirror(self) -> bool:
        """Whether answers on gray crops are averaged with those on their mirror images."""
        return self.network.architecture.thermal_mirror

    @torch.inference_mode()
    def __call__(self, crops: np.ndarray, stretched: bool | None = None) -> np.ndarray:
        """As the protocol says."""
        images = torch.from_numpy(np.ascontiguousarray(crops)).to(self.device)
        if stretched is None:
            return self.network(images).cpu().numpy()
        return self.network.decode(self.network.encode(stretch(images) if stretched else images)).cpu().numpy()

    @torch.inference_mode()
    def shared_sigma(self, image: np.ndarray, corners: np.ndarray, stretched: bool | None = None) -> np.ndarray:
        """As the protocol says."""
        if stretched is None:
            stretched = self.network.architecture.thermal_stretch and bool(are_gray(image[None])[0])
        tensor = torch.from_numpy(image)[None]
        shown = (stretch(tensor, 1.0) if stretched else tensor).to(self.device)
        height, width = image.shape[1:]
        padding = (0, -width % _COARSEST_STRIDE, 0, -height % _COARSEST_STRIDE)
        encoded = self.network.encode(torch.nn.functional.pad(shown, padding))
        edge, places = self.image_pixels // self.stride, corners // self.stride
        sigmas = []
        for part in np.array_split(places, max(1, len(places) // BATCH)):
            windows = torch.cat([encoded[:, :, top : top + edge, left : left + edge] for left, top in part])
            sigmas.append(self.network.decode(windows)[..., 2].mean(1).cpu().numpy())
        return np.concatenate(sigmas)


def load_finders(
    weights: str | Path,
    device: torch.device,
    n_landmarks: int | None = None,
    detector: str | Path | Mapping[str, Any] | None = None,
) -> Finders:
    """Load the networks of a file of :func:`tfake.landmarks.networks.load_landmark_networks` onto a device.

    Args:
        weights: the file.
        device: where they will compute.
        n_landmarks: 70 or 478; None: all, and 70 of a network that finds both.
        detector: as :func:`tfake.detector.detector_file.load_detector` takes it; None: the file's own, if it has one.

    Raises:
        FileNotFoundError: no such file.
        ValueError: the file is no landmark network, or one of other points, or the detector is none.
    """
    network, threshold, own_detector = load_landmark_networks(weights)
    found = network.architecture.landmarks
    wanted = choose_points(found, n_landmarks, weights)
    # Of a network for both sets, faces are told by the 70 points, whose threshold the file has.
    parts = {wanted, found, LANDMARKS} if found == BOTH_POINTS else {wanted}
    finders = {
        part: NetworkFinder((network if part == found else network.select(part)).to(device).eval(), device)
        for part in parts
    }
    points, whole, faces = finders[wanted], finders[found], finders.get(LANDMARKS, finders[wanted])
    given = own_detector if detector is None else load_detector(detector)
    if given is None:
        return Finders(points, whole, faces, threshold)
    return Finders(points, whole, faces, threshold, NetworkMaps(given[0].to(device), device), given[1])
