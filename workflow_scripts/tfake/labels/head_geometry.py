"""What is measured on a head: its pose from the 70 exact points, and how far eyes and mouth are open from the 478.

The pose is a perspective-n-point solution against the mean head's own 70 points. The mean head is the procedural one
(``head_points.csv``, cm): all of the 70 points are projections of 3D points, hidden or not, so all of them count, the
jaw in profile too.
"""

from functools import cache
from pathlib import Path

import cv2
import numpy as np

_TABLE = Path(__file__).with_name("head_points.csv")
#: Focal length over the image's width. The archives do not tell it; a head portrait is taken from about a metre.
_FOCAL = 2.2
#: From the head's axes (y up, z towards the camera) to OpenCV's (y down, z away).
FLIP = np.diag([1.0, -1.0, -1.0])


@cache
def head_points() -> np.ndarray:
    """The 70 points on the mean head: (70, 3) cm, x to the image's right, y up, z towards the camera."""
    return np.loadtxt(_TABLE, delimiter=",", skiprows=1)


def camera_matrix(pixels: int) -> np.ndarray:
    """OpenCV's camera matrix (3, 3) of a head portrait of pixels x pixels."""
    middle = (pixels - 1) / 2
    return np.array([[_FOCAL * pixels, 0.0, middle], [0.0, _FOCAL * pixels, middle], [0.0, 0.0, 1.0]])


def head_rotation(landmarks_70: np.ndarray, pixels: int) -> np.ndarray:
    """The rotation of the head.

    Args:
        landmarks_70: (70, 2) exact points, pixels.
        pixels: width of the image.

    Returns:
        (3, 3) float64 from the head's frame (x to the image's right when it looks at the camera, y up, z out of the
        face) to the camera's (x right, y up, z towards the camera).
    """
    camera = camera_matrix(pixels)
    points = head_points() @ FLIP
    goal = landmarks_70.astype(np.float64)
    # SQPnP needs no start and finds the global minimum; the last steps minimise the distance in the image.
    _, turn, shift = cv2.solvePnP(points, goal, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    turn, _ = cv2.solvePnPRefineLM(points, goal, camera, None, turn, shift)
    return FLIP @ cv2.Rodrigues(turn)[0] @ FLIP


def angles(rotation: np.ndarray) -> np.ndarray:
    """Yaw, pitch and roll of a head's rotation.

    Args:
        rotation: (3, 3) as :func:`head_rotation` gives it.

    Returns:
        (3,) float32 degrees: yaw turns the face to the image's right, pitch up, roll clockwise in the image.
    """
    yaw = -np.arcsin(np.clip(rotation[2, 0], -1.0, 1.0))
    pitch = -np.arctan2(rotation[2, 1], rotation[2, 2])
    roll = -np.arctan2(rotation[1, 0], rotation[0, 0])
    return np.degrees([yaw, pitch, roll]).astype(np.float32)


#: Upper and lower lid, twice, and the corners; the subject's right eye, then the left (Soukupova, Cech 2016, eq. 1).
_EYES = (((160, 144), (158, 153), (33, 133)), ((385, 380), (387, 373), (362, 263)))
#: Inner lips, twice beside the middle and in it, and the inner corners.
_LIPS, _LIP_CORNERS = ((81, 178), (13, 14), (311, 402)), (78, 308)


def openings(mesh: np.ndarray) -> np.ndarray:
    """Eye aspects and mouth opening; measured in 3D, so that a turned head does not narrow them.

    Args:
        mesh: (478, 3) pixels, z on the scale of x.

    Returns:
        (3,) float32: height over width of the right eye, of the left eye (0.3 open, below 0.15 closed), and of the gap
        between the lips (0 closed).
    """
    points = mesh.astype(np.float64)

    def gap(pair: tuple[int, int]) -> float:
        return float(np.linalg.norm(points[pair[0]] - points[pair[1]]))

    eyes = [(gap(outer) + gap(inner)) / (2 * gap(corners)) for outer, inner, corners in _EYES]
    mouth = np.mean([gap(pair) for pair in _LIPS]) / gap(_LIP_CORNERS)
    return np.array([*eyes, mouth], dtype=np.float32)
