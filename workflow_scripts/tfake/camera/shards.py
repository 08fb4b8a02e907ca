"""A shard of a camera's variant, row by row: only one face is held at a time beside the shard itself."""

from collections.abc import Collection

import numpy as np

from tfake.camera.recording import Recorder
from tfake.camera.settings import Camera
from tfake.classes import FaceClass
from tfake.codes import SampleStatus, decode_ids
from tfake.radiometry import NO_IMAGE, decode_counts
from tfake.store.camera_layout import camera_layout
from tfake.store.opening import StoreGroup
from tfake.store.statistics import class_statistics, merge_statistics
from tfake.thermalizer.foreground import fill_glasses


def record_rows(
    base: StoreGroup, faces: StoreGroup, rows: Collection[int], camera: Camera, ambient_celsius: float
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, float]]]:
    """Record some rows.

    Args:
        base: the thermal store that the camera looks at.
        faces: the ``faces.zarr`` of the same source.
        rows: their numbers, in order.
        camera: the camera.
        ambient_celsius: temperature of the base's room.

    Returns:
        Array name to the rows' values, as :func:`tfake.store.camera_layout.camera_layout` says; and statistics of the
        values by class, as :func:`tfake.store.statistics.class_statistics` gives them: °C, or grey values. Rows without
        a usable sample hold no image (``NO_IMAGE``, or 0 where pixels are grey values), class IGNORE and NaN points.
    """
    recorder = Recorder(camera, ambient_celsius)
    values = _empty_rows(camera, len(rows))
    statistics = []
    for place, row in enumerate(rows):
        counts = base["thermal"][row]
        if faces["status"][row] != SampleStatus.OK or (counts == NO_IMAGE).all():
            continue
        (image_id,) = decode_ids(faces["image_id"][row : row + 1])
        shot = recorder.record(
            image_id,
            decode_counts(counts),
            faces["segmentation"][row],
            faces["landmarks_70"][row],
            faces["landmarks_478"][row],
        )
        for name, array in values.items():
            array[place] = getattr(shot, name)
        pixels = decode_counts(shot.thermal) if camera.is_radiometric else shot.thermal
        statistics.append(class_statistics(pixels, fill_glasses(shot.segmentation)))
    return values, merge_statistics(statistics)


def _empty_rows(camera: Camera, rows: int) -> dict[str, np.ndarray]:
    missing = {"thermal": NO_IMAGE if camera.is_radiometric else 0, "segmentation": FaceClass.IGNORE}
    return {
        array.name: np.full((rows, *array.row_shape), missing.get(array.name, np.nan), array.dtype)
        for array in camera_layout(camera)
    }
