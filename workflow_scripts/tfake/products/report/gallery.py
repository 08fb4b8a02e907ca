"""A variant's images as its store has them, with the labels and the unit that belong to them.

What the page tells its viewer once for all faces: variants, palettes, classes.

The gallery: a card a sample, with its photograph, class map and thermal images.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import zarr
from tqdm import tqdm

from tfake.archive.samples import read_rgb
from tfake.archive.zip_archive import open_archive
from tfake.core.classes import CLASS_COLOURS, FACE_CLASSES, LABELLED_CLASSES, FaceClass
from tfake.core.codes import LABELLED, MeshStatus, SampleStatus
from tfake.core.radiometry import NEVER_WRITTEN, NO_IMAGE
from tfake.imaging.foreground import fill_glasses
from tfake.pages.charts import words_of
from tfake.pages.page_images import (
    IGNORE_COLOUR,
    THUMBNAIL_PIXELS,
    TemperatureScale,
    class_colour,
    classes_uri,
    offered_palettes,
    photo_uri,
    points_path,
    thermal_uri,
)
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


def describe_viewer(folder: str, variants: Sequence[VariantImages], scale: TemperatureScale) -> dict[str, Any]:
    """Describe what the faces' data files have in common.

    Args:
        folder: of those files, as seen from the page.
        variants: in the order of the files' numbers.
        scale: of the page's radiometric pictures.

    Returns:
        JSON values for ``reading.js`` and ``viewer.js``.
    """
    colours = {int(c): (words_of(c), list(CLASS_COLOURS[c])) for c in LABELLED_CLASSES}
    colours[int(FaceClass.IGNORE)] = (words_of(FaceClass.IGNORE), list(IGNORE_COLOUR))
    return {
        "folder": folder,
        "palettes": offered_palettes(),
        "classes": colours,
        "variants": [
            _describe(variant, scale if variant.radiometric else variant.whole_scale()) for variant in variants
        ],
    }


def _describe(variant: VariantImages, scale: TemperatureScale) -> dict[str, Any]:
    width, height = variant.size
    return {
        "name": variant.name,
        "width": width,
        "height": height,
        "unit": variant.unit,
        "scale": variant.scale,
        "offset": variant.offset,
        "missing": list(variant.missing),
        "low": scale.low,
        "high": scale.high,
    }


@dataclass(frozen=True)
class Picture:
    """One picture of a card."""

    name: str  # "RGB", "classes" or the variant
    kind: str  # "rgb", "classes" or "thermal"
    uri: str
    alt: str
    note: str = ""
    width: int = THUMBNAIL_PIXELS
    height: int = THUMBNAIL_PIXELS
    has_points: bool = True  # whether the source's points lie on it


@dataclass(frozen=True)
class Card:
    """One sample."""

    row: int
    image_id: str
    usable: bool
    status: str  # of the source sample, in words
    detail: str  # what is wrong with it; empty when it is usable
    mesh_found: bool
    mesh_status: str  # of the 478 points, in words
    pixels: int  # edge of the full image: the points' coordinates
    points_70: str
    points_478: str
    yaw: float | None  # degrees to the image's right
    classes: tuple[int, ...]  # ids that occur
    pictures: tuple[Picture, ...]

    @property
    def shown(self) -> bool:
        """Whether a variant has the face, so that the viewer can open it."""
        return any(picture.kind == "thermal" for picture in self.pictures)


@dataclass(frozen=True)
class Gallery:
    """What the gallery's section of the page needs."""

    cards: tuple[Card, ...]
    rows: int  # of the whole dataset
    scale: TemperatureScale
    legend: tuple[tuple[int, str, str], ...]  # (id, class in words, CSS colour) of the classes that occur
    variants: tuple[str, ...]

    @property
    def states(self) -> list[str]:
        """The states of the 478 points that occur, in words."""
        return list(dict.fromkeys(card.mesh_status for card in self.cards))


def choose_rows(variants: Sequence[VariantImages], rows: int, wanted: int) -> list[int]:
    """Choose the samples to show: spread over the source, and over each variant that has a slice of it alone.

    Args:
        variants: each gives at least its share of ``wanted``.
        rows: of the source.
        wanted: samples spread over the source, from the first to the last; every one when there are no more.

    Returns:
        Rows, rising; more than ``wanted`` only where a variant is a slice.
    """
    chosen = set(np.rint(np.linspace(0, rows - 1, min(wanted, rows))).astype(int).tolist())
    for variant in variants:
        if variant.span != (0, rows):
            chosen.update(variant.spread_rows(max(1, wanted // len(variants))))
    return sorted(chosen)


def build_gallery(
    archive: Sequence[str],
    index: pd.DataFrame,
    faces: str | Path,
    variants: Sequence[VariantImages],
    rows: Sequence[int],
    scale: TemperatureScale,
) -> Gallery:
    """Read the chosen samples from the source and the stores.

    Args:
        archive: one zip, or all its raw split parts in order.
        index: the archive's index.
        faces: the ``faces.zarr`` of the source.
        variants: their stores.
        rows: the samples to show.
        scale: of every radiometric picture.

    Returns:
        The gallery; memory does not grow with the dataset, and with the gallery only by the encoded thumbnails.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
    """
    labels = open_store(faces)
    opened = open_archive(archive)
    pixels = labels["segmentation"].shape[1]
    seen: set[int] = set()
    cards = []
    for record in tqdm(index.iloc[list(rows)].itertuples(), "draw gallery", len(rows)):
        row, pictures, present = record.Index, [], []
        if record.status == SampleStatus.OK:
            classes = labels["segmentation"][row]
            present = np.unique(classes).tolist()
            seen.update(present)
            pictures = [_photo(opened, record, pixels), _class_map(record, classes, present)]
            pictures += [_thermal(record, variant, scale) for variant in variants if variant.has_image(row)]
        mesh = MeshStatus(int(labels["landmarks_478_status"][row]))
        yaw = float(labels["head_pose"][row, 0])
        cards.append(
            Card(
                row=row,
                image_id=record.image_id,
                usable=bool(pictures),
                status=words_of(SampleStatus(record.status)),
                detail=record.detail,
                mesh_found=mesh in LABELLED,
                mesh_status=words_of(mesh),
                pixels=pixels,
                points_70=points_path(labels["landmarks_70"][row]),
                points_478=points_path(labels["landmarks_478"][row]),
                yaw=yaw if math.isfinite(yaw) else None,
                classes=tuple(present),
                pictures=tuple(pictures),
            )
        )
    legend = tuple((int(c), words_of(c), class_colour(c)) for c in LABELLED_CLASSES if c in seen)
    return Gallery(tuple(cards), len(index), scale, legend, tuple(variant.name for variant in variants))


def _photo(archive, record, pixels: int) -> Picture:
    uri = photo_uri(read_rgb(archive, record, pixels))
    return Picture("RGB", "rgb", uri, f"Photograph-like source image of face {record.image_id}")


def _class_map(record, classes: np.ndarray, present: Sequence[int]) -> Picture:
    named = ", ".join(words_of(FaceClass(i)) for i in present)
    return Picture("classes", "classes", classes_uri(classes), f"Class map of face {record.image_id}: {named}")


def _thermal(record, variant: VariantImages, scale: TemperatureScale) -> Picture:
    values, unit = variant.values(record.Index), f" {variant.unit}".rstrip()
    face = values[np.isin(fill_glasses(variant.segmentation[record.Index]), FACE_CLASSES)]
    note = f"face {face.mean():.1f}{unit}" if face.size else "no facial skin"
    low, high = values.min(), values.max()
    alt = f"Thermal image of face {record.image_id}, variant {variant.name}: {low:.1f} to {high:.1f}{unit}, {note}"
    uri = thermal_uri(values, scale if variant.radiometric else variant.whole_scale())
    width, height = variant.size
    shown = THUMBNAIL_PIXELS / max(width, height)
    size = (round(width * shown), round(height * shown))
    return Picture(variant.name, "thermal", uri, alt, note, *size, has_points=not variant.own_labels)
