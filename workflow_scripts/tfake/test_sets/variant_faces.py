"""The workflow's own variants as test sets: the faces of the split's test part, with 70 and 478 points."""

from pathlib import Path

import numpy as np

from tfake.core.codes import MeshStatus
from tfake.reader import open_dataset
from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet, box_of
from tfake.test_sets.read_log import ReadLog


def open_70(path: str) -> AnnotatedSet:
    """Read a variant's held-out faces, ``variants/NAME`` beside ``faces``, with the source's exact 70 points.

    Raises:
        tfake.reader.dataset_store.DatasetError: there is no such variant.
    """
    return _open(path, "face70", "landmarks_70")


def open_478(path: str) -> AnnotatedSet:
    """As :func:`open_70`, with the dense labels."""
    return _open(path, "mesh478", "landmarks_478")


def _open(path: str, convention: str, column: str) -> AnnotatedSet:
    results, variant = str(Path(path).parents[1]), Path(path).name
    rows, images = (
        open_dataset(results, (variant,), "test", statuses=None, fields=(field,)) for field in (column, "thermal")
    )
    log, faces = ReadLog(), []
    for place, row in enumerate(rows):
        name = f"{row.row}:{row.image_id}"
        log.enter(name)
        points = getattr(row, column).astype(np.float64)
        if row.status.name != "OK":
            log.exclude(name, f"source_{row.status.name.lower()}")
        elif not np.isfinite(points).all():
            log.exclude(name, f"labels_{row.landmarks_478_status.name.lower()}")
        else:
            if convention == "mesh478" and row.landmarks_478_status is MeshStatus.FITTED:
                log.warn(name, "labels_fitted", "a mean face fitted to the 70 points")
            groups = {"yaw": f"{row.head_pose[0]:.0f}"}
            faces.append(AnnotatedFace(name, str(place), convention, points, box_of(points), groups))
    return AnnotatedSet(tuple(faces), log, lambda place: images[int(place)].thermal[variant])
