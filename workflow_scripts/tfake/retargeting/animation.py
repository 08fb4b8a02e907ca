"""A still set in motion, frame by frame: temperatures, picture, class map and points, all taken along by one map."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tfake.core.classes import FaceClass
from tfake.core.codes import MESH_POINTS, RetargetStatus
from tfake.labels.head_geometry import angles, head_rotation
from tfake.labels.visibility import point_states
from tfake.retargeting.cage import MESH, OPENINGS, cage
from tfake.retargeting.mesh_motion import MeshMotion, MovedMesh, move, place, rest_motion
from tfake.retargeting.mesh_warp import BoundPoints, map_pixels
from tfake.retargeting.mouth import CAVITY_RGB, fill_mouth, parted
from tfake.retargeting.still import CONTACT, StillError, ease, prepare_still

#: Which of the 70 points lie on an edge of an opening: upper and lower, inner corners left out.
_EDGES_70 = {
    "mouth": ((61, 62, 63), (65, 66, 67)),
    "right": ((37, 38), (40, 41)),
    "left": ((43, 44), (46, 47)),
}
#: An opening is shut where its gaps are below this, over the face's size.
_SHUT = 3.0 * CONTACT


@dataclass(frozen=True)
class Picture:
    """A still as stores have it.

    Attributes:
        celsius: (H, W) float32 °C.
        rgb: (H, W, 3) uint8.
        classes: (H, W) uint8.
        landmarks_70: (70, 2) pixels.
        landmarks_478: (478, 3) pixels; NaN where the face has none.
    """

    celsius: np.ndarray
    rgb: np.ndarray
    classes: np.ndarray
    landmarks_70: np.ndarray
    landmarks_478: np.ndarray


@dataclass(frozen=True)
class AnimatedFrame:
    """One frame.

    Attributes:
        picture: what is seen, with its points.
        visibility: (478,) uint8 codes of :class:`tfake.core.codes.PointState`.
        head_degrees: (3,) yaw, pitch, roll.
        motion: what was done; that of the frame which is repeated where this one was rejected.
        status: whether it is what was asked for.
        folded: triangles that the motion asked for would fold.
    """

    picture: Picture
    visibility: np.ndarray
    head_degrees: np.ndarray
    motion: MeshMotion
    status: RetargetStatus
    folded: int


class Animation:
    """A still and the motions that it is going to make.

    What would fold in any of them is let go in all of them, so that nothing jumps from frame to frame.
    """

    def __init__(self, picture: Picture, mouth_celsius: float, motions: Sequence[MeshMotion | None]) -> None:
        """Lay a cage over a still.

        Args:
            picture: the still.
            mouth_celsius: temperature of what comes to sight between lips.
            motions: one a frame; None where the driver shows no face.

        Raises:
            StillError: it has no mesh, or none that can be laid out flat.
        """
        if not np.isfinite(picture.landmarks_478).all():
            raise StillError("expected 478 points; the still has none")
        self.picture = picture
        self._motions = motions
        still = prepare_still(picture.landmarks_478, picture.classes.shape)
        placed = [place(still, motion)[0] for motion in motions if motion is not None]
        self.still = ease(still, np.array(placed)) if placed else still
        self._mouth_celsius = mouth_celsius
        # The head of the 70 points and that of the mesh are one: the mesh's turns are added to the former's pose.
        self._rotation = head_rotation(picture.landmarks_70, picture.classes.shape[1])
        self._bound_70 = BoundPoints(self.still, picture.landmarks_70.astype(np.float64), self._sides())
        self._loose = np.flatnonzero(~np.append(self.still.held[MESH], np.zeros(MESH_POINTS - MESH.stop, bool)))
        mesh = picture.landmarks_478.astype(np.float64)
        self._bound_478 = BoundPoints(self.still, mesh[self._loose, :2], {})

    def __iter__(self) -> Iterator[AnimatedFrame]:
        """A frame a motion.

        A motion that folds is rejected, and so is a moment of a film without a face: the frame repeats the one before,
        its labels too, so that time goes on; ``status`` tells. Before the first frame is the still.
        """
        last: AnimatedFrame | None = None
        for motion in self._motions:
            moved = None if motion is None else move(self.still, motion)
            if motion is not None and moved is not None and not moved.folded:
                last = self._show(motion, moved)
                yield last
                continue
            if last is None:
                last = self._show(rest_motion(), move(self.still, rest_motion()))
            status = RetargetStatus.NO_DRIVER if moved is None else RetargetStatus.FOLDED
            yield replace(last, status=status, folded=moved.folded if moved else 0)

    def _show(self, motion: MeshMotion, moved: MovedMesh) -> AnimatedFrame:
        given, still = self.picture, self.still
        pixels = map_pixels(still, moved.cage)
        classes = pixels.warp_classes(given.classes)
        inside = parted(still, moved.cage, pixels, classes)
        classes[inside] = FaceClass.MOUTH_INTERIOR
        mesh = self._move_mesh(moved)
        picture = Picture(
            celsius=fill_mouth(pixels.warp(given.celsius), inside, self._mouth_celsius, still.size),
            rgb=fill_mouth(pixels.warp(given.rgb), inside, CAVITY_RGB, still.size),
            classes=classes,
            landmarks_70=self._bound_70.move(moved.cage).astype(np.float32),
            landmarks_478=mesh,
        )
        head = angles(motion.turn @ self._rotation)
        return AnimatedFrame(picture, point_states(mesh, classes), head, motion, RetargetStatus.OK, 0)

    def _move_mesh(self, moved: MovedMesh) -> np.ndarray:
        """The 478 points (478, 3) float32: vertices of the cage as it was moved, all others bound to it."""
        mesh = self.picture.landmarks_478.astype(np.float64)
        depth_before = -self.still.points[:, 2]
        mesh[MESH, :2] += moved.cage[MESH] - self.still.cage[MESH]
        mesh[MESH, 2] += moved.depth - depth_before
        mesh[self._loose, :2] = self._bound_478.move(moved.cage)
        for eye, irises in (("right", slice(468, 473)), ("left", slice(473, 478))):
            around = list({*OPENINGS[eye][0], *OPENINGS[eye][1]})
            mesh[irises, 2] += (moved.depth - depth_before)[around].mean()
        return mesh.astype(np.float32)

    def _sides(self) -> dict[int, np.ndarray]:
        """For those of the 70 points that lie on lips or lids which touch: the triangles of their side."""
        sides = {}
        skin = np.flatnonzero(cage().opening < 0)
        corners = cage().triangles[skin]
        for name, points in _EDGES_70.items():
            if self.still.gaps[name].max() >= _SHUT * self.still.size:
                continue
            for edge, opposite, numbers in (
                (OPENINGS[name][0], OPENINGS[name][1], points[0]),
                (OPENINGS[name][1], OPENINGS[name][0], points[1]),
            ):
                own = np.isin(corners, edge[1:-1]).any(axis=1) & ~np.isin(corners, opposite[1:-1]).any(axis=1)
                sides |= dict.fromkeys(numbers, skin[own])
        return sides
