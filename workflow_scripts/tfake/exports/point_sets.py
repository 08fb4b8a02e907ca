"""The two point sets as other programs want them described: a name, a name a point, and which points a line joins."""

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True)
class PointSet:
    """A point set.

    Attributes:
        name: its name.
        points: a name each; left and right are the subject's.
        lines: chains of point numbers, counted from 0, that are drawn as lines.
    """

    name: str
    points: tuple[str, ...]
    lines: tuple[tuple[int, ...], ...]

    @property
    def skeleton(self) -> list[list[int]]:
        """Pairs of neighbours on the lines, counted from 1, as COCO does."""
        return [[first + 1, second + 1] for line in self.lines for first, second in pairwise(line)]


#: Part, its first point, the point behind its last, whether its line is closed (Sagonas et al. 2013).
_IBUG_PARTS = (
    ("jaw", 0, 17, False),
    ("right_brow", 17, 22, False),
    ("left_brow", 22, 27, False),
    ("nose_bridge", 27, 31, False),
    ("nose_base", 31, 36, False),
    ("right_eye", 36, 42, True),
    ("left_eye", 42, 48, True),
    ("outer_lip", 48, 60, True),
    ("inner_lip", 60, 68, True),
)
FACES_70 = PointSet(
    name="ibug68_and_pupils",
    points=(
        *(f"{part}_{point}" for part, start, stop, _ in _IBUG_PARTS for point in range(start, stop)),
        "right_pupil_68",
        "left_pupil_69",
    ),
    lines=tuple(
        (*range(start, stop), start) if closed else tuple(range(start, stop)) for _, start, stop, closed in _IBUG_PARTS
    ),
)

#: MediaPipe's own contours (``mediapipe.solutions.face_mesh.FACEMESH_CONTOURS`` and ``FACEMESH_IRISES``) as chains.
_MESH_LINES = (
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
    (263, 249, 390, 373, 374, 380, 381, 382, 362),
    (263, 466, 388, 387, 386, 385, 384, 398, 362),
    (276, 283, 282, 295, 285),
    (300, 293, 334, 296, 336),
    (33, 7, 163, 144, 145, 153, 154, 155, 133),
    (33, 246, 161, 160, 159, 158, 157, 173, 133),
    (46, 53, 52, 65, 55),
    (70, 63, 105, 66, 107),
    (
        *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
        *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10),
    ),
    (469, 470, 471, 472, 469),
    (474, 475, 476, 477, 474),
)
MESH_478 = PointSet(
    name="mediapipe_face_mesh_478", points=tuple(f"mesh_{point}" for point in range(478)), lines=_MESH_LINES
)
