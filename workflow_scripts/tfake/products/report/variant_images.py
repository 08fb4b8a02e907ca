"""A variant's images as its store has them, with the labels and the unit that belong to them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zarr

from tfake.core.radiometry import NEVER_WRITTEN, NO_IMAGE
from tfake.pages.page_images import TemperatureScale
from tfake.store.arrays import open_store

#: What a page calls the unit that a store's attributes name.
_UNITS = {"degree_Celsius": "°C"}
_LABELS = ("segmentation", "landmarks_70", "landmarks_478")
_MAP = "source_to_image"
_POINTS = "landmarks_478"


@dataclass(frozen=True)
class VariantImages:
    """One variant's store, open for reading.

    Attributes:
        name: the variant's.
        counts: (N, h, w) unsigned integers, as stored; h and w may differ from the source's.
        scale: unit of a count.
        offset: value of the count 0.
        unit: "°C", or "" for images that are not radiometric.
        missing: counts that are no values.
        segmentation: (N, h, w) uint8 classes of these images.
        landmarks_70: (N, 70, 2) float32 pixels of these images.
        landmarks_478: (N, 478, >= 2) float32 pixels of these images.
        source_to_image: (N, 2, 3) float32 maps from the source's pixels; None where the variant has the source's.
        span: first row and the row behind the last.
    """

    name: str
    counts: zarr.Array
    scale: float
    offset: float
    unit: str
    missing: tuple[int, ...]
    segmentation: zarr.Array
    landmarks_70: zarr.Array
    landmarks_478: zarr.Array
    source_to_image: zarr.Array | None
    span: tuple[int, int]

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
        start, stop = self.span
        return np.unique(np.rint(np.linspace(start, stop - 1, min(wanted, stop - start))).astype(int)).tolist()

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


def open_variant(name: str, store: str | Path, faces: str | Path, span: tuple[int, int]) -> VariantImages:
    """Open a variant's store beside the faces store of its source.

    Args:
        name: the variant's.
        store: its store, with the array ``thermal``, and with labels and a map of its own where a camera recorded it.
        faces: the ``faces.zarr`` of the source.
        span: first row of the variant and the row behind its last.

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
