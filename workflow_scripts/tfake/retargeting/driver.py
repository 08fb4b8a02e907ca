"""The motion of a film's face: FaceMesh in every frame, told relative to the first one on the mean head.

Head pose and place are those of the points that no expression moves by much; what all others do beside it is the
displacement. FaceMesh tells depth only roughly, so that turns come out somewhat too small.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from tfake.core.codes import MESH_POINTS
from tfake.labels.detection import Backend
from tfake.retargeting.cage import MESH, mean_face
from tfake.retargeting.mesh_motion import MeshMotion
from tfake.retargeting.motion_curves import largest_movement
from tfake.retargeting.still import TO_CAMERA, Similarity, fit_similarity
from tfake.thermal_io.films import DEFAULT_RATE, open_film
from tfake.thermal_io.pictures import turn_upright

#: Points of the mesh that no movement at full strength takes farther than this (cm) tell the head's pose.
_STABLE_CM = 0.12


@dataclass(frozen=True)
class FilmedMeshes:
    """What FaceMesh finds in a film.

    Attributes:
        meshes: (T, 478, 3) float32 pixels; NaN in frames without a face.
        seconds: (T,) float64 times of the frames.
    """

    meshes: np.ndarray
    seconds: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """Which frames (T,) show a face."""
        return np.isfinite(self.meshes).all(axis=(1, 2))

    def save(self, path: str | Path) -> None:
        """Write ``meshes`` and ``seconds`` as ``.npz``."""
        with open(path, "wb") as file:
            np.savez_compressed(file, meshes=self.meshes, seconds=self.seconds)

    @classmethod
    def load(cls, path: str | Path) -> "FilmedMeshes":
        """Read what :meth:`save` wrote."""
        with np.load(path) as arrays:
            return cls(arrays["meshes"], arrays["seconds"])


def read_film(path: str | Path) -> Iterator[tuple[float, np.ndarray]]:
    """The frames of a film, upright as it says: time in seconds, and (H, W, 3) uint8 RGB.

    Raises:
        ThermalFileError: it is no film, or ends early; or a frame is not of 8 bits.
    """
    with open(path, "rb") as file, open_film(file) as recording:
        for number, frame in enumerate(recording.frames):
            pixels = frame.pixels
            if pixels.dtype != np.uint8:
                raise ValueError(f"{path}: expected frames of 8 bits; frame {number} is {pixels.dtype}")
            code = cv2.COLOR_BGR2RGB if pixels.ndim == 3 else cv2.COLOR_GRAY2RGB
            seconds = number / DEFAULT_RATE if frame.time_seconds is None else frame.time_seconds
            yield seconds, cv2.cvtColor(turn_upright(pixels, recording.orientation), code)


def find_meshes(frames: Iterable[tuple[float, np.ndarray]], backend: Backend) -> FilmedMeshes:
    """Find the largest face's mesh in every frame.

    Args:
        frames: times and pictures (:func:`read_film`).
        backend: what finds meshes.

    Raises:
        ValueError: there is no frame, or no face in any.
    """
    meshes, seconds = [], []
    for time, rgb in frames:
        faces = [face.mesh for face in backend.find(rgb, None)]
        largest = max(faces, key=lambda mesh: float(np.prod(np.ptp(mesh[:, :2], axis=0))), default=None)
        meshes.append(np.full((MESH_POINTS, 3), np.nan, np.float32) if largest is None else largest)
        seconds.append(time)
    film = FilmedMeshes(np.array(meshes, np.float32).reshape(-1, MESH_POINTS, 3), np.array(seconds, float))
    if not film.found.any():
        raise ValueError(f"expected a film of a face; found none in its {len(seconds)} frames")
    return film


def film_motion(
    film: FilmedMeshes, seconds: Sequence[float] | np.ndarray, strength: float, most_degrees: float
) -> list[MeshMotion | None]:
    """The motion of a film's face relative to the first frame that shows it.

    Args:
        film: its meshes.
        seconds: (T,) times to sample at; beyond its end the film runs backwards, and forwards again.
        strength: factor on the displacements.
        most_degrees: the head turns by no more than this about each axis.

    Returns:
        A motion a time; None where the film's frame shows no face.
    """
    stable = _stable_points()
    found = film.found
    neutral = film.meshes[found.argmax(), MESH].astype(np.float64) * TO_CAMERA
    # Of the film's own face, not of the mean one: proportions are nobody's motion.
    pose = fit_similarity(mean_face(), neutral)
    shape = pose.bring_back(neutral)
    motions: list[MeshMotion | None] = []
    for number in nearest_frames(film.seconds, np.asarray(seconds, float)):
        if not found[number]:
            motions.append(None)
            continue
        mesh = film.meshes[number, MESH].astype(np.float64) * TO_CAMERA
        motions.append(
            _relative(fit_similarity(shape[stable], mesh[stable]), pose, mesh, shape, strength, most_degrees)
        )
    return motions


def _relative(
    now: Similarity, before: Similarity, mesh: np.ndarray, shape: np.ndarray, strength: float, most_degrees: float
) -> MeshMotion:
    turn = cv2.Rodrigues(now.rotation @ before.rotation.T)[0].ravel()
    angle = float(np.degrees(np.linalg.norm(turn)))
    # About the same axis, but no farther.
    turn *= min(1.0, most_degrees / max(angle, 1e-9))
    shift = (now.origin - before.origin)[:2] / before.scale
    return MeshMotion(
        displacement=strength * (now.bring_back(mesh) - shape),
        turn=cv2.Rodrigues(turn)[0],
        scale=now.scale / before.scale,
        shift_cm=(float(shift[0]), float(shift[1])),
    )


def nearest_frames(times: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """The frame nearest to each time (T,) int, of a film that is shown forwards and backwards."""
    length = times[-1] - times[0]
    if length <= 0.0:
        return np.zeros(len(seconds), int)
    phase = seconds % (2.0 * length)
    asked = times[0] + np.minimum(phase, 2.0 * length - phase)
    return np.abs(times[None] - asked[:, None]).argmin(axis=1)


@cache
def _stable_points() -> np.ndarray:
    """Points of the mesh that tell the pose: (k,) int."""
    return np.flatnonzero(largest_movement() < _STABLE_CM)
