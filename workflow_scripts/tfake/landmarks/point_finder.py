"""What finds points in crops, be it torch or ONNX Runtime that computes it, and its answers over mirrored crops.

Nothing here needs torch.
"""

from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from tfake.core.codes import BOTH_POINTS, LANDMARKS
from tfake.detector.face_detector import FaceMaps, ScoreCalibration
from tfake.labels.conventions import convention, set_of_points

#: The landmarker that comes with the package.
SHIPPED = Path(__file__).with_name("landmarker.pt")
#: Crops that a network looks at at once.
BATCH = 64
# A gray picture's channels may differ by what an interpolation rounds.
_GRAY = 1e-4


class PointFinder(Protocol):
    """A landmark network that is ready for crops.

    Attributes:
        landmarks: how many points it finds.
        image_pixels: edge of its crops.
        stride: pixels that a window may be moved by.
        thermal_stretch: whether it stretches the contrast of gray crops, whose brightness then means nothing.
        thermal_mirror: whether its answers on gray crops are averaged with those on their mirror images.
        shares_windows: whether it can tell cheaply which windows of an image are worth a look of their own.
    """

    landmarks: int
    image_pixels: int
    stride: int
    thermal_stretch: bool
    thermal_mirror: bool
    shares_windows: bool

    def __call__(self, crops: np.ndarray, stretched: bool | None = None) -> np.ndarray:
        """Look at crops, all at once.

        Args:
            crops: (B, 3, P, P) float32 in 0..1.
            stretched: whether their contrast is stretched; None: that of gray ones, where the network learnt it so.

        Returns:
            (B, L, 3) float32 x, y and standard deviation a coordinate, in crop widths.

        Raises:
            ValueError: ``stretched`` is not what is possible here.
        """
        ...

    def shared_sigma(self, image: np.ndarray, corners: np.ndarray, stretched: bool | None = None) -> np.ndarray:
        """About how sure it is of windows that share their convolutions, where it ``shares_windows``.

        Args:
            image: (3, H, W) float32 in 0..1.
            corners: (M, 2) left and top of each window, multiples of ``stride``.
            stretched: as for crops; it is the whole image that is stretched.

        Returns:
            (M,) float32 mean standard deviations in crop widths.
        """
        ...


class Finders(NamedTuple):
    """What a landmarker looks with.

    Attributes:
        points: finds the points that were asked for.
        whole: finds all points of the network, which its crops were cut around in training: where to look closer.
        faces: tells faces from other windows; of a network for both sets its 70 points.
        threshold: mean standard deviation in crop widths below which a window is a face, for ``faces``.
        maps: of the face detector; None: there is none.
        scores: what turns the detector's logits into probabilities.
    """

    points: PointFinder
    whole: PointFinder
    faces: PointFinder
    threshold: float
    maps: FaceMaps | None = None
    scores: ScoreCalibration | None = None


def choose_points(found: int, asked: int | None, where: object) -> int:
    """How many points of a network are answered: those asked for, else all, else, of both sets, the 70.

    Raises:
        ValueError: the network does not find them; ``where`` it comes from is for the message.
    """
    wanted = asked or (LANDMARKS if found == BOTH_POINTS else found)
    if wanted != found and found != BOTH_POINTS:
        raise ValueError(f"{where}: expected a network for {wanted} points, found one for {found}")
    return wanted


def are_gray(images: Any) -> Any:
    """Which of (B, 3, H, W) images, an array or a tensor, have no colours: (B,) bool of its kind."""
    alike = abs(images - images[:, :1]) < _GRAY
    return alike.reshape(alike.shape[0], -1).all(1)


def predict(
    finder: PointFinder, crops: np.ndarray, stretched: bool | None = None, mirrored: bool | None = False
) -> np.ndarray:
    """A network's answers on any number of crops.

    Args:
        finder: the network.
        crops: (F, 3, P, P) float32 in 0..1.
        stretched: whether the crops' contrast is stretched; None: that of gray ones, where the network learnt it so.
        mirrored: whether the answer is averaged with that on the mirrored crop (``average_mirrored``), which costs as
            much again; None: for gray ones, where the network's file says so.

    Returns:
        (F, L, 3) float32 x, y and standard deviation a coordinate, in crop widths.
    """
    parts = []
    for start in range(0, len(crops), BATCH):
        part = crops[start : start + BATCH]
        found = finder(part, stretched)
        if mirrored is not None:
            twice = np.full(len(part), mirrored)
        elif finder.thermal_mirror:
            twice = are_gray(part)
        else:
            twice = np.zeros(len(part), bool)
        if twice.any():
            flipped = np.ascontiguousarray(part[twice][..., ::-1])
            found[twice] = average_mirrored(found[twice], finder(flipped, stretched))
        parts.append(found)
    return np.concatenate(parts) if parts else np.empty((0, finder.landmarks, 3), np.float32)


def unmirror(mirrored: np.ndarray) -> np.ndarray:
    """Answers (B, L, 3) on mirrored crops, in crop widths, as answers on the crops themselves."""
    partners = convention(set_of_points(mirrored.shape[1])).partners
    return mirrored[:, partners] * np.array((-1, 1, 1), np.float32) + np.array((1, 0, 0), np.float32)


def average_mirrored(found: np.ndarray, mirrored: np.ndarray) -> np.ndarray:
    """Join a network's answers on crops with those on their mirror images.

    Half of the probability is either answer's Gaussian: points are the mean of both, and the variance of a coordinate
    is the mean of both variances and the variance between the two means, averaged over x and y.

    Args:
        found: (B, L, 3) x, y and standard deviation a coordinate, in crop widths; 70, 478 or 548 points.
        mirrored: the same of the mirrored crops, as the network gave it.

    Returns:
        (B, L, 3) float32.
    """
    other = unmirror(mirrored)
    apart = np.square(found[..., :2] - other[..., :2]).sum(-1) / 8
    variance = (np.square(found[..., 2]) + np.square(other[..., 2])) / 2 + apart
    points = (found[..., :2] + other[..., :2]) / 2
    return np.concatenate((points, np.sqrt(variance)[..., None]), axis=2).astype(np.float32)
