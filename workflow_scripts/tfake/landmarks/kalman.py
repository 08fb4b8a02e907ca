"""A Kalman filter of many points at once, each at a constant velocity that noise changes, and its smoother.

The model is the continuous white-noise acceleration (Bar-Shalom, Li and Kirubarajan, Estimation with Applications to
Tracking and Navigation, 2001, section 6.2.2): what a velocity changes by in a time t has the variance q t, whatever
the steps in which t passes, so that frames may be missing. x and y have one covariance, for their noise is the same.
The smoother is Rauch, Tung and Striebel's (1965): each state given all measurements, before and after it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class PointStates(NamedTuple):
    """What is known of points at one time.

    Attributes:
        mean: (P, 2, 2) float64: position and velocity (first axis of the two), x and y; pixels, pixels a second.
        covariance: (P, 2, 2) of position and velocity, of x as of y.
    """

    mean: np.ndarray
    covariance: np.ndarray

    @property
    def positions(self) -> np.ndarray:
        """(P, 2) pixels."""
        return self.mean[:, 0]

    @property
    def variances(self) -> np.ndarray:
        """(P,) of x as of y, square pixels."""
        return self.covariance[:, 0, 0]


def begin(positions: np.ndarray, variances: np.ndarray, speeds: np.ndarray) -> PointStates:
    """The states after a first measurement, at rest.

    Args:
        positions: (P, 2) pixels.
        variances: (P,) of the measurement, square pixels.
        speeds: (P,) standard deviation of a velocity's coordinate that nothing is known of, pixels a second.
    """
    mean = np.zeros((len(positions), 2, 2))
    mean[:, 0] = positions
    covariance = np.zeros((len(positions), 2, 2))
    covariance[:, 0, 0], covariance[:, 1, 1] = variances, speeds**2
    return PointStates(mean, covariance)


def predict(states: PointStates, seconds: float, noise: np.ndarray) -> PointStates:
    """The states some time later.

    Args:
        states: now.
        seconds: the time that passes.
        noise: (P,) what the variance of a velocity grows by in a second, (pixels/s)²/s.
    """
    move = _move(seconds)
    grown = np.array([[seconds**3 / 3, seconds**2 / 2], [seconds**2 / 2, seconds]])
    return PointStates(move @ states.mean, move @ states.covariance @ move.T + noise[:, None, None] * grown)


def update(states: PointStates, positions: np.ndarray, variances: np.ndarray) -> PointStates:
    """The states after a measurement of all positions.

    Args:
        states: predicted for its time.
        positions: (P, 2) pixels.
        variances: (P,) of the measurement, square pixels.
    """
    gain = states.covariance[:, :, 0] / (states.covariance[:, 0, 0] + variances)[:, None]
    mean = states.mean + gain[:, :, None] * (positions - states.positions)[:, None]
    covariance = states.covariance - gain[:, :, None] * states.covariance[:, None, 0]
    return PointStates(mean, (covariance + covariance.transpose(0, 2, 1)) / 2)


def smooth(
    filtered: Sequence[PointStates], seconds: Sequence[float], noises: Sequence[np.ndarray]
) -> list[PointStates]:
    """The states given all measurements.

    Args:
        filtered: after each measurement, in time.
        seconds: from each to the next, one fewer.
        noises: as ``predict`` took them on that way.
    """
    smoothed = [filtered[-1]]
    for before, step, noise in zip(reversed(filtered[:-1]), reversed(seconds), reversed(noises), strict=True):
        after, predicted = smoothed[-1], predict(before, step, noise)
        # The gain P Fᵀ Q⁻¹, with Q the predicted covariance: both are symmetric.
        gain = np.linalg.solve(predicted.covariance, _move(step) @ before.covariance).transpose(0, 2, 1)
        mean = before.mean + gain @ (after.mean - predicted.mean)
        change = gain @ (after.covariance - predicted.covariance) @ gain.transpose(0, 2, 1)
        smoothed.append(PointStates(mean, before.covariance + change))
    return smoothed[::-1]


def _move(seconds: float) -> np.ndarray:
    return np.array([[1.0, seconds], [0.0, 1.0]])
