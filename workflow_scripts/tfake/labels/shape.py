"""A linear model of the 478 points, to be fitted where no mesh is found; and how exact points correct a mesh.

The model is a mean face, its principal deformations, and its triangles. The tables beside this module were made by
:mod:`tfake.studies.face_shape_building` from FaceMesh's own meshes of procedural faces; nobody's face is in them. Its
frame: x to the image's right on a face that looks at the camera, y up, z towards the camera; unit: the root mean
square distance of the points from their centre.

A mesh is corrected by kriging of its distances to the exact points over the face's surface. They are smooth over it: a
wrong depth, a shifted mouth, a lowered brow. So the distances at the shared points, over sqrt(w h), are taken as
samples of a random field on the mean face, with covariance k(p, q) = 1 + .1 p.q + .5 m(|p - q|): a shift, a linear map
in 3D and a Matern-3/2 field of length .5 in the model's unit, seen through noise. Its best linear prediction at the
478 points (Rasmussen, Williams 2006, eq. 2.25) is one matrix for all faces. Distances on the mean face, not in the
image: in profile the far cheek lies beside the nose in the image, and a plane warp would drag the one along with the
other.

The jaw: on a side that is turned away the exact points run along the hidden jaw, the mesh along the outline, and no
correction follows from their distance. So jaw points count only on a side that faces the camera, and count less, since
they may slide along the jaw.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from tfake.labels.correspondence import JAW_70, SHARED_70, face_size, jaw_places, residuals, shared_places

_FOLDER = Path(__file__).parent
#: From the model's axes to the image's: y down, z away from the camera.
_TO_IMAGE = np.array([1.0, -1.0, -1.0])
#: What small turns about x, y and z add to a point: the cross products with the axes, as matrices.
_SPINS = np.array(
    [[[0, 0, 0], [0, 0, -1], [0, 1, 0]], [[0, 0, 1], [0, 0, 0], [-1, 0, 0]], [[0, -1, 0], [1, 0, 0], [0, 0, 0]]]
)
#: How far a face may miss the exact points, sqrt(w h), for one standard deviation of a deformation less.
_MISFIT = 0.01
#: Gauss-Newton ends after so many steps, or with one that moves nothing by more than this (radians, sizes, deviations).
_STEPS, _SETTLED = 12, 1e-4


@dataclass(frozen=True)
class MeshShape:
    """The linear model.

    Attributes:
        mean: (478, 3) float64.
        modes: (K, 478, 3) float64, each scaled to one standard deviation.
        triangles: (852, 3) intp, corners in the order that turns their normals outwards.
    """

    mean: np.ndarray
    modes: np.ndarray
    triangles: np.ndarray


@cache
def mesh_shape() -> MeshShape:
    """Read the model."""
    columns = np.loadtxt(_FOLDER / "mesh_shape.csv", delimiter=",", skiprows=1)
    triangles = np.loadtxt(_FOLDER / "mesh_triangles.csv", delimiter=",", skiprows=1, dtype=np.intp)
    parts = columns.reshape(len(columns), -1, 3).transpose(1, 0, 2)
    return MeshShape(parts[0], parts[1:], triangles)


@cache
def mesh_partners() -> np.ndarray:
    """The point that each of the 478 becomes in a mirror: (478,) intp, its own inverse."""
    return nearest_in_mirror(mesh_shape().mean)


def nearest_in_mirror(mean: np.ndarray) -> np.ndarray:
    """The point nearest to each point's mirror image in x: (N, 3) to (N,) intp."""
    mirrored = mean * (-1.0, 1.0, 1.0)
    return np.linalg.norm(mirrored[:, None] - mean[None], axis=2).argmin(axis=1)


@cache
def _shared_parts() -> np.ndarray:
    """The 54 shared places on the mean face and on each of its deformations: (1 + K, 54, 3)."""
    shape = mesh_shape()
    return np.array([shared_places(part) for part in (shape.mean, *shape.modes)])


def fit_shape(landmarks_70: np.ndarray, rotation: np.ndarray, shown: np.ndarray | None = None) -> np.ndarray:
    """Fit the model to exact points: pose, scale and deformations by Gauss-Newton, seen from far away.

    Args:
        landmarks_70: (70, 2) pixels.
        rotation: (3, 3) of the head, from the model's frame to the camera's (x right, y up, z towards the camera).
        shown: which of the 54 shared points may be looked at, any numpy index; all of them by default.

    Returns:
        (478, 3) float32 pixels and relative depth, as FaceMesh's.
    """
    shape = mesh_shape()
    seen = slice(None) if shown is None else shown
    size = face_size(landmarks_70)
    goal = landmarks_70[SHARED_70][seen].astype(np.float64)
    middle = goal.mean(axis=0)
    goal = (goal - middle) / size
    places = _shared_parts()[:, seen]
    amounts = np.zeros(len(shape.modes))
    turned = (places[0] @ rotation.T * _TO_IMAGE)[:, :2]
    scale = np.linalg.norm(goal) / np.linalg.norm(turned - turned.mean(axis=0))
    shift = -scale * turned.mean(axis=0)
    prior = np.hstack([np.zeros((len(amounts), 6)), _MISFIT * np.eye(len(amounts))])
    for _ in range(_STEPS):
        local = (places[0] + np.tensordot(amounts, places[1:], 1)) @ rotation.T
        flat = (local * _TO_IMAGE)[:, :2]
        spins = [local @ spin.T * _TO_IMAGE * scale for spin in _SPINS]
        bends = scale * (places[1:] @ rotation.T * _TO_IMAGE)[..., :2]
        columns = [
            *(spin[:, :2] for spin in spins),
            flat,
            *np.broadcast_to(np.eye(2)[:, None], (2, *flat.shape)),
            *bends,
        ]
        slope = np.stack([column.ravel() for column in columns], axis=1)
        misses = (goal - scale * flat - shift).ravel()
        step = np.linalg.lstsq(np.vstack([slope, prior]), np.concatenate([misses, -_MISFIT * amounts]), rcond=None)[0]
        rotation = cv2.Rodrigues(step[:3])[0] @ rotation
        scale, shift, amounts = max(scale + step[3], 0.1 * scale), shift + step[4:6], amounts + step[6:]
        if np.abs(step).max() < _SETTLED:
            break
    posed = (shape.mean + np.tensordot(amounts, shape.modes, 1)) @ rotation.T * _TO_IMAGE * scale
    posed[:, :2] += shift
    return (posed * size + (*middle, 0.0)).astype(np.float32)


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
