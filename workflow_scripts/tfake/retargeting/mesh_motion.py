"""What a face does at one moment, told on the mean head, and done to the mesh of a still."""

from dataclasses import dataclass, field

import numpy as np

from tfake.core.codes import EXPRESSION_PARAMETERS
from tfake.mesh.raster import signed_areas
from tfake.retargeting.cage import MESH, OPENINGS, RING, cage
from tfake.retargeting.still import CONTACT, TO_CAMERA, Still, carried_ring, down_of, open_contacts

#: Lids of a film's face and of a still's do not fit to the hair's breadth: they stay so much of their gap apart.
_LIDS_LEAST = 0.06


@dataclass(frozen=True)
class MeshMotion:
    """A motion relative to the still.

    Attributes:
        displacement: (468, 3) cm in the frame of the mean head; without the lids' where ``lids`` tells it.
        lids: (right, left) fraction of the present gap that closes; negative opens.
        lid_fields: (2, 468, 3) cm by which closing each eye of the mean head moves its mesh; None: ``lids`` is 0.
        turn: (3, 3) rotation of the head in the camera's axes.
        scale: by which the face grows.
        shift_cm: (2,) to the image's right and up.
        parameters: (16,) change of each movement, in the order of ``expression_parameters``; NaN where not known.
        intensity: 0..1 of the expression; NaN where not known.
    """

    displacement: np.ndarray
    lids: tuple[float, float] = (0.0, 0.0)
    lid_fields: np.ndarray | None = None
    turn: np.ndarray = field(default_factory=lambda: np.eye(3))
    scale: float = 1.0
    shift_cm: tuple[float, float] = (0.0, 0.0)
    parameters: np.ndarray = field(default_factory=lambda: np.full(len(EXPRESSION_PARAMETERS), np.nan))
    intensity: float = float("nan")


@dataclass(frozen=True)
class MovedMesh:
    """A still's cage after a motion.

    Attributes:
        cage: (n, 2) pixels.
        depth: (468,) of the mesh's points, pixels, smaller nearer the camera.
        folded: how many triangles are folded.
    """

    cage: np.ndarray
    depth: np.ndarray
    folded: int


def rest_motion() -> MeshMotion:
    """The motion that moves nothing."""
    return MeshMotion(np.zeros((MESH.stop, 3)), parameters=np.zeros(len(EXPRESSION_PARAMETERS)), intensity=0.0)


def move(still: Still, motion: MeshMotion) -> MovedMesh:
    """Do a motion to a still.

    Displacements are turned and scaled with the head of the still, lids close by a fraction of the still's own gap, and
    lips and lids that would pass through one another stay in touch.
    """
    vertices, depth = place(still, motion)
    still.complete(vertices)
    folded = int(np.count_nonzero(signed_areas(vertices, cage().triangles) <= 0.0))
    return MovedMesh(vertices, depth, folded)


def place(still: Still, motion: MeshMotion) -> tuple[np.ndarray, np.ndarray]:
    """Where a motion takes all vertices of the cage (n, 2), held or not, and the mesh's depth (468,)."""
    pose = still.pose
    moved = still.points + pose.scale * motion.displacement @ pose.rotation.T
    for eye, name in enumerate(("right", "left")):
        if motion.lids[eye]:
            moved += _lid_motion(still, motion, eye, name)
    flat = pose.carry(moved, motion.turn, motion.scale, motion.shift_cm) * TO_CAMERA
    least = {}
    for name, gaps in still.gaps.items():
        kept = 0.0 if name == "mouth" else _LIDS_LEAST * gaps.max()
        least[name] = motion.scale * np.minimum(gaps, max(CONTACT * still.size, kept))
    open_contacts(flat, down_of(motion.turn @ pose.rotation), least)
    vertices = still.given.copy()
    vertices[MESH] = flat[:, :2]
    vertices[RING] = carried_ring(pose, motion.turn, motion.scale, motion.shift_cm)
    return vertices, flat[:, 2]


def _lid_motion(still: Still, motion: MeshMotion, eye: int, name: str) -> np.ndarray:
    """What closing a fraction of an eye's gap moves, (468, 3) pixels in the camera's axes."""
    if motion.lid_fields is None:
        raise ValueError("expected lid_fields where lids move; found none")
    upper, lower = (list(edge[1:-1]) for edge in OPENINGS[name])
    closing = motion.lid_fields[eye]
    # The field closes the mean head's gap; the still's may be wider or narrower.
    gap = still.gaps[name].max() / (still.pose.scale * (closing[lower] - closing[upper])[:, 1].max())
    return motion.lids[eye] * gap * still.pose.scale * closing @ still.pose.rotation.T
