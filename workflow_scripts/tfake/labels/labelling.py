"""Dense labels: the mesh that agrees best with the exact points, corrected by them, and what is measured on it.

Attempt after attempt is made with a landmark backend until one agrees. Rows are labelled by several processes, each
with a backend of its own.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Protocol

import cv2
import numpy as np
import pandas as pd

from tfake.archive.image_reader import ImageReader
from tfake.archive.samples import Sample, read_landmarks
from tfake.archive.zip_archive import Archive
from tfake.core.codes import Attempt, MeshStatus
from tfake.core.processes import map_ahead, single_threaded
from tfake.labels.correspondence import mesh_error, residuals
from tfake.labels.detection import Detection, LabelSettings, View, view_of
from tfake.labels.head_geometry import angles, head_rotation, openings
from tfake.labels.shape import correct, fit_shape, left_out_error
from tfake.labels.visibility import point_states


class Finder(Protocol):
    """A backend that is ready to be shown images. Its results depend on the image alone, never on those before."""

    #: The attempts worth making, in order.
    attempts: tuple[Attempt, ...]

    def find(self, rgb: np.ndarray, view: View | None) -> list[Detection]:
        """Find meshes in (H, W, 3) uint8: in the whole image, or in the square of it that a view shows."""


def open_finder(settings: LabelSettings) -> AbstractContextManager[Finder]:
    """Load the backend that the settings name. Make one a process: none of them is thread-safe.

    Raises:
        FileNotFoundError: the model file does not exist.
    """
    # Imported here: the two need different versions of mediapipe, so that only one of them can be imported at all.
    if settings.backend == "facemesh":
        from tfake.labels.facemesh import FaceMesh

        return FaceMesh(settings.min_detection_confidence, settings.min_presence_confidence)
    from tfake.labels.face_landmarker import FaceLandmarker

    return FaceLandmarker(settings.model, settings.min_detection_confidence, settings.min_presence_confidence)


@dataclass(frozen=True)
class Found:
    """The mesh that agrees best.

    Attributes:
        detection: the face.
        attempt: how it was found.
        error: mean distance to the exact points, over sqrt(w h).
        first: whether the first attempt found it.
    """

    detection: Detection
    attempt: Attempt
    error: float
    first: bool


def find_mesh(finder: Finder, rgb: np.ndarray, landmarks_70: np.ndarray, retry_above: float) -> Found | None:
    """Make attempts until one agrees with the exact points, which also choose among several faces.

    Args:
        finder: the backend.
        rgb: (H, W, 3) uint8.
        landmarks_70: (70, 2) exact points, pixels.
        retry_above: error above which the next attempt is made, over sqrt(w h).

    Returns:
        The best of what was found, None when no attempt found anything.
    """
    best: Found | None = None
    for number, attempt in enumerate(finder.attempts):
        for detection in finder.find(rgb, view_of(attempt, landmarks_70)):
            error = mesh_error(detection.mesh, landmarks_70)
            if best is None or error < best.error:
                best = Found(detection, attempt, error, first=number == 0)
        if best is not None and best.error <= retry_above:
            break
    return best


@dataclass(frozen=True)
class FaceLabels:
    """One row of the arrays of the faces store that hold dense labels; None is missing.

    Attributes:
        status: how the points came about.
        attempt: which attempt agreed best.
        mesh: (478, 3) float32 pixels, corrected or fitted.
        raw: (478, 3) float32 pixels, the best mesh as the backend gave it, agreeing or not.
        error: of ``raw``, over sqrt(w h).
        left_out_error: what correction leaves at points it has not seen, over sqrt(w h).
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


#: Rows that a worker takes at once, and portions per worker that are labelled ahead of the consumer.
_PORTION, _AHEAD = 8, 3

_finder: Finder | None = None


def label_rows(
    archive: Archive, images: ImageReader, records: pd.DataFrame, settings: LabelSettings, processes: int
) -> Iterator[tuple[Sample, FaceLabels]]:
    """Read and label samples; neither the number of processes nor the order changes a result.

    Args:
        archive: the open archive, for the exact points.
        images: the archive's images and class maps.
        records: rows of the index that can be used.
        settings: backend and thresholds.
        processes: worker processes; 1 works in this one.

    Yields:
        Each sample with its labels, in the order of the records.

    Raises:
        SampleError: a sample that was good when indexed is not any more.
        StoreError: a shard of decoded images is damaged.
    """
    if processes == 1:
        with open_finder(settings) as finder:
            for record in records.itertuples():
                yield _label(archive, images, settings, finder, record)
        return
    portions = (records.iloc[start : start + _PORTION] for start in range(0, len(records), _PORTION))
    with (
        single_threaded(),
        ProcessPoolExecutor(
            processes, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(settings,)
        ) as pool,
    ):
        work = partial(_label_portion, archive, images, settings)
        for labelled in map_ahead(pool, work, portions, processes * _AHEAD):
            yield from labelled


def _label(archive: Archive, images: ImageReader, settings: LabelSettings, finder: Finder, record):
    sample = Sample(images.read_rgb(record), images.read_classes(record), read_landmarks(archive, record))
    return sample, label_face(sample, finder, settings)


def _start_worker(settings: LabelSettings) -> None:
    global _finder
    cv2.setNumThreads(1)
    # Closed with the process.
    _finder = open_finder(settings)


def _label_portion(archive: Archive, images: ImageReader, settings: LabelSettings, records: pd.DataFrame):
    return [_label(archive, images, settings, _finder, record) for record in records.itertuples()]
