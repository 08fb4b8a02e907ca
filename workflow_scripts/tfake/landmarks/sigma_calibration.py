"""Calibration of the network's standard deviations: their scale, the threshold of a face, and how well both hold."""

from dataclasses import dataclass

import numpy as np

_BINS = 10
_ABOVE_FACES = 1.1


@dataclass(frozen=True)
class Calibration:
    """What a trained network is used with.

    Attributes:
        temperature: factor that makes the standard deviations true on validation faces.
        threshold: mean standard deviation over a window, in crop widths and after scaling, below which it is a face.
    """

    temperature: float = 1.0
    threshold: float = 0.1


def fit_temperature(distances: np.ndarray, sigma: np.ndarray) -> float:
    """The factor on sigma (N,) a coordinate under which distances (N,) are likeliest: sqrt(mean(e^2 / sigma^2))."""
    ratios = distances / sigma
    # Points that are lost altogether are cut at seven typical distances: a handful would stretch everybody's deviation.
    ratios = np.minimum(ratios, 7 * np.median(ratios))
    # A distance joins two coordinates, so it has twice the variance of one.
    return float(np.sqrt((ratios**2).mean() / 2))


def calibration_curve(distances: np.ndarray, sigma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predicted against measured deviations, over tenths of the points by descending confidence.

    Returns:
        Root mean square of the predicted and of the measured deviation a coordinate, (10,) each.
    """
    tenths = np.array_split(np.argsort(sigma, kind="stable"), _BINS)
    predicted = np.array([np.sqrt((sigma[part] ** 2).mean()) for part in tenths])
    measured = np.array([np.sqrt((distances[part] ** 2).mean() / 2) for part in tenths])
    return predicted, measured


def calibration_error(distances: np.ndarray, sigma: np.ndarray) -> float:
    """Mean of |measured / predicted - 1| over the tenths of ``calibration_curve``."""
    predicted, measured = calibration_curve(distances, sigma)
    return float(np.abs(measured / predicted - 1).mean())


def separation(faces: np.ndarray, others: np.ndarray) -> float:
    """Area under the ROC curve of "the lower, the more of a face": how often a face has the lower one.

    Both are mean standard deviations of windows: (F,) on faces, (M,) on anything else.
    """
    ordered = np.sort(others)
    above = len(ordered) - np.searchsorted(ordered, faces, side="right")
    ties = np.searchsorted(ordered, faces, side="right") - np.searchsorted(ordered, faces, side="left")
    return float((above + ties / 2).mean() / len(ordered))


def choose_threshold(faces: np.ndarray, others: np.ndarray) -> float:
    """A threshold that finds the faces and little else, from values as in ``separation``.

    The best balance (the largest sum of faces found and others left) says which faces can be found; the threshold is a
    tenth above the least confident of them, and not in the middle of the gap to the others: a search looks at hundreds
    of windows an image.
    """
    values = np.unique(np.concatenate((faces, others)))
    cuts = (values[1:] + values[:-1]) / 2
    found = np.searchsorted(np.sort(faces), cuts) / len(faces)
    left = 1 - np.searchsorted(np.sort(others), cuts) / len(others)
    best = cuts[np.argmax(found + left)]
    return float(min(best, _ABOVE_FACES * faces[faces < best].max(initial=0.0) or best))
