"""A shard's rows in memory, before anything is known of them."""

from collections.abc import Collection

import numpy as np

from tfake.classes import FaceClass
from tfake.codes import Attempt, MeshStatus, PointState
from tfake.store.layout import faces_layout

#: What a row holds when its sample cannot be used; NaN where nothing else is said.
_MISSING = {
    "image_id": 0,
    "status": 0,
    "segmentation": FaceClass.IGNORE,
    "landmarks_478_status": MeshStatus.NO_IMAGE,
    "landmarks_478_attempt": Attempt.NONE,
    "landmarks_478_visibility": PointState.UNKNOWN,
}


def empty_face_rows(rows: int, pixels: int, without: Collection[str] = ()) -> dict[str, np.ndarray]:
    """Arrays for ``rows`` rows of the faces store, every entry missing.

    Args:
        rows: how many.
        pixels: height and width of the images.
        without: names of arrays to leave out.

    Returns:
        Array name to values, shapes and dtypes as in :func:`tfake.store.layout.faces_layout`.
    """
    return {
        array.name: np.full((rows, *array.row_shape), _MISSING.get(array.name, np.nan), dtype=array.dtype)
        for array in faces_layout(pixels)
        if array.name not in without
    }
