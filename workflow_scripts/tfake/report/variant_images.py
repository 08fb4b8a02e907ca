"""A variant's images as its store has them, with the labels and the unit that belong to them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import zarr

from tfake.radiometry import NEVER_WRITTEN, NO_IMAGE
from tfake.report.palette import TemperatureScale

#: What a page calls the unit that a store's attributes name.
_UNITS = {"degree_Celsius": "°C"}
_LABELS = ("segmentation", "landmarks_70", "landmarks_478")


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
        own_labels: whether the labels are the variant's own: it shows the faces through a geometry of its own.
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
    own_labels: bool

    @property
    def radiometric(self) -> bool:
        """Whether the values are temperatures."""
        return self.unit == "°C"

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the images."""
        height, width = self.counts.shape[1:]
        return width, height

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


def open_variant(name: str, store: str | Path, faces: str | Path) -> VariantImages:
    """Open a variant's store beside the faces store of its source.

    Args:
        name: the variant's.
        store: its store, with the array ``thermal``, and with labels of its own where its geometry is its own.
        faces: the ``faces.zarr`` of the source.

    Raises:
        ValueError: the images have another size than the source's and no labels of their own.
    """
    group, source = zarr.open_group(store, mode="r"), zarr.open_group(faces, mode="r")
    counts = group["thermal"]
    own = [label for label in _LABELS if label in group]
    if counts.shape[1:] != source["segmentation"].shape[1:] and len(own) < len(_LABELS):
        lacking = ", ".join(label for label in _LABELS if label not in own)
        raise ValueError(f"{store}: images of {counts.shape[1:]} need labels of their own; there is no {lacking}")
    attributes = counts.attrs
    radiometric = attributes.get("units") in _UNITS
    return VariantImages(
        name=name,
        counts=counts,
        scale=float(attributes.get("scale_factor", 1.0)),
        offset=float(attributes.get("add_offset", 0.0)),
        unit=_UNITS.get(attributes.get("units"), ""),
        missing=(NEVER_WRITTEN, NO_IMAGE) if radiometric else (),
        own_labels=bool(own),
        **{label: (group if label in own else source)[label] for label in _LABELS},
    )
