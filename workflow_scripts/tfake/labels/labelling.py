"""All dense labels of one face."""

from dataclasses import dataclass

import numpy as np

from tfake.codes import Attempt, MeshStatus
from tfake.labels.backends import Finder
from tfake.labels.correction import correct, left_out_error
from tfake.labels.correspondence import mesh_error, residuals
from tfake.labels.detection import LabelSettings
from tfake.labels.expression import openings
from tfake.labels.guided import Found, find_mesh
from tfake.labels.pose import angles, head_rotation
from tfake.labels.shape import fit_shape
from tfake.labels.visibility import point_states
from tfake.sources.samples import Sample


@dataclass(frozen=True)
class FaceLabels:
    """One row of the arrays of the faces store that hold dense labels; None is missing.

    Attributes:
        status: how the points came about.
        attempt: which attempt agreed best.
        mesh: (478, 3) float32 pixels, corrected or fitted.
        raw: (478, 3) float32 pixels, the best mesh as the backend gave it, agreeing or not.
        error: of ``raw``, share of sqrt(w h).
        left_out_error: what correction leaves at points it has not seen, share of sqrt(w h).
        visibility: (478,) uint8.
        pose: (3,) float32 yaw, pitch, roll in degrees.
        openings: (3,) float32 of the right eye, the left eye and the mouth.
        blendshapes: (52,) float32.
        transform: (4, 4) float32.
    """

    status: MeshStatus
    attempt: Attempt
    pose: np.ndarray
    mesh: np.ndarray | None = None
    raw: np.ndarray | None = None
    error: float | None = None
    left_out_error: float | None = None
    visibility: np.ndarray | None = None
    openings: np.ndarray | None = None
    blendshapes: np.ndarray | None = None
    transform: np.ndarray | None = None

    def arrays(self) -> dict[str, np.ndarray | float | int]:
        """The row by the store's names; what is missing is left out."""
        row = {
            "landmarks_478": self.mesh,
            "landmarks_478_raw": self.raw,
            "landmarks_478_status": self.status,
            "landmarks_478_attempt": self.attempt,
            "landmarks_478_error": self.error,
            "landmarks_478_left_out_error": self.left_out_error,
            "landmarks_478_visibility": self.visibility,
            "head_pose": self.pose,
            "openings": self.openings,
            "blendshapes": self.blendshapes,
            "face_transform": self.transform,
        }
        return {name: value for name, value in row.items() if value is not None}


def label_face(sample: Sample, finder: Finder, settings: LabelSettings) -> FaceLabels:
    """Find, judge and correct a face's mesh, or fit one; then measure the face.

    Args:
        sample: the image, its class map and its exact points.
        finder: the backend.
        settings: thresholds.

    Returns:
        The labels; they depend on the arguments alone.
    """
    exact = sample.landmarks_70
    rotation = head_rotation(exact, sample.rgb.shape[1])
    pose = angles(rotation)
    found = find_mesh(finder, sample.rgb, exact, settings.retry_above)
    status = _judge(found, settings)
    agrees = status in (MeshStatus.OK, MeshStatus.RETRIED)
    mesh = None
    if agrees:
        mesh = correct(found.detection.mesh, exact, float(pose[0]))
        misses = residuals(found.detection.mesh, exact)
        left_out = left_out_error(lambda _: misses)
    elif settings.fit_missing:
        fitted = fit_shape(exact, rotation)
        # Points that are no face's are nothing to fit a face to.
        if mesh_error(fitted, exact) <= settings.reject_above:
            status = MeshStatus.FITTED
            mesh = correct(fitted, exact, float(pose[0]))
            left_out = left_out_error(lambda shown: residuals(fit_shape(exact, rotation, shown), exact))
    return FaceLabels(
        status=status,
        attempt=found.attempt if found else Attempt.NONE,
        pose=pose,
        mesh=mesh,
        raw=found.detection.mesh if found else None,
        error=found.error if found else None,
        left_out_error=None if mesh is None else left_out,
        visibility=None if mesh is None else point_states(mesh, sample.classes),
        openings=None if mesh is None else openings(mesh),
        blendshapes=found.detection.blendshapes if agrees else None,
        transform=found.detection.transform if agrees else None,
    )


def _judge(found: Found | None, settings: LabelSettings) -> MeshStatus:
    if found is None:
        return MeshStatus.NOT_FOUND
    if found.error > settings.reject_above:
        return MeshStatus.REJECTED
    return MeshStatus.OK if found.first else MeshStatus.RETRIED
