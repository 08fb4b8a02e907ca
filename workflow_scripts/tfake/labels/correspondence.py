"""Which FaceMesh points lie where the source's 70 points lie.

The 70 points are iBUG-68 (Sagonas et al. 2013) and two pupils; the 478 are MediaPipe's mesh and irises. Left out are
the jaw points but the chin: iBUG's jaw is the 3D jaw line, hidden or not, while the mesh ends at the visible outline.
Where anatomy leaves a choice (brows, between the lip corners and the middle), it is the mesh point that lies nearest in
the median over real FaceSynthetics faces.
"""

import numpy as np

_SHARED = np.array(
    [
        (8, 152),  # chin
        *zip(range(17, 22), (46, 53, 52, 65, 55), strict=True),  # right brow, outer end first
        *zip(range(22, 27), (285, 295, 282, 283, 276), strict=True),  # left brow, inner end first
        *zip(range(27, 31), (168, 6, 195, 4), strict=True),  # ridge of the nose, downwards
        *zip(range(31, 36), (98, 97, 2, 326, 327), strict=True),  # base of the nose, right to left
        *zip(range(36, 42), (33, 160, 158, 133, 153, 144), strict=True),  # right lids, from the outer corner
        *zip(range(42, 48), (362, 385, 387, 263, 373, 380), strict=True),  # left lids, from the inner corner
        *zip(range(48, 60), (61, 40, 39, 0, 269, 270, 291, 321, 314, 17, 84, 91), strict=True),  # outer lips
        *zip(range(60, 68), (78, 81, 13, 311, 308, 402, 14, 178), strict=True),  # inner lips
        (68, 468),  # right pupil
        (69, 473),  # left pupil
    ]
)

#: (54,) indices into the 70 points, and (54,) into the 478: entry i of both is one place on the face.
SHARED_70: np.ndarray = _SHARED[:, 0]
SHARED_478: np.ndarray = _SHARED[:, 1]


def face_size(landmarks_70: np.ndarray) -> float:
    """The normaliser of landmark errors: sqrt(w h) of the box around the 70 points.

    Args:
        landmarks_70: (70, 2) pixels.

    Returns:
        Pixels.
    """
    return float(np.sqrt(np.prod(np.ptp(landmarks_70.astype(np.float64), axis=0))))


def mesh_error(mesh: np.ndarray, landmarks_70: np.ndarray) -> float:
    """Mean distance between a mesh and the exact points over the shared points, over sqrt(w h).

    Args:
        mesh: (478, 2) or (478, 3) pixels; only x and y count.
        landmarks_70: (70, 2) pixels.
    """
    apart = mesh[SHARED_478, :2].astype(np.float64) - landmarks_70[SHARED_70]
    return float(np.linalg.norm(apart, axis=1).mean() / face_size(landmarks_70))
