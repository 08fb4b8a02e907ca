"""What the points of a landmark set mean: each set as places on one reference face.

The reference is the 70 points of FaceSynthetics (iBUG-68, Sagonas et al. 2013, and two pupils) followed by MediaPipe's
478. A place is a mixture of them, most often a single point; the table of what the two share is
:mod:`tfake.labels.correspondence`. Sources, and what is inferred:

* ``sf_tl54``: the annotation's groups and the index table of its tools (Kuzdeuov et al., SF-TL54, 2021): iBUG 0-47,
  then 48, 51, 54, 57, 62, 66.
* ``tfw5``: the order in TFW's README (Kuzdeuov et al. 2021): right eye, left eye, nose tip, right and left mouth
  corner.
* ``aflw19``: AFLW's 21 points (Koestinger et al. 2011) without the ears, in their published order.
* ``charlotte73``: iBUG 0-67 and five points on the forehead, image left to right. The authors describe the annotation
  in a picture only; the places of the five were read off the 671 frontal rows of S1 and S2, above the mesh's own edge.
* ``charlotte43``: no order is published. It was read off the 560 profile rows of S1 and S2: jaw from the ear to the
  chin (12), brow (4), nose from its root over the tip to the wing (6), eye without its inner corner (5), the mouth's
  half (12), forehead (4). There is no flag of the side, so the points of a face that looks to the image's right are
  mirrored.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from tfake.core.codes import BOTH_POINTS, LANDMARKS
from tfake.labels.correspondence import SHARED_70, shared_places
from tfake.labels.head_geometry import head_points
from tfake.labels.shape import mesh_partners, mesh_shape

IBUG_PARTNERS = (
    *range(16, -1, -1),
    *range(26, 16, -1),
    *range(27, 31),
    *range(35, 30, -1),
    *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
    *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55),
    *(64, 63, 62, 61, 60, 67, 66, 65),
)
_FACE_PARTNERS = (*IBUG_PARTNERS, 69, 68)
#: A point above the mesh's upper edge: its column of the mesh goes on by this fraction of its last step.
_BEYOND = 1.23
_Place = dict[int, float]


@dataclass(frozen=True)
class Convention:
    """A landmark set.

    Attributes:
        name: its name.
        places: (n, 548) float64, each point as a mixture of the reference's.
        partners: the point that each becomes in a mirror, (n,); None where the set shows one side of a face.
        outer_eyes: the outer corners of right and left eye, for the inter-ocular distance; None where there are not
            two.
    """

    name: str
    places: np.ndarray
    partners: np.ndarray | None
    outer_eyes: tuple[int, int] | None

    @property
    def points(self) -> int:
        """How many points it has."""
        return len(self.places)


def _mesh(index: int, weight: float = 1.0) -> _Place:
    return {70 + index: weight}


def _above(edge: dict[int, float], below: dict[int, float]) -> _Place:
    """A place above the mesh: beyond its edge, in the direction from the points below."""
    place: _Place = {}
    for points, factor in ((edge, 1 + _BEYOND), (below, -_BEYOND)):
        for index, weight in points.items():
            place[70 + index] = place.get(70 + index, 0.0) + factor * weight
    return place


_FOREHEAD = (
    _mesh(103),
    _above({67: 2 / 3, 109: 1 / 3}, {69: 2 / 3, 108: 1 / 3}),
    _above({10: 1.0}, {151: 1.0}),
    _above({297: 2 / 3, 338: 1 / 3}, {299: 2 / 3, 337: 1 / 3}),
    _mesh(332),
)
# A face that looks to the image's left: what is seen is the half with the higher iBUG numbers.
_JAW_STEPS = np.linspace(16, 8, 12)
_BROW_STEPS = np.linspace(26, 22, 4)
_PROFILE_REST = (27, 28, 29, 30, 33, 35, 43, 44, 45, 46, 47, 51, 52, 53, 54, 55, 56, 57, 62, 63, 64, 65, 66)
_PROFILE_FOREHEAD = (_FOREHEAD[4], _FOREHEAD[3], _FOREHEAD[2], {70 + 10: 0.75, 70 + 151: 0.25})


def _between(step: float) -> _Place:
    low = int(np.floor(step))
    return {low: 1.0 - (step - low), low + 1: step - low} if step > low else {low: 1.0}


def _matrix(places: list[_Place]) -> np.ndarray:
    matrix = np.zeros((len(places), BOTH_POINTS))
    for row, place in enumerate(places):
        for column, weight in place.items():
            matrix[row, column] = weight
    return matrix


def _single(indices) -> list[_Place]:
    return [{int(index): 1.0} for index in indices]


@cache
def conventions() -> dict[str, Convention]:
    """Every landmark set that can be mapped, by name."""
    lips = (48, 51, 54, 57, 62, 66)
    fifty_four = np.array((*range(48), *lips))
    aflw = _single((17, 19, 21, 22, 24, 26, 36, 68, 39, 42, 69, 45, 31, 30, 35, 48)) + [{62: 0.5, 66: 0.5}]
    aflw += _single((54, 8))
    profile = [_between(step) for step in (*_JAW_STEPS, *_BROW_STEPS)] + _single(_PROFILE_REST)
    ibug = np.array(IBUG_PARTNERS)
    listed = (
        Convention("face70", _matrix(_single(range(70))), np.array(_FACE_PARTNERS), (36, 45)),
        Convention("ibug68", _matrix(_single(range(68))), ibug, (36, 45)),
        Convention("mesh478", _matrix(_single(range(LANDMARKS, BOTH_POINTS))), mesh_partners(), (33, 263)),
        Convention(
            "both548",
            _matrix(_single(range(BOTH_POINTS))),
            np.concatenate((_FACE_PARTNERS, LANDMARKS + mesh_partners())),
            (36, 45),
        ),
        Convention(
            "sf_tl54",
            _matrix(_single(fifty_four)),
            np.array([int(np.flatnonzero(fifty_four == ibug[index])[0]) for index in fifty_four]),
            (36, 45),
        ),
        Convention(
            "charlotte73",
            _matrix(_single(range(68)) + list(_FOREHEAD)),
            np.concatenate((ibug, (72, 71, 70, 69, 68))),
            (36, 45),
        ),
        Convention("charlotte43", _matrix(profile + list(_PROFILE_FOREHEAD)), None, None),
        Convention("tfw5", _matrix(_single((68, 69, 30, 48, 54))), np.array((1, 0, 2, 4, 3)), None),
        Convention(
            "aflw19",
            _matrix(aflw),
            np.array((5, 4, 3, 2, 1, 0, 11, 10, 9, 8, 7, 6, 14, 13, 12, 17, 16, 15, 18)),
            (6, 11),
        ),
    )
    return {convention.name: convention for convention in listed}


def convention(name: str) -> Convention:
    """The landmark set of a name.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in conventions():
        raise ValueError(f"landmark sets are {', '.join(conventions())}; found {name!r}")
    return conventions()[name]


@cache
def reference_face() -> np.ndarray:
    """The mean face: the 70 points, then the 478.

    Returns:
        (548, 3) float64; x to the image's right when it looks at the camera, y down, z towards the camera; the unit is
        the mesh's root mean square radius.
    """
    mesh = mesh_shape().mean * (1.0, -1.0, 1.0)
    known = shared_places(mesh)
    # The jaw has no places on the mesh: the procedural head's 70 points are carried over by the shared ones.
    head = np.column_stack((head_points() * (1.0, -1.0, 1.0), np.ones(70)))
    seventy = head @ np.linalg.lstsq(head[SHARED_70], known, rcond=None)[0]
    seventy[SHARED_70] = known
    return np.concatenate((seventy, mesh))


def set_of_points(count: int) -> str:
    """The landmark set that a landmarker of 70, 478 or both, 548, points finds.

    Raises:
        ValueError: another number.
    """
    names = {len(convention(name).places): name for name in ("face70", "mesh478", "both548")}
    if count not in names:
        raise ValueError(f"landmarkers find {', '.join(map(str, names))} points; found {count}")
    return names[count]
