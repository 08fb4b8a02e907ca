"""Published thermal images of the same faces compared with ours: pictures on one scale, and figures for both.

T-FAKE's figure on its repository shows sources and warm images of FaceSynthetics at 192 x 192 pixels, 8 bit, where 0 is
20 °C and 255 is 40 °C. Ours is shrunk to the same size by area before anything is compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tfake.core.classes import LABELLED_CLASSES, FaceClass
from tfake.core.radiometry import decode_counts
from tfake.imaging.foreground import fill_glasses
from tfake.pages.page_images import TemperatureScale, photo_uri, thermal_uri
from tfake.pages.wording import words_of
from tfake.products.report.image_sources import FaceSource, VariantImages
from tfake.variants.reference_images import REFERENCE_CELSIUS, REFERENCE_SUFFIX, read_reference

#: Background this many pixels from the person takes no part: the shrunken edges are mixtures.
_MARGIN_PIXELS = 4
_CLASSES = (FaceClass.SKIN, FaceClass.NOSE, FaceClass.HAIR, FaceClass.BEARD, FaceClass.NECK, FaceClass.CLOTHING)


@dataclass(frozen=True)
class ReferenceFace:
    """One face: its source, theirs and ours, as data URIs."""

    image_id: str
    source: str
    theirs: str
    ours: str


@dataclass(frozen=True)
class Reference:
    """What the comparison's section of the page needs."""

    variant: str  # which of ours is compared with theirs
    faces: tuple[ReferenceFace, ...]  # that both have
    rows: tuple[tuple[str, float, float], ...]  # (what, theirs, ours) over all of them
    scale: TemperatureScale  # of every picture


def compare_with_reference(folder: str | Path, variant: VariantImages, source: FaceSource) -> Reference | None:
    """Compare published images with a variant's.

    Args:
        folder: holds ``{id}_thermal.png``, 8-bit gray over ``REFERENCE_CELSIUS``, each the whole image shrunk.
        variant: a radiometric one.
        source: the samples and their labels.

    Returns:
        The comparison; None when the folder has none of the usable faces.

    Raises:
        ValueError: a file is no 8-bit gray image.
    """
    scale = TemperatureScale(*map(int, REFERENCE_CELSIUS))
    shown, both = [], []
    for record in source.usable(range(len(source.index)), "compare with published images"):
        path = Path(folder) / f"{record.image_id}{REFERENCE_SUFFIX}"
        if not path.is_file():
            continue
        published = read_reference(path)
        size = published.shape[::-1]
        full = source.labels["segmentation"][record.Index]
        classes = cv2.resize(fill_glasses(full), size, interpolation=cv2.INTER_NEAREST)
        generated = cv2.resize(decode_counts(variant.counts[record.Index]), size, interpolation=cv2.INTER_AREA)
        pictures = (photo_uri(source.read_rgb(record)), thermal_uri(published, scale), thermal_uri(generated, scale))
        shown.append(ReferenceFace(record.image_id, *pictures))
        both.append((classes, published, generated))
    if not shown:
        return None
    return Reference(variant.name, tuple(shown), tuple(_figures(both)), scale)


def _figures(both: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]):
    kernel = np.ones((2 * _MARGIN_PIXELS + 1,) * 2, np.uint8)
    outside = [cv2.erode((classes == 0).astype(np.uint8), kernel).astype(bool) for classes, *_ in both]

    def pooled(which: int, masks: Sequence[np.ndarray]) -> np.ndarray:
        return np.concatenate([images[which][mask] for images, mask in zip(both, masks, strict=True)])

    theirs, ours = (pooled(which, outside) for which in (1, 2))
    yield "background, standard deviation (K)", float(theirs.std()), float(ours.std())
    yield "background, 99.5th percentile above its median (K)", _tail(theirs), _tail(ours)
    for face_class in (c for c in LABELLED_CLASSES if c in _CLASSES):
        masks = [classes == face_class for classes, *_ in both]
        if any(mask.any() for mask in masks):
            means = [float(pooled(which, masks).mean()) for which in (1, 2)]
            yield f"{words_of(face_class)}, mean (°C)", *means
            present = [(images, mask) for images, mask in zip(both, masks, strict=True) if mask.any()]
            detail = [float(np.mean([_detail(images[which], mask) for images, mask in present])) for which in (1, 2)]
            yield f"{words_of(face_class)}, detail (K)", *detail


def _tail(values: np.ndarray) -> float:
    return float(np.percentile(values, 99.5) - np.median(values))


def _detail(celsius: np.ndarray, mask: np.ndarray) -> float:
    """Root mean square of what a blur of two pixels takes away, inside the mask."""
    return float(np.sqrt(np.mean((celsius - cv2.GaussianBlur(celsius, (0, 0), 2))[mask] ** 2)))
