"""Make the tables of the mean face: ``python -m tfake.studies.face_shape_building`` writes three CSV files.

They follow from the procedural faces and FaceMesh alone, and need renewing only when one of these changes. FaceMesh
places its points on a few hundred procedural faces; the meshes are laid over one another (generalised Procrustes
analysis, Gower 1975), mirrored copies included, and their principal components taken.
"""

from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION
from tqdm import tqdm

from heads.person import draw_person
from heads.scene import render_face
from tfake.core.codes import Attempt
from tfake.labels.correspondence import mesh_error
from tfake.labels.detection import view_of
from tfake.labels.facemesh import FaceMesh
from tfake.labels.shape import nearest_in_mirror

_FOLDER = Path(__file__).parents[1] / "labels"
_SEED, _FACES, _MODES = 2024, 320, 10
#: Meshes that miss the exact points by more tell little of the face's shape.
_LARGEST_ERROR = 0.035
_ROUNDS = 8
#: Forehead and chin on the midline, and the outer corners of the right and the left eye.
_TOP, _BOTTOM, _RIGHT, _LEFT = 10, 152, 33, 263


def build_tables() -> None:
    """Write ``mesh_shape.csv``, ``mesh_triangles.csv`` and ``head_points.csv``."""
    meshes = _procedural_meshes()
    aligned, mean = _align(meshes)
    aligned, mean = _upright(aligned, mean, np.array([_RIGHT]), np.array([_LEFT]))
    partners = nearest_in_mirror(mean)
    # Once more with all mutual partners: two corners of eyes are few to tell the plane of symmetry from.
    pairs = np.flatnonzero((partners[partners] == np.arange(len(mean))) & (mean[:, 0] < mean[partners, 0]))
    aligned, mean = _upright(aligned, mean, pairs, partners[pairs])
    partners = nearest_in_mirror(mean)
    if not (partners[partners] == np.arange(len(mean))).all():
        raise ValueError("the mean face is not symmetric enough to tell which points are partners")
    both = np.concatenate([aligned, aligned[:, partners] * (-1.0, 1.0, 1.0)])
    mean = both.mean(axis=0)
    _, sizes, modes = np.linalg.svd((both - mean).reshape(len(both), -1), full_matrices=False)
    kept = (sizes / np.sqrt(len(both)))[:_MODES, None, None] * modes[:_MODES].reshape(_MODES, -1, 3)
    names = ["x", "y", "z", *(f"{axis}{mode + 1}" for mode in range(_MODES) for axis in "xyz")]
    _write(
        "mesh_shape.csv", names, np.concatenate([mean[None], kept]).transpose(1, 0, 2).reshape(len(mean), -1), "%.4f"
    )
    _write("mesh_triangles.csv", ["a", "b", "c"], _triangles(mean), "%d")
    _write("head_points.csv", ["x", "y", "z"], _head_points(), "%.3f")


def _procedural_meshes() -> np.ndarray:
    meshes = []
    with FaceMesh(0.5, 0.5) as finder:
        for number in tqdm(range(_FACES), "mesh procedural faces"):
            face = render_face(_SEED, number, setting="lab" if number % 4 == 3 else "wild")
            # Not mirrored: which points are partners follows from the table that is being made.
            views = [view_of(attempt, face.landmarks_70) for attempt in (Attempt.GUIDED, Attempt.WIDE)]
            found = [detection.mesh for view in views for detection in finder.find(face.rgb, view)]
            best = min(found, key=lambda mesh: mesh_error(mesh, face.landmarks_70), default=None)
            if best is not None and mesh_error(best, face.landmarks_70) < _LARGEST_ERROR:
                meshes.append(best * (1.0, -1.0, -1.0))
    return np.array(meshes)


def _align(meshes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean = meshes[0] - meshes[0].mean(axis=0)
    for _ in range(_ROUNDS):
        mean = mean / np.sqrt((mean**2).sum(axis=1).mean())
        aligned = np.array([_laid_over(mesh, mean) for mesh in meshes])
        mean = aligned.mean(axis=0)
    return aligned, mean


def _laid_over(mesh: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The similarity transform of a mesh that is nearest to the mean (Umeyama 1991)."""
    centred = mesh - mesh.mean(axis=0)
    left, sizes, right = np.linalg.svd(centred.T @ mean)
    turn = np.diag([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    return (sizes * np.diag(turn)).sum() / (centred**2).sum() * centred @ left @ turn @ right


def _upright(
    aligned: np.ndarray, mean: np.ndarray, right: np.ndarray, left: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Turn the frame so that x goes from right to left points, x = 0 between them, and y from chin to forehead."""
    across = (mean[left] - mean[right]).mean(axis=0)
    across /= np.linalg.norm(across)
    up = mean[_TOP] - mean[_BOTTOM]
    up -= across * (up @ across)
    up /= np.linalg.norm(up)
    frame = np.stack([across, up, np.cross(across, up)], axis=1)
    middle = across * ((mean[left] + mean[right]).mean(axis=0) @ across / 2)
    return (aligned - middle) @ frame, (mean - middle) @ frame


def _triangles(mean: np.ndarray) -> np.ndarray:
    """The triangles of MediaPipe's tessellation, which lists edges: its cycles of three, turned outwards."""
    neighbours: dict[int, set[int]] = {}
    for a, b in FACEMESH_TESSELATION:
        neighbours.setdefault(a, set()).add(b)
        neighbours.setdefault(b, set()).add(a)
    cycles = {
        tuple(sorted((a, b, c))) for a, around in neighbours.items() for b in around for c in around & neighbours[b]
    }
    shared = Counter(edge for cycle in cycles for edge in combinations(cycle, 2))
    # Two cycles go around a point of degree three: each of their edges already has its two triangles.
    corners = np.array(sorted(c for c in cycles if any(shared[edge] < 3 for edge in combinations(c, 2))))
    a, b, c = np.moveaxis(mean[corners], 1, 0)
    outwards = (a + b + c) / 3 - (0.0, 0.0, mean[:, 2].min() - 1.0)
    inverted = (np.cross(b - a, c - a) * outwards).sum(axis=1) < 0
    corners[inverted] = corners[inverted][:, [0, 2, 1]]
    return corners


def _head_points() -> np.ndarray:
    """The mean of the 70 points in the head's frame, cm."""

    def points(number: int) -> np.ndarray:
        return draw_person(lambda name: np.random.default_rng([_SEED, number, *name.encode()]), lab=True).landmarks

    return np.mean([points(number) for number in range(60)], axis=0)


def _write(name: str, columns: list[str], rows: np.ndarray, form: str) -> None:
    np.savetxt(_FOLDER / name, rows, delimiter=",", header=",".join(columns), fmt=form, comments="")


if __name__ == "__main__":
    build_tables()
