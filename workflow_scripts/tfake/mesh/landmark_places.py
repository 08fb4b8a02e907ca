"""Where the source's 70 points lie: each a mixture of the corners of one triangle of a mesh.

The 70 points are iBUG-68 (Sagonas et al. 2013) and two pupils. No vertex of FaceMesh lies exactly where iBUG's
definitions are, so the table was fitted to real FaceSynthetics faces by :mod:`tfake.studies.label_calibration`, in
three parts:

- ``shared`` (54): places on FaceMesh's 478 points, valid at every pose. The pupils are its irises' centres.
- ``jaw`` (6): places beside the chin on a mesh that FaceMesh found, which ends at the visible outline; valid where that
  side of the jaw faces the camera.
- ``head`` (16): the jaw on the fine surface of the whole head (:func:`tfake.mesh.head.head_mesh`). iBUG's jaw is the
  3D jaw bone's line, hidden or not ("x-ray"), up to 2 cm behind FaceMesh's outline.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

_TABLE = Path(__file__).with_name("landmark_places.csv")
_CORNERS = "abc"


@dataclass(frozen=True)
class LandmarkPlaces:
    """Some of the 70 points as places on a mesh.

    Attributes:
        landmarks: (P,) intp, which of the 70.
        corners: (P, 3) intp, vertices of the mesh.
        weights: (P, 3) float64, at least 0; each row adds up to 1.
    """

    landmarks: np.ndarray
    corners: np.ndarray
    weights: np.ndarray

    def on(self, vertices: np.ndarray) -> np.ndarray:
        """The places on a mesh in some shape: vertices (V, D) to (P, D) float64."""
        return np.einsum("pc,pcd->pd", self.weights, vertices[self.corners].astype(np.float64))


@cache
def landmark_places(use: str) -> LandmarkPlaces:
    """The places of one part of the table: ``shared``, ``jaw`` or ``head``."""
    lines = (line for line in _TABLE.read_text(encoding="utf-8").splitlines() if not line.startswith("#"))
    rows = [row for row in csv.DictReader(lines) if row["use"] == use]
    return LandmarkPlaces(
        np.array([int(row["landmark"]) for row in rows], np.intp),
        np.array([[int(row[f"point_{corner}"]) for corner in _CORNERS] for row in rows], np.intp),
        np.array([[float(row[f"weight_{corner}"]) for corner in _CORNERS] for row in rows]),
    )
