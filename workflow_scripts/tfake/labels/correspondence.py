"""Where the source's 70 points lie on FaceMesh's surface.

The 70 points are iBUG-68 (Sagonas et al. 2013) and two pupils; the 478 are MediaPipe's mesh and irises. Each place is a
mixture of the corners of one triangle of the mesh (:mod:`tfake.mesh.landmark_places`). The table was fitted to 58 real
FaceSynthetics faces by :mod:`tfake.studies.label_calibration`; fitted to one half of them it serves the other half as
well (median error .0171 of sqrt(w h), on its own half .0171; single mesh points: .0240).

54 points count as shared. The jaw is left out of them but for the chin: iBUG's jaw is the 3D jaw line, hidden or not
("x-ray"), while the mesh ends at the visible outline. Six jaw points on either side of the chin still steer the
correction, each where it faces the camera (:mod:`tfake.labels.shape`); further up, the two lines part.
"""

import numpy as np

from tfake.mesh.landmark_places import landmark_places

#: (54,) indices into the 70 points that have a place on the mesh at every pose.
SHARED_70: np.ndarray = landmark_places("shared").landmarks
#: (6,) indices into the 70 points that have one where that side of the jaw faces the camera.
JAW_70: np.ndarray = landmark_places("jaw").landmarks


def shared_places(mesh: np.ndarray) -> np.ndarray:
    """The places of the 54 shared points on a mesh: (478, D) to (54, D)."""
    return landmark_places("shared").on(mesh)


def jaw_places(mesh: np.ndarray) -> np.ndarray:
    """The places of the 6 jaw points on a mesh: (478, D) to (6, D)."""
    return landmark_places("jaw").on(mesh)


def face_size(landmarks_70: np.ndarray) -> float:
    """The normaliser of landmark errors: sqrt(w h) of the box around the (70, 2) points, in pixels."""
    return float(np.sqrt(np.prod(np.ptp(landmarks_70.astype(np.float64), axis=0))))


def residuals(mesh: np.ndarray, landmarks_70: np.ndarray) -> np.ndarray:
    """From the shared places of a mesh to the exact points, over sqrt(w h).

    Args:
        mesh: (478, 2) or (478, 3) pixels; only x and y count.
        landmarks_70: (70, 2) pixels.

    Returns:
        (54, 2) float64.
    """
    return (landmarks_70[SHARED_70] - shared_places(mesh[:, :2])) / face_size(landmarks_70)


def mesh_error(mesh: np.ndarray, landmarks_70: np.ndarray) -> float:
    """Mean distance between a mesh and the exact points over the shared points, over sqrt(w h).

    Args:
        mesh: (478, 2) or (478, 3) pixels; only x and y count.
        landmarks_70: (70, 2) pixels.
    """
    return float(np.linalg.norm(residuals(mesh, landmarks_70), axis=1).mean())
