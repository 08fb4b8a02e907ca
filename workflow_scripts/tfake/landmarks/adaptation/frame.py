"""The frame of a face: its place, scale and roll, taken out before a network sees its points."""

from dataclasses import dataclass

import numpy as np

from tfake.landmarks.conventions import convention, reference_face


@dataclass(frozen=True)
class Frames:
    """Where faces lie in their images.

    Attributes:
        middle: (B, 1, 2) pixels.
        turn: (B, 2, 2), scale times rotation, from the frame to the image.
    """

    middle: np.ndarray
    turn: np.ndarray

    def enter(self, points: np.ndarray) -> np.ndarray:
        """From the image to the frame: (B, n, 2) to the same."""
        return (points - self.middle) @ np.linalg.inv(self.turn).transpose(0, 2, 1)

    def leave(self, points: np.ndarray) -> np.ndarray:
        """From the frame to the image: (B, n, 2) to the same."""
        return points @ self.turn.transpose(0, 2, 1) + self.middle


def frames(points: np.ndarray, source: str) -> Frames:
    """The similarity that takes the mean face to each face (Umeyama 1991, without reflection).

    Args:
        points: (B, n, 2).
        source: their landmark set.

    Raises:
        ValueError: another number of points, or points that are not finite or all in one place.
    """
    mean = (convention(source).places @ reference_face())[:, :2]
    if points.ndim != 3 or points.shape[1:] != mean.shape:
        raise ValueError(f"{source} has points of shape (B, {len(mean)}, 2); found {points.shape}")
    mean = mean - mean.mean(axis=0)
    middle = points.mean(axis=1, keepdims=True)
    around = points - middle
    # As complex numbers, a similarity is one factor; the frame's unit is the mean face's.
    a, b = mean @ (1, 1j), around @ (1, 1j)
    factor = (b * a.conj()).sum(axis=1) / (np.abs(a) ** 2).sum()
    if not np.all(np.isfinite(factor) & (np.abs(factor) > 0)):
        raise ValueError("points must be finite and not all in one place")
    turn = np.stack((factor.real, -factor.imag, factor.imag, factor.real), axis=1).reshape(-1, 2, 2)
    return Frames(middle, turn)
