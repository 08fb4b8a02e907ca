"""The gallery: a card a sample, with its photograph, class map and thermal images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tfake.core.classes import FACE_CLASSES, LABELLED_CLASSES, FaceClass
from tfake.core.codes import LABELLED, MeshStatus, SampleStatus
from tfake.imaging.foreground import fill_glasses
from tfake.pages.page_images import (
    THUMBNAIL_PIXELS,
    TemperatureScale,
    class_colour,
    classes_uri,
    photo_uri,
    points_path,
    thermal_uri,
)
from tfake.pages.wording import words_of
from tfake.products.report.image_sources import FaceSource, VariantImages, spread_rows


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
    """Choose the rows to show, rising: ``wanted`` over the source, and more over each variant that has but a slice."""
    chosen = set(spread_rows(0, rows, wanted))
    for variant in variants:
        if variant.span != (0, rows):
            chosen.update(variant.spread_rows(max(1, wanted // len(variants))))
    return sorted(chosen)


def build_gallery(
    source: FaceSource, variants: Sequence[VariantImages], rows: Sequence[int], scale: TemperatureScale
) -> Gallery:
    """Read the chosen samples; memory grows by their encoded thumbnails alone.

    Args:
        source: the samples and their labels.
        variants: their images.
        rows: the samples to show.
        scale: of every radiometric picture.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
    """
    labels = source.labels
    seen: set[int] = set()
    cards = []
    for record in source.records(rows, "draw gallery"):
        row, pictures, present = record.Index, [], []
        if record.status == SampleStatus.OK:
            classes = labels["segmentation"][row]
            present = np.unique(classes).tolist()
            seen.update(present)
            pictures = [_photo(source, record), _class_map(record, classes, present)]
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
                pixels=source.pixels,
                points_70=points_path(labels["landmarks_70"][row]),
                points_478=points_path(labels["landmarks_478"][row]),
                yaw=yaw if math.isfinite(yaw) else None,
                classes=tuple(present),
                pictures=tuple(pictures),
            )
        )
    legend = tuple((int(c), words_of(c), class_colour(c)) for c in LABELLED_CLASSES if c in seen)
    return Gallery(tuple(cards), len(source.index), scale, legend, tuple(variant.name for variant in variants))


def _photo(source: FaceSource, record) -> Picture:
    uri = photo_uri(source.read_rgb(record))
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
