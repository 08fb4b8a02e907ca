"""The exact points pull the mesh into place: kriging of their distances over the face's surface.

What separates the mesh from the exact points is smooth over the face: a wrong depth, a shifted mouth, a lowered brow.
So the distances at the shared points, over sqrt(w h), are taken as samples of a random field on the mean face, with
covariance k(p, q) = 1 + .1 p.q + .5 m(|p - q|): a shift, a linear map in 3D and a Matern-3/2 field of length .5 (unit:
:mod:`tfake.labels.shape`), seen through noise. Its best linear prediction at the 478 points (Rasmussen, Williams 2006,
eq. 2.25) is one matrix for all faces. Distances on the mean face, not in the image: in profile the far cheek lies
beside the nose in the image, and a plane warp would drag the one along with the other.

The jaw: on a side that is turned away the exact points run along the hidden jaw, the mesh along the outline, and no
correction follows from their distance. So jaw points count only on a side that faces the camera, and count less, since
they may slide along the jaw.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from tfake.labels.correspondence import JAW_70, SHARED_70, face_size, jaw_places, residuals, shared_places
from tfake.labels.shape import mesh_shape

_LINEAR, _FIELD, _LENGTH = 0.1, 0.5, 0.5
_NOISE, _JAW_NOISE = 0.03, 0.15
#: Degrees of yaw beyond which one side of the jaw is turned away.
_BOTH_SIDES_YAW = 15.0
#: The chin: iBUG's jaw runs from the subject's right ear, 0, past it to the left ear, 16.
_CHIN = 8
_FOLDS = 3


def correct(mesh: np.ndarray, landmarks_70: np.ndarray, yaw: float) -> np.ndarray:
    """Move a mesh so that its shared places come to lie by the exact points; z stays.

    Args:
        mesh: (478, 3) pixels.
        landmarks_70: (70, 2) exact points, pixels.
        yaw: of the head, degrees, positive where the face looks to the image's right.

    Returns:
        (478, 3) float32.
    """
    jaw = _visible_jaw(yaw)
    size = face_size(landmarks_70)
    jaw_misses = (landmarks_70[JAW_70[list(jaw)]] - jaw_places(mesh[:, :2])[list(jaw)]) / size
    misses = np.concatenate([residuals(mesh, landmarks_70), jaw_misses])
    moved = mesh.astype(np.float64)
    moved[:, :2] += size * (_to_mesh(jaw) @ misses)
    return moved.astype(np.float32)


def left_out_error(find_residuals: Callable[[np.ndarray], np.ndarray]) -> float:
    """The error that correction leaves at points it has not seen: each third of the shared points is left out once.

    Args:
        find_residuals: gives the residuals (54, 2) of the mesh to correct, over sqrt(w h), from the numbers, within the
            54, of the points that this mesh may look at.

    Returns:
        Mean distance over the 54 points, over sqrt(w h).
    """
    errors = []
    for fold in range(_FOLDS):
        shown, hidden, weights = _to_hidden(fold)
        misses = find_residuals(shown)
        errors.append(np.linalg.norm(misses[hidden] - weights @ misses[shown], axis=1))
    return float(np.concatenate(errors).mean())


def _visible_jaw(yaw: float) -> tuple[int, ...]:
    """Which of the jaw points count: numbers within JAW_70."""
    if abs(yaw) <= _BOTH_SIDES_YAW:
        return tuple(range(len(JAW_70)))
    # A face that looks to the image's right shows its right side.
    return tuple(np.flatnonzero(JAW_70 < _CHIN if yaw > 0 else JAW_70 > _CHIN).tolist())


def _covariance(here: np.ndarray, there: np.ndarray) -> np.ndarray:
    apart = np.sqrt(3.0) * np.linalg.norm(here[:, None] - there[None], axis=2) / _LENGTH
    return 1.0 + _LINEAR * here @ there.T + _FIELD * (1.0 + apart) * np.exp(-apart)


def _predictor(goals: np.ndarray, samples: np.ndarray, noise: np.ndarray) -> np.ndarray:
    return np.linalg.solve(_covariance(samples, samples) + np.diag(noise), _covariance(samples, goals)).T


@cache
def _to_mesh(jaw: tuple[int, ...]) -> np.ndarray:
    """Weights (478, 54 + J) from the distances at shared and jaw points to the shifts of the mesh."""
    mean = mesh_shape().mean
    samples = np.concatenate([shared_places(mean), jaw_places(mean)[list(jaw)]])
    noise = np.repeat([_NOISE, _JAW_NOISE], [len(SHARED_70), len(jaw)])
    return _predictor(mean, samples, noise)


@cache
def _to_hidden(fold: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which of the 54 are shown (36,) and hidden (18,), and the weights (18, 36) from the ones to the others."""
    places = shared_places(mesh_shape().mean)
    # Shuffled: of neighbours on a lid, every third would always be left out between the same two.
    order = np.random.default_rng(0).permutation(len(places))
    hidden = np.sort(order[fold::_FOLDS])
    shown = np.setdiff1d(order, hidden)
    return shown, hidden, _predictor(places[hidden], places[shown], np.full(len(shown), _NOISE))
