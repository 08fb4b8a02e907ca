"""Where the report's images come from: the source's samples with their labels, and the variants' stores."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr
from tqdm import tqdm

from tfake.archive.index import read_index
from tfake.archive.samples import read_rgb
from tfake.archive.zip_archive import Archive, open_archive
from tfake.core.codes import SampleStatus
from tfake.core.radiometry import NEVER_WRITTEN, NO_IMAGE
from tfake.pages.page_images import TemperatureScale
from tfake.store.arrays import StoreGroup, open_store

#: What a page calls the unit that a store's attributes name.
_UNITS = {"degree_Celsius": "°C"}
_LABELS = ("segmentation", "landmarks_70", "landmarks_478")
_MAP = "source_to_image"
_POINTS = "landmarks_478"


@dataclass(frozen=True)
class FaceSource:
    """The source's samples and their labels, open for reading."""

    archive: Archive  # with the photographs
    index: pd.DataFrame  # of the archive
    labels: StoreGroup  # the faces store

    @property
    def pixels(self) -> int:
        """Edge of the images, to whose pixels the labels refer."""
        return self.labels["segmentation"].shape[1]

    def records(self, rows: Sequence[int], doing: str) -> Iterator[Any]:
        """The index's records of some rows, with a progress bar that says what is being done."""
        yield from tqdm(self.index.iloc[list(rows)].itertuples(), doing, len(rows))

    def usable(self, rows: Sequence[int], doing: str) -> Iterator[Any]:
        """Those of the records whose samples can be used."""
        yield from (record for record in self.records(rows, doing) if record.status == SampleStatus.OK)

    def read_rgb(self, record: Any) -> np.ndarray:
        """A record's photograph: (H, W, 3) uint8.

        Raises:
            SampleError: it was good when indexed and is not any more: the archive has changed.
        """
        return read_rgb(self.archive, record, self.pixels)


def open_source(archive: Sequence[str], index: str | Path, faces: str | Path) -> FaceSource:
    """Open the archive (one zip, or all its raw split parts in order), its index, and the ``faces.zarr``."""
    return FaceSource(open_archive(archive), read_index(index), open_store(faces))


@dataclass(frozen=True)
class VariantImages:
    """One variant's store, open for reading; the labels are in the pixels of its images."""

    name: str  # of the variant
    counts: zarr.Array  # (N, h, w) unsigned integers, as stored; h and w may differ from the source's
    scale: float  # unit per count
    offset: float  # value of the count 0
    unit: str  # "°C", or "" for images that are not radiometric
    missing: tuple[int, ...]  # counts that are no values
    segmentation: zarr.Array  # (N, h, w) uint8 classes
    landmarks_70: zarr.Array  # (N, 70, 2) float32
    landmarks_478: zarr.Array  # (N, 478, >= 2) float32
    source_to_image: zarr.Array | None  # (N, 2, 3) float32 maps from the source's pixels; None where they are the same
    span: tuple[int, int]  # first row and stop (exclusive)

    @property
    def radiometric(self) -> bool:
        """Whether the values are temperatures."""
        return self.unit == "°C"

    @property
    def own_labels(self) -> bool:
        """Whether the variant shows the faces through a geometry of its own, and has labels that fit it."""
        return self.source_to_image is not None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the images."""
        height, width = self.counts.shape[1:]
        return width, height

    def covers(self, row: int) -> bool:
        """Whether the row belongs to the variant."""
        return self.span[0] <= row < self.span[1]

    def has_image(self, row: int) -> bool:
        """Whether there is an image: the row belongs to the variant, and someone made or published it."""
        return self.covers(row) and not (self.missing and np.isin(self.counts[row], self.missing).all())

    def spread_rows(self, wanted: int) -> list[int]:
        """Rows of the variant, spread evenly from its first to its last; every one when ``wanted`` are not there."""
        return spread_rows(*self.span, wanted)

    def whole_scale(self) -> TemperatureScale:
        """All that a count can be, from black to white; for images that are not radiometric."""
        highest = self.offset + self.scale * np.iinfo(self.counts.dtype).max
        return TemperatureScale(round(self.offset), round(highest), palette="gray")

    def values(self, row: int) -> np.ndarray:
        """One image: (h, w) float32 in ``unit``, NaN where there is no value."""
        counts = self.counts[row]
        values = (counts.astype(np.float64) * self.scale + self.offset).astype(np.float32)
        values[np.isin(counts, self.missing)] = np.nan
        return values


def spread_rows(start: int, stop: int, wanted: int) -> list[int]:
    """Rows spread evenly from ``start`` to the one before ``stop``; every one when ``wanted`` are not there."""
    return np.unique(np.rint(np.linspace(start, stop - 1, min(wanted, stop - start))).astype(int)).tolist()


def open_variant(name: str, store: str | Path, faces: str | Path, span: tuple[int, int]) -> VariantImages:
    """Open a variant's store beside the faces store of its source.

    Args:
        name: the variant's.
        store: its store, with the array ``thermal``, and with labels and a map of its own where a camera recorded it.
        faces: the ``faces.zarr`` of the source.
        span: first row of the variant and its stop (exclusive).

    Raises:
        ValueError: some of the arrays of a camera's variant are there and others not, or none of them though the images
            have another size than the source's.
    """
    group, source = open_store(store), open_store(faces)
    counts = group["thermal"]
    # Images that others published bring at most points, in the source's geometry.
    own = [array for array in (*_LABELS, _MAP) if array in group]
    recorded = own not in ([], [_POINTS])
    lacking = [array for array in (*_LABELS, _MAP) if array not in group]
    if lacking and (recorded or counts.shape[1:] != source["segmentation"].shape[1:]):
        raise ValueError(f"{store}: images of {counts.shape[1:]} need {', '.join(lacking)} of their own")
    attributes = counts.attrs
    unit = _UNITS.get(attributes.get("units"), "")
    return VariantImages(
        name=name,
        counts=counts,
        scale=float(attributes.get("scale_factor", 1.0)),
        offset=float(attributes.get("add_offset", 0.0)),
        unit=unit,
        missing=(NEVER_WRITTEN, NO_IMAGE) if unit else (),
        source_to_image=group[_MAP] if recorded else None,
        span=span,
        **{label: (group if label in own else source)[label] for label in _LABELS},
    )
