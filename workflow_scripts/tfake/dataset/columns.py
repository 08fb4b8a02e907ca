"""What a dataset knows of every row without reading an image: ids, statuses, errors, poses."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np

from tfake.dataset.likeness import near_identical_groups
from tfake.dataset.place import DatasetError, Place
from tfake.labels.status import MeshStatus
from tfake.sources.samples import SampleStatus
from tfake.store.ids import decode_ids


@dataclass(frozen=True, eq=False)
class Columns:
    """One value a row of the stores, read once."""

    place: Place
    image_id: np.ndarray  # (N,) str
    status: np.ndarray  # (N,) uint8 SampleStatus
    landmarks_478_status: np.ndarray  # (N,) uint8 MeshStatus
    landmarks_478_error: np.ndarray  # (N,) float32
    head_pose: np.ndarray  # (N, 3) float32 degrees: yaw, pitch, roll

    @cached_property
    def groups(self) -> np.ndarray:
        """(N,) int, equal for near-identical faces (:mod:`tfake.dataset.likeness`); read at first use."""
        every = np.arange(len(self.status))
        return near_identical_groups(self.place.rows("faces/faces.zarr/landmarks_70", every))

    def where(
        self,
        statuses: Sequence[str] | None = None,
        label_statuses: Sequence[str] | None = None,
        largest_error: float | None = None,
        yaw: tuple[float, float] | None = None,
        pitch: tuple[float, float] | None = None,
        roll: tuple[float, float] | None = None,
    ) -> np.ndarray:
        """Which rows meet every condition; those of :meth:`tfake.dataset.FaceDataset.where`.

        Returns:
            (N,) bool.

        Raises:
            DatasetError: a status of this name does not exist.
        """
        met = np.ones(len(self.status), dtype=bool)
        if statuses is not None:
            met &= np.isin(self.status, _codes(statuses, SampleStatus))
        if label_statuses is not None:
            met &= np.isin(self.landmarks_478_status, _codes(label_statuses, MeshStatus))
        if largest_error is not None:
            met &= self.landmarks_478_error <= largest_error
        for column, limits in enumerate((yaw, pitch, roll)):
            if limits is not None:
                # NaN is within no limits.
                met &= (self.head_pose[:, column] >= limits[0]) & (self.head_pose[:, column] <= limits[1])
        return met


def read_columns(place: Place) -> Columns:
    """Read the columns of a dataset's faces store."""
    path = "faces/faces.zarr/"
    names = ("status", "landmarks_478_status", "landmarks_478_error", "head_pose")
    return Columns(
        place,
        np.array(list(decode_ids(place.array(path + "image_id")[:]))),
        **{name: place.array(path + name)[:] for name in names},
    )


def _codes(names: Sequence[str], codes: type[IntEnum]) -> list[int]:
    names = (names,) if isinstance(names, str) else names
    legal = {code.name.lower(): int(code) for code in codes}
    if unknown := [name for name in names if name not in legal]:
        raise DatasetError(f"{unknown[0]!r} is no status; they are {', '.join(legal)}")
    return [legal[name] for name in names]
