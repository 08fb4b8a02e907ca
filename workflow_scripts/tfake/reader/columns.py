"""What a dataset knows of every row without reading an image: ids, statuses, errors, poses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np

from tfake.core.codes import MeshStatus, SampleStatus, decode_ids
from tfake.reader.dataset_store import FACES, DatasetError, DatasetStore
from tfake.reader.presence import ImageStatus, image_statuses
from tfake.reader.splits import near_duplicate_groups
from tfake.store.layouts import UNUSED_CODE

_ARRAYS = ("image_id", "status", "landmarks_478_status", "landmarks_478_error", "head_pose")


@dataclass(frozen=True, eq=False)
class Columns:
    """One value a row of the stores, read once."""

    store: DatasetStore
    image_id: np.ndarray  # (N,) str
    status: np.ndarray  # (N,) uint8 SampleStatus
    landmarks_478_status: np.ndarray  # (N,) uint8 MeshStatus
    landmarks_478_error: np.ndarray  # (N,) float32
    head_pose: np.ndarray  # (N, 3) float32 degrees: yaw, pitch, roll
    images: Mapping[str, np.ndarray]  # variant to (N,) uint8 ImageStatus

    @property
    def made(self) -> np.ndarray:
        """(N,) bool: the faces store has the row; a run that is not finished leaves others empty."""
        return self.status != UNUSED_CODE

    def common(self) -> np.ndarray:
        """The rows that no variant lacks by itself: (N,) bool; of unusable samples none has an image.

        Raises:
            DatasetError: there is no such row.
        """
        has = {name: np.isin(codes, (ImageStatus.OK, ImageStatus.NO_SAMPLE)) for name, codes in self.images.items()}
        common = np.logical_and.reduce([self.made, *has.values()])
        if self.made.any() and not common.any():
            rows = "; ".join(f"{name} {_span(mask)}" for name, mask in has.items())
            raise DatasetError(
                f"{self.store.address}: no row is in every variant ({rows}); name fewer variants, or ask for rows='all'"
            )
        return common

    def begun(self) -> tuple[str, ...]:
        """The variants that have at least one row."""
        return tuple(name for name, codes in self.images.items() if (codes != ImageStatus.NOT_MADE).any())

    @cached_property
    def groups(self) -> np.ndarray:
        """(N,) int, equal for near-duplicates (:mod:`tfake.reader.splits`); read at first use."""
        return near_duplicate_groups(self.store.rows(f"{FACES}/landmarks_70"))

    def where(
        self,
        statuses: Sequence[str] | None = None,
        label_statuses: Sequence[str] | None = None,
        largest_error: float | None = None,
        yaw: tuple[float, float] | None = None,
        pitch: tuple[float, float] | None = None,
        roll: tuple[float, float] | None = None,
        images: Sequence[str] | None = None,
    ) -> np.ndarray:
        """Which rows meet every condition; those of :meth:`tfake.reader.dataset.FaceDataset.where`.

        Returns:
            (N,) bool.

        Raises:
            DatasetError: a status or a variant of this name does not exist.
        """
        met = np.ones(len(self.status), dtype=bool)
        if statuses is not None:
            met &= np.isin(self.status, _codes(statuses, SampleStatus))
        if label_statuses is not None:
            met &= np.isin(self.landmarks_478_status, _codes(label_statuses, MeshStatus))
        if largest_error is not None:
            met &= self.landmarks_478_error <= largest_error
        for angle, limits in zip(self.head_pose.T, (yaw, pitch, roll), strict=True):
            if limits is not None:
                # NaN is within no limits.
                met &= (angle >= limits[0]) & (angle <= limits[1])
        for name in (images,) if isinstance(images, str) else images or ():
            if name not in self.images:
                raise DatasetError(f"{name!r} is no variant that is read; they are {', '.join(self.images) or 'none'}")
            met &= self.images[name] == ImageStatus.OK
        return met


def read_columns(store: DatasetStore, variants: Sequence[str]) -> Columns:
    """Read the columns of a dataset's faces store, and which rows the variants have images in.

    Raises:
        DatasetError: the faces store lacks an array, or a variant is of another source.
    """
    try:
        ids, status, mesh, error, pose = (store.rows(f"{FACES}/{name}") for name in _ARRAYS)
    except KeyError as missing:
        raise DatasetError(
            f"{missing.args[0]}: its faces store is not finished; go on with `snakemake --cores all faces`"
        ) from missing
    # Rows that are not written yet hold no text.
    ids[status == UNUSED_CODE] = 0
    samples = np.where(status == UNUSED_CODE, SampleStatus.MISSING_MEMBER, status)
    images = {name: image_statuses(store, name, samples) for name in variants}
    return Columns(store, np.array(list(decode_ids(ids))), status, mesh, error, pose, images)


def _span(mask: np.ndarray) -> str:
    """How many rows a mask has, and between which."""
    rows = np.flatnonzero(mask)
    return f"has {len(rows)} rows between {rows[0]} and {rows[-1]}" if len(rows) else "has none"


def _codes(names: Sequence[str], codes: type[IntEnum]) -> list[int]:
    names = (names,) if isinstance(names, str) else names
    legal = {code.name.lower(): int(code) for code in codes}
    if unknown := [name for name in names if name not in legal]:
        raise DatasetError(f"{unknown[0]!r} is no status; they are {', '.join(legal)}")
    return [legal[name] for name in names]
