"""Dense labels: the mesh that agrees best with the exact points, corrected by them, and what is measured on it.

Attempt after attempt is made with a landmark backend until one agrees. Rows are labelled by several processes, each
with a backend of its own.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from multiprocessing import get_context

import cv2
import numpy as np
import pandas as pd

from tfake.archive.image_reader import ImageReader
from tfake.archive.samples import Sample, read_landmarks
from tfake.archive.zip_archive import Archive
from tfake.core.codes import Attempt, MeshStatus
from tfake.core.processes import map_ahead, single_threaded
from tfake.labels.correspondence import mesh_error, residuals
from tfake.labels.detection import Backend, Detection, LabelSettings, view_of
from tfake.labels.head_geometry import angles, head_rotation, openings
from tfake.labels.shape import correct, fit_shape, left_out_error
from tfake.labels.visibility import point_states


def open_backend(settings: LabelSettings) -> Backend:
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


def find_mesh(backend: Backend, rgb: np.ndarray, landmarks_70: np.ndarray, retry_above: float) -> Found | None:
    """Make attempts until one agrees with the exact points, which also choose among several faces.

    Args:
        backend: the backend.
        rgb: (H, W, 3) uint8.
        landmarks_70: (70, 2) exact points, pixels.
        retry_above: error above which the next attempt is made, over sqrt(w h).

    Returns:
        The best of what was found, None when no attempt found anything.
    """
    best: Found | None = None
    for number, attempt in enumerate(backend.attempts):
        for detection in backend.find(rgb, view_of(attempt, landmarks_70)):
            error = mesh_error(detection.mesh, landmarks_70)
            if best is None or error < best.error:
                best = Found(detection, attempt, error, first=number == 0)
        if best is not None and best.error <= retry_above:
            break
    return best


@dataclass(frozen=True)
class FaceLabels:
    """One row of the arrays of the faces store that hold dense labels (:func:`tfake.store.layouts.faces_layout`).

    Errors are over sqrt(w h); None is missing.
    """

    landmarks_478_status: MeshStatus
    landmarks_478_attempt: Attempt
    head_pose: np.ndarray  # (3,) float32
    landmarks_478: np.ndarray | None = None  # (478, 3) float32, corrected or fitted
    landmarks_478_raw: np.ndarray | None = None  # (478, 3) float32, the best mesh as the backend gave it
    landmarks_478_error: float | None = None  # of the raw mesh
    landmarks_478_left_out_error: float | None = None
    landmarks_478_visibility: np.ndarray | None = None  # (478,) uint8
    openings: np.ndarray | None = None  # (3,) float32
    blendshapes: np.ndarray | None = None  # (52,) float32
    face_transform: np.ndarray | None = None  # (4, 4) float32

    def arrays(self) -> dict[str, np.ndarray | float | int]:
        """The row by the store's names; what is missing is left out."""
        row = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in row.items() if value is not None}


def label_face(sample: Sample, backend: Backend, settings: LabelSettings) -> FaceLabels:
    """Find, judge and correct a face's mesh, or fit one; then measure the face.

    Args:
        sample: the image, its class map and its exact points.
        backend: the backend.
        settings: thresholds.

    Returns:
        The labels; they depend on the arguments alone.
    """
    exact = sample.landmarks_70
    rotation = head_rotation(exact, sample.rgb.shape[1])
    pose = angles(rotation)
    found = find_mesh(backend, sample.rgb, exact, settings.retry_above)
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
        landmarks_478_status=status,
        landmarks_478_attempt=found.attempt if found else Attempt.NONE,
        head_pose=pose,
        landmarks_478=mesh,
        landmarks_478_raw=found.detection.mesh if found else None,
        landmarks_478_error=found.error if found else None,
        landmarks_478_left_out_error=None if mesh is None else left_out,
        landmarks_478_visibility=None if mesh is None else point_states(mesh, sample.classes),
        openings=None if mesh is None else openings(mesh),
        blendshapes=found.detection.blendshapes if agrees else None,
        face_transform=found.detection.transform if agrees else None,
    )


def _judge(found: Found | None, settings: LabelSettings) -> MeshStatus:
    if found is None:
        return MeshStatus.NOT_FOUND
    if found.error > settings.reject_above:
        return MeshStatus.REJECTED
    return MeshStatus.OK if found.first else MeshStatus.RETRIED


#: Rows that a worker takes at once, and portions per worker that are labelled ahead of the consumer.
_PORTION, _AHEAD = 8, 3

_backend: Backend | None = None


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
        with open_backend(settings) as backend:
            for record in records.itertuples():
                yield _label(archive, images, settings, backend, record)
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


def _label(archive: Archive, images: ImageReader, settings: LabelSettings, backend: Backend, record):
    sample = Sample(images.read_rgb(record), images.read_classes(record), read_landmarks(archive, record))
    return sample, label_face(sample, backend, settings)


def _start_worker(settings: LabelSettings) -> None:
    global _backend
    cv2.setNumThreads(1)
    # Closed with the process.
    _backend = open_backend(settings)


def _label_portion(archive: Archive, images: ImageReader, settings: LabelSettings, records: pd.DataFrame):
    return [_label(archive, images, settings, _backend, record) for record in records.itertuples()]
