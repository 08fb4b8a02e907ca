"""The gallery: a card a sample, with its photograph, class map and thermal images."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import zarr
from tqdm import tqdm

from tfake.classes import FACE_CLASSES, LABELLED_CLASSES, FaceClass
from tfake.labels.status import LABELLED, MeshStatus
from tfake.radiometry import decode_counts
from tfake.report.palette import TemperatureScale, fit_scale
from tfake.report.pictures import class_colour, classes_uri, photo_uri, points_path, thermal_uri
from tfake.report.words import words_of
from tfake.sources.archive import open_archive
from tfake.sources.samples import SampleStatus, read_rgb
from tfake.thermalizer.foreground import fill_glasses


@dataclass(frozen=True)
class Picture:
    """One picture of a card."""

    name: str  # "RGB", "classes" or the variant
    kind: str  # "rgb", "classes" or "thermal"
    uri: str
    alt: str
    note: str = ""


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
    pictures: tuple[Picture, ...]


@dataclass(frozen=True)
class Gallery:
    """What the gallery's section of the page needs."""

    cards: tuple[Card, ...]
    rows: int  # of the whole dataset
    scale: TemperatureScale
    legend: tuple[tuple[str, str], ...]  # (class in words, CSS colour) of the classes that occur


def spread_rows(rows: int, wanted: int) -> list[int]:
    """Choose rows spread evenly from the first to the last, every one when ``wanted`` is not below ``rows``."""
    return np.unique(np.rint(np.linspace(0, rows - 1, min(wanted, rows))).astype(int)).tolist()


def build_gallery(
    archive: Sequence[str], index: pd.DataFrame, faces: str | Path, thermal: Mapping[str, str | Path], wanted: int
) -> Gallery:
    """Read the chosen samples from the source and the stores.

    Args:
        archive: one zip, or all its raw split parts in order.
        index: the archive's index.
        faces: the ``faces.zarr`` of the source.
        thermal: variant to its ``thermal.zarr``.
        wanted: samples to show.

    Returns:
        The gallery; memory does not grow with the dataset, and with the gallery only by the encoded thumbnails.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
    """
    chosen = spread_rows(len(index), wanted)
    labels = zarr.open_group(faces, mode="r")
    variants = {name: zarr.open_group(path, mode="r")["thermal"] for name, path in thermal.items()}
    scale = fit_scale(store[row] for store in variants.values() for row in chosen)
    opened = open_archive(archive)
    pixels = labels["segmentation"].shape[1]
    seen: set[int] = set()
    cards = []
    for record in tqdm(index.iloc[chosen].itertuples(), "draw gallery", len(chosen)):
        pictures = []
        if record.status == SampleStatus.OK:
            classes = labels["segmentation"][record.Index]
            seen.update(np.unique(classes).tolist())
            pictures = [_photo(opened, record, pixels), _class_map(record, classes)]
            pictures += [_thermal(record, name, store, classes, scale) for name, store in variants.items()]
        mesh = MeshStatus(int(labels["landmarks_478_status"][record.Index]))
        cards.append(
            Card(
                row=record.Index,
                image_id=record.image_id,
                usable=bool(pictures),
                status=words_of(SampleStatus(record.status)),
                detail=record.detail,
                mesh_found=mesh in LABELLED,
                mesh_status=words_of(mesh),
                pixels=pixels,
                points_70=points_path(labels["landmarks_70"][record.Index]),
                points_478=points_path(labels["landmarks_478"][record.Index]),
                pictures=tuple(pictures),
            )
        )
    legend = tuple((words_of(c), class_colour(c)) for c in LABELLED_CLASSES if c in seen)
    return Gallery(tuple(cards), len(index), scale, legend)


def _photo(archive, record, pixels: int) -> Picture:
    uri = photo_uri(read_rgb(archive, record, pixels))
    return Picture("RGB", "rgb", uri, f"Photograph-like source image of face {record.image_id}")


def _class_map(record, classes: np.ndarray) -> Picture:
    present = [words_of(FaceClass(i)) for i in np.unique(classes).tolist()]
    return Picture(
        "classes", "classes", classes_uri(classes), f"Class map of face {record.image_id}: {', '.join(present)}"
    )


def _thermal(record, variant: str, store: zarr.Array, classes: np.ndarray, scale: TemperatureScale) -> Picture:
    celsius = decode_counts(store[record.Index])
    face = celsius[np.isin(fill_glasses(classes), FACE_CLASSES)]
    note = f"face {face.mean():.1f} °C" if face.size else "no facial skin"
    low, high = celsius.min(), celsius.max()
    alt = f"Thermal image of face {record.image_id}, variant {variant}: {low:.1f} to {high:.1f} °C, {note}"
    return Picture(variant, "thermal", thermal_uri(celsius, scale), alt, note)
