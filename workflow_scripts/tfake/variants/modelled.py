"""Faces by the temperature model alone: each is laid on the mean head by its points, and given a person and a room.

A face without a mesh has no place on the head, and so no image. Each row follows from its image, its labels and
(seed, image id) alone.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd

from tfake.archive.image_reader import ImageReader
from tfake.camera.lens import Lens
from tfake.core.codes import SampleStatus
from tfake.core.processes import map_ahead
from tfake.heat.face_heat import FaceHeat
from tfake.imaging.foreground import fill_glasses, set_background
from tfake.store.arrays import StoreGroup
from tfake.store.thermal_rows import Compress, ThermalRow, finish_row, missing_row


class HeatModel:
    """The temperature model with a variant's settings, for one room."""

    def __init__(self, settings: Mapping[str, Any], ambient_celsius: float) -> None:
        """Take the settings.

        Args:
            settings: those of :meth:`tfake.heat.face_heat.FaceHeat.from_mapping`, and ``lens``: of
                :class:`tfake.camera.lens.Lens`, or None.
            ambient_celsius: temperature of the room, °C.
        """
        self._heat = FaceHeat.from_mapping({key: own for key, own in settings.items() if key != "lens"})
        self._lens = None if settings["lens"] is None else Lens(**settings["lens"])
        self._ambient_celsius = ambient_celsius

    def render(self, image_id: str, rgb: np.ndarray, classes: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Give a face its temperatures, as the lens sees them.

        Args:
            image_id: whose person is drawn.
            rgb: (H, W, 3) uint8.
            classes: (H, W) uint8 class ids; what is BACKGROUND is at ambient, but for the lens.
            points: (478, 3) pixels and depth.

        Returns:
            (H, W) float32 °C.

        Raises:
            ValueError: shapes do not fit, or a point is not finite.
        """
        ambient = self._ambient_celsius
        celsius = set_background(self._heat.render(points, classes, rgb, ambient, image_id), classes, ambient)
        return celsius if self._lens is None else self._lens.look(celsius, image_id, self._heat.seed, ambient)


def model_rows(
    model: HeatModel,
    source: ImageReader,
    records: pd.DataFrame,
    faces: StoreGroup,
    compress: Compress,
    threads: int,
) -> Iterator[ThermalRow]:
    """Give rows of the index their temperatures, an image a thread.

    Args:
        model: the model.
        source: the images.
        records: consecutive rows of the index.
        faces: the ``faces.zarr`` of the same source, with the class maps and points of these rows.
        compress: see :data:`tfake.store.thermal_rows.Compress`.
        threads: threads beside the caller's; no row depends on their number.

    Yields:
        One row a record, in their order; ``NO_IMAGE`` where the sample cannot be used or has no mesh.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
        StoreError: a shard of decoded images is damaged.
        ValueError: a face's labels do not fit its image; it is named.
    """
    missing = missing_row(faces["segmentation"].shape[1], compress)
    points = faces["landmarks_478"][records.index[0] : records.index[-1] + 1]

    def make(piece: tuple[Any, np.ndarray]) -> ThermalRow:
        record, own = piece
        if record.status != SampleStatus.OK or not np.isfinite(own).all():
            return missing
        classes = faces["segmentation"][record.Index]
        rgb = source.read_rgb(record)
        try:
            celsius = model.render(record.image_id, rgb, classes, own)
        except ValueError as error:
            raise ValueError(f"{record.image_id}: {error}") from error
        return finish_row(record.image_id, celsius, fill_glasses(classes), compress)

    with ThreadPoolExecutor(max(1, threads)) as pool:
        yield from map_ahead(pool, make, zip(records.itertuples(), points, strict=True), 2 * threads)
