"""One face looked at several times: on crops of other sizes, places and angles, and on their mirror images.

What a network answers on each of them should be one and the same. Where the answers meet says more than any of them,
and how far they are apart says how little they are worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tfake.imaging.crops import Box, square_around, warp_crop
from tfake.landmarks.point_finder import PointFinder, predict, unmirror


class View(NamedTuple):
    """How a crop differs from the one that inference makes.

    Attributes:
        scale: factor of its edge.
        shift: (x, y) of its centre, in edges of that crop.
        degrees: its rotation about its own centre.
    """

    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    degrees: float = 0.0


#: What one answer is made of: the plain crop, others as far from it as a detector's boxes are, and turned ones.
VIEWS = (
    View(),
    View(0.85),
    View(1.15),
    View(shift=(0.06, 0.0)),
    View(shift=(-0.06, 0.0)),
    View(shift=(0.0, 0.06)),
    View(shift=(0.0, -0.06)),
    View(degrees=10.0),
    View(degrees=-10.0),
)


@dataclass(frozen=True, eq=False)
class Consensus:
    """What the answers on one face come to.

    Attributes:
        points: (L, 2) float32 pixels of the picture, their mean.
        sigma: (L,) float32 pixels, the standard deviation a coordinate of the mixture of all answers' Gaussians.
        spread: (L,) float32 pixels, the part of it that lies between the answers' means.
    """

    points: np.ndarray
    sigma: np.ndarray
    spread: np.ndarray

    @property
    def box(self) -> Box:
        """Left, top, right, bottom of the points."""
        return (*self.points.min(axis=0).tolist(), *self.points.max(axis=0).tolist())

    @property
    def size(self) -> float:
        """Square root of the area of the box."""
        return float(np.sqrt(np.ptp(self.points, axis=0).prod()))


def look(finder: PointFinder, picture: np.ndarray, box: Box, views: Sequence[View] = VIEWS) -> np.ndarray:
    """A network's answers on each view of a face, and on its mirror image.

    Args:
        finder: the network.
        picture: (H, W, 3) float32 in 0..1, as :func:`tfake.landmarks.preprocessing.preprocess` gives it.
        box: of the face, pixels.
        views: the V crops.

    Returns:
        (2 V, L, 3) float32 x, y and standard deviation a coordinate in pixels of the picture; the mirrored ones behind.
    """
    pixels = finder.image_pixels
    matrices = np.array([view_matrix(box, view, pixels) for view in views])
    crops = np.stack([warp_crop(picture, matrix, pixels) for matrix in matrices])
    found = predict(finder, np.concatenate((crops, np.ascontiguousarray(crops[..., ::-1]))))
    answers = np.concatenate((found[: len(views)], unmirror(found[len(views) :])))
    back = np.concatenate((matrices, matrices))
    scale = np.sqrt(np.abs(np.linalg.det(back[:, :, :2])))
    places = (pixels * answers[..., :2] - 0.5) @ back[:, :, :2].transpose(0, 2, 1) + back[:, None, :, 2]
    sigma = answers[..., 2] * pixels * scale[:, None]
    return np.concatenate((places, sigma[..., None]), axis=2).astype(np.float32)


def consensus(answers: np.ndarray) -> Consensus:
    """Join answers (A, L, 3), pixels, as the equal mixture of their Gaussians: its mean, and its deviation."""
    points = answers[..., :2].mean(axis=0)
    between = np.square(answers[..., :2] - points).mean(axis=(0, 2))
    return Consensus(points, np.sqrt(np.square(answers[..., 2]).mean(axis=0) + between), np.sqrt(between))


def view_matrix(box: Box, view: View, pixels: int) -> np.ndarray:
    """(2, 3) from a view's crop pixels to the picture's; of ``View()`` that of :func:`crop_squares`."""
    left, top, edge = square_around(box)
    angle = np.radians(view.degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn * edge * view.scale / pixels
    centre = np.array((left, top)) + edge / 2 + edge * np.array(view.shift)
    half = (pixels - 1) / 2
    return np.column_stack((linear, centre - linear @ np.array((half, half))))
