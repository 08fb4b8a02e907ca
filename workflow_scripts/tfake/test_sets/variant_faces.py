"""The workflow's own variants as test sets: the faces of the split's test part, with 70 and 478 points."""

import numpy as np

from tfake.core.codes import MeshStatus
from tfake.reader import FaceDataset, open_dataset
from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet, box_of
from tfake.test_sets.read_log import ReadLog

_SETS = {"70": ("face70", "landmarks_70"), "478": ("mesh478", "landmarks_478")}


def open_variant(results: str, variant: str, points: str) -> AnnotatedSet:
    """Read a variant's held-out faces.

    Args:
        results: the folder that holds ``faces`` and ``variants``.
        variant: its name.
        points: ``70``, the source's exact ones, or ``478``, the dense labels.

    Raises:
        tfake.reader.dataset_store.DatasetError: there is no such variant.
    """
    landmark_set, column = _SETS[points]
    rows = open_dataset(results, (variant,), "test", statuses=None, fields=(column,))
    images = open_dataset(results, (variant,), "test", statuses=None, fields=("thermal",))
    read_log, faces = ReadLog(), []
    for place, row in enumerate(rows):
        name = f"{row.row}:{row.image_id}"
        read_log.enter(name)
        found = getattr(row, column).astype(np.float64)
        if row.status.name != "OK":
            read_log.exclude(name, f"source_{row.status.name.lower()}")
        elif not np.isfinite(found).all():
            read_log.exclude(name, f"labels_{row.landmarks_478_status.name.lower()}")
        else:
            if points == "478" and row.landmarks_478_status is MeshStatus.FITTED:
                read_log.warn(name, "labels_fitted", "a mean face fitted to the 70 points")
            groups = {"yaw": f"{row.head_pose[0]:.0f}"}
            faces.append(AnnotatedFace(name, str(place), landmark_set, found, box_of(found), groups))
    return AnnotatedSet(tuple(faces), read_log, lambda place: _celsius(images, int(place), variant))


def _celsius(images: FaceDataset, place: int, variant: str) -> np.ndarray:
    return images[place].thermal[variant]
