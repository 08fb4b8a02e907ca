"""The rows of a shard of retargeted sequences, filled frame by frame."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from tfake.core.classes import FaceClass
from tfake.core.codes import PointState, RetargetStatus
from tfake.core.radiometry import NO_IMAGE, encode_celsius
from tfake.retargeting.animation import AnimatedFrame, Picture
from tfake.store.layouts import ArrayLayout
from tfake.store.statistics import CountStatistics

#: What rows hold where nothing is known: of arrays that are not listed, NaN, or 0 where they count.
_MISSING = {
    "thermal": NO_IMAGE,
    "segmentation": FaceClass.IGNORE,
    "landmarks_478_visibility": PointState.UNKNOWN,
}


class RetargetedRows:
    """Rows of one sequence.

    Attributes:
        values: array name to the rows' values.
    """

    def __init__(self, layout: Iterable[ArrayLayout], frames: int) -> None:
        """Begin with rows of which nothing is known."""
        self.values = {array.name: np.empty((frames, *array.row_shape), array.dtype) for array in layout}
        for name, values in self.values.items():
            unknown = np.nan if values.dtype.kind == "f" else 0
            values[:] = _MISSING.get(name, unknown)
        self._statistics = CountStatistics()

    @property
    def statistics(self) -> dict[str, dict[str, float]]:
        """Temperatures by class, as a manifest has them."""
        return self._statistics.as_mapping()

    def fill_columns(self, **columns: Any) -> None:
        """Put what is known of all frames into columns, by name."""
        for name, values in columns.items():
            self.values[name][:] = values

    def fill_missing(self, status: RetargetStatus) -> None:
        """Leave all rows without a picture."""
        self.values["status"][:] = status

    def fill_still(self, picture: Picture, status: RetargetStatus) -> None:
        """Put a still that cannot be moved into all rows."""
        for number in range(len(self.values["status"])):
            self._fill_picture(number, picture)
        self.values["status"][:] = status

    def fill_frame(self, number: int, frame: AnimatedFrame) -> None:
        """Put a frame into its row."""
        self._fill_picture(number, frame.picture)
        row = {
            "landmarks_478_visibility": frame.visibility,
            "intensity": frame.motion.intensity,
            "expression_parameters": frame.motion.parameters,
            "head_pose": frame.head_degrees,
            "status": frame.status,
            "folded_triangles": frame.folded,
        }
        for name, value in row.items():
            self.values[name][number] = value

    def _fill_picture(self, number: int, picture: Picture) -> None:
        row = {
            "thermal": encode_celsius(picture.celsius),
            "rgb": picture.rgb,
            "segmentation": picture.classes,
            "landmarks_70": picture.landmarks_70,
            "landmarks_478": picture.landmarks_478,
        }
        for name, value in row.items():
            self.values[name][number] = value
        self._statistics.add(CountStatistics.sums_of(row["thermal"], picture.classes))
