"""Fit the table of places to real faces: ``python -m tfake.studies.label_calibration ARCHIVE.zip 60``.

Each of the 70 points becomes the mixture of one triangle's corners that lies nearest to it over the archive's faces.
Every face counts twice, as it is and mirrored, and the left side's places are the mirrored right side's. Meshes that
are far off are left out, and what one mesh misses by is capped, so that bad meshes do not move the places. Jaw points
are fitted to faces that look ahead, and once more to the whole head (:mod:`tfake.studies.jaw_calibration`). Needed
again only for another mesh or other points.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from tfake.archive.index import build_index
from tfake.archive.samples import read_sample
from tfake.archive.zip_archive import open_archive
from tfake.core.codes import SampleStatus
from tfake.labels.conventions import convention
from tfake.labels.correspondence import JAW_70, SHARED_70, face_size
from tfake.labels.facemesh import FaceMesh
from tfake.labels.head_geometry import angles, head_rotation
from tfake.labels.labelling import find_mesh
from tfake.labels.shape import mesh_partners, mesh_shape
from tfake.studies.jaw_calibration import fit_jaw, table_row

_TABLE = Path(__file__).parents[1] / "mesh/landmark_places.csv"
_LARGEST_ERROR, _CAP, _FRONTAL_YAW = 0.06, 0.05, 20.0
_NEAREST = 6
_PIXELS = 512
_PUPILS = {68: 468, 69: 473}


def fit_places(meshes: np.ndarray, landmarks_70: np.ndarray, frontal: np.ndarray) -> pd.DataFrame:
    """Fit the table.

    Args:
        meshes: (F, 478, 2) pixels.
        landmarks_70: (F, 70, 2) pixels.
        frontal: (F,) bool, which faces look ahead.

    Returns:
        ``landmark``, ``use`` and three times ``point_x`` and ``weight_x``; weights are at least 0 and add up to 1.
    """
    sizes = np.array([face_size(points) for points in landmarks_70])[:, None, None]
    meshes, landmarks_70 = meshes / sizes, landmarks_70 / sizes
    flip, mirror = np.array([-1.0, 1.0]), convention("face70").partners
    meshes = np.concatenate([meshes, meshes[:, mesh_partners()] * flip])
    landmarks_70 = np.concatenate([landmarks_70, landmarks_70[:, mirror] * flip])
    frontal = np.concatenate([frontal, frontal])
    rows = []
    for landmark in np.sort(np.concatenate([SHARED_70, JAW_70])).tolist():
        partner = int(mirror[landmark])
        chosen = frontal if landmark in JAW_70 else slice(None)
        fitted = min(landmark, partner)
        if landmark in _PUPILS:
            corners, weights = np.array([_PUPILS[landmark]] * 3), np.array([1.0, 0.0, 0.0])
        else:
            corners, weights = _best_mixture(meshes[chosen], landmarks_70[chosen, fitted])
            if fitted != landmark:
                corners = mesh_partners()[corners]
        rows.append(table_row(landmark, "jaw" if landmark in JAW_70 else "shared", corners, weights))
    return pd.DataFrame(rows)


def _best_mixture(meshes: np.ndarray, goals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    apart = np.median(np.linalg.norm(meshes - goals[:, None], axis=2), axis=0)
    near = np.argsort(apart)[:_NEAREST]
    triangles = mesh_shape().triangles
    triangles = triangles[np.isin(triangles, near).any(axis=1)]
    fits = [_mixture(meshes[:, corners], goals) for corners in triangles]
    best = int(np.argmin([error for error, _ in fits]))
    return triangles[best], fits[best][1]


def _mixture(corners: np.ndarray, goals: np.ndarray) -> tuple[float, np.ndarray]:
    """The capped error and the weights of the best mixture without negative weights, over all faces of a simplex."""
    best = (np.inf, np.zeros(3))
    for kept in ([0, 1, 2], [0, 1], [0, 2], [1, 2], [0], [1], [2]):
        last = corners[:, kept[-1]]
        edges = (corners[:, kept[:-1]] - last[:, None]).transpose(0, 2, 1).reshape(last.size, len(kept) - 1)
        free = np.linalg.lstsq(edges, (goals - last).ravel(), rcond=None)[0]
        weights = np.zeros(3)
        weights[kept] = [*free, 1.0 - free.sum()]
        misses = np.linalg.norm(np.einsum("fcd,c->fd", corners, weights) - goals, axis=1)
        error = float(np.minimum(misses, _CAP).mean())
        if (weights >= 0.0).all() and error < best[0]:
            best = (error, weights)
    return best


def measure_faces(archive: str, images: int, pixels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What :func:`fit_places` takes, from the good faces of an archive."""
    opened = open_archive([archive])
    meshes, landmarks, frontal = [], [], []
    with FaceMesh(0.5, 0.5) as finder:
        index = build_index([archive], images, pixels)
        for record in index[index["status"] == SampleStatus.OK].itertuples():
            sample = read_sample(opened, record, pixels)
            found = find_mesh(finder, sample.rgb, sample.landmarks_70, retry_above=0.0)
            if found is None or found.error > _LARGEST_ERROR:
                continue
            meshes.append(found.detection.mesh[:, :2])
            landmarks.append(sample.landmarks_70)
            frontal.append(abs(angles(head_rotation(sample.landmarks_70, pixels))[0]) < _FRONTAL_YAW)
    return np.array(meshes), np.array(landmarks), np.array(frontal)


if __name__ == "__main__":
    _meshes, _landmarks, _frontal = measure_faces(sys.argv[1], int(sys.argv[2]), _PIXELS)
    _tables = [fit_places(_meshes, _landmarks, _frontal), fit_jaw(_landmarks, _PIXELS)]
    pd.concat(_tables).to_csv(_TABLE, index=False)
