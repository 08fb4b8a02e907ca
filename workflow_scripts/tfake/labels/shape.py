"""A small linear model of the 478 points: a mean face, its commonest deformations, and its triangles.

The tables beside this module were made by :mod:`tfake.labels.shape_building` from FaceMesh's own meshes of procedural
faces; nobody's face is in them. They stand in for a mesh where FaceMesh finds none.

Frame of the model: x to the image's right on a face that looks at the camera, y up, z towards the camera; unit: the
root mean square distance of the points from their centre.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from tfake.labels.correspondence import SHARED_70, face_size, shared_places

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
