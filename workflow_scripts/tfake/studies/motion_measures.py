"""How far, how still and how late points follow a face whose true points are known.

Jitter is what the error does from frame to frame: its second difference, which neither an error that stays nor a
face that moves evenly has. The lag is the shift in time that explains most of the error: of points that come L frames
late the error is -L v, v being the truth's motion in a frame, so that L is the least-squares slope of the error over
-v. What of both goes with the place, or stays, is taken away first: points that are drawn towards the middle of a face
that turns are no lag. All are sums, so that those of several films add up.
"""

from dataclasses import astuple, dataclass

import numpy as np


@dataclass(frozen=True)
class MotionSums:
    """Sums over the frames of some films.

    Attributes:
        frames: in which the face was found.
        error: mean distance of the points over sqrt(w h) of the true points' box.
        triples: frames whose neighbours were found, too.
        jitter: mean norm of the error's second difference over the same length, in those.
        delay: of the error times -v, square pixels, there, of what does not go with the place.
        motion: of v squared, the same.
    """

    frames: int = 0
    error: float = 0.0
    triples: int = 0
    jitter: float = 0.0
    delay: float = 0.0
    motion: float = 0.0

    def __add__(self, other: "MotionSums") -> "MotionSums":
        """The sums of both."""
        return MotionSums(*(own + others for own, others in zip(astuple(self), astuple(other), strict=True)))

    @property
    def nme(self) -> float:
        """Mean error over sqrt(w h); NaN where no face was found."""
        return _mean(self.error, self.frames)

    @property
    def mean_jitter(self) -> float:
        """Mean second difference over sqrt(w h); NaN without three frames in a row."""
        return _mean(self.jitter, self.triples)

    @property
    def lag_frames(self) -> float:
        """Frames by which points come late; NaN where nothing moves, or all evenly."""
        return _mean(self.delay, self.motion)


def sum_motion(found: np.ndarray, truth: np.ndarray) -> MotionSums:
    """The sums of one face in one film.

    Args:
        found: (T, L, 2) pixels; NaN in frames in which it was not found.
        truth: (T, L, 2) pixels.

    Raises:
        ValueError: the shapes differ.
    """
    if found.shape != truth.shape:
        raise ValueError(f"expected points of the truth's shape {truth.shape}, found {found.shape}")
    errors = (found - truth).astype(np.float64)
    size = np.sqrt(np.prod(np.ptp(truth, axis=1), axis=1))
    is_found = np.isfinite(errors).all(axis=(1, 2))
    distances = np.linalg.norm(errors, axis=2).mean(axis=1) / size
    middle = np.flatnonzero(is_found[:-2] & is_found[1:-1] & is_found[2:]) + 1
    second = errors[middle + 1] - 2 * errors[middle] + errors[middle - 1]
    velocity = (truth[middle + 1] - truth[middle - 1]).astype(np.float64) / 2
    late, moved = (_without_place(series, truth[middle]) for series in (errors[middle], velocity))
    return MotionSums(
        frames=int(is_found.sum()),
        error=float(distances[is_found].sum()),
        triples=len(middle),
        jitter=float((np.linalg.norm(second, axis=2).mean(axis=1) / size[middle]).sum()),
        delay=float(-(late * moved).sum()),
        motion=float((moved**2).sum()),
    )


def _without_place(series: np.ndarray, places: np.ndarray) -> np.ndarray:
    """What is left of each coordinate's series (T, L, 2) without its mean and its slope over the coordinate."""
    if not len(series):
        return series
    centred = series - series.mean(axis=0)
    own = places.astype(np.float64) - places.mean(axis=0, dtype=np.float64)
    power = (own**2).sum(axis=0)
    slope = np.divide((centred * own).sum(axis=0), power, out=np.zeros_like(power), where=power > 0)
    return centred - slope * own


def _mean(total: float, count: float) -> float:
    return total / count if count else float("nan")
