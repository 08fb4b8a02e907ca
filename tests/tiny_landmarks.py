"""A landmark training of seconds: a bright face of a few dots, and networks that are told where to look."""

import numpy as np
import torch

from tfake.landmarks.landmark_network import LandmarkArchitecture
from tfake.landmarks.landmark_settings import LandmarkSettings
from tfake.training.training_faces import TrainingFace

CPU = torch.device("cpu")
TINY = {
    "steps": 3,
    "batch": 4,
    "texture_share": 0.25,
    "image_pixels": 32,
    "backbone": "resnet10t",
    "validate_every": 2,
    "precision": "float32",
    "checkpoint_every": 2,
}


def settings(**changes):
    return LandmarkSettings.from_mapping({**TINY, **changes})


def make_faces(count, pixels=96, landmarks=70):
    """A disc of skin; point i lies on it at a place of its own, the same in every face."""
    reach, turn = np.random.default_rng(0).uniform((0, 0), (0.5, 2 * np.pi), (landmarks, 2)).T
    around = np.sqrt(reach)[:, None] * np.column_stack((np.cos(turn), np.sin(turn)))
    y, x = np.mgrid[:pixels, :pixels]
    faces = []
    for number in range(count):
        rng = np.random.default_rng([1, number])
        radius = rng.uniform(0.18, 0.25) * pixels
        centre = rng.uniform(0.4, 0.6, 2) * pixels
        inside = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2
        points = (centre + radius * around).astype(np.float32)
        celsius = np.where(inside, 35.0, 22.0).astype(np.float32)
        rgb = np.where(inside[..., None], (220, 170, 150), (40, 60, 50)).astype(np.uint8)
        for column, row in points[:4]:
            celsius[round(row) - 1 : round(row) + 2, round(column) - 1 : round(column) + 2] = 39.0
        weights = np.ones(landmarks, np.float32)
        faces.append(TrainingFace.of_arrays(rgb, {"warm": celsius}, inside.astype(np.uint8), points, weights))
    return faces


class Oracle:
    """Knows the points of the crops it will be shown, and misses them by a known distance."""

    architecture = LandmarkArchitecture(70, "resnet10t", "heatmap", 32)

    def __init__(self, points, miss):
        self.points, self.miss = points, miss

    def __call__(self, images):
        moved = torch.from_numpy(self.points) + torch.tensor([self.miss, 0.0])
        return torch.cat((moved, torch.full((*moved.shape[:2], 1), 0.02)), 2).float()
