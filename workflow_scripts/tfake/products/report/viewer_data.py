"""The viewer's data: what all faces share, within the page, and each face in a few small scripts beside it.

``faces/{row}.js`` has the photograph and the source's labels, ``faces/{row}.{v}.js`` the image of variant number v, and
its own labels where it has some (:mod:`tfake.pages.page_scripts`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tfake.core.classes import CLASS_COLOURS, LABELLED_CLASSES, FaceClass
from tfake.pages.page_images import IGNORE_COLOUR, TemperatureScale, full_photo_uri, offered_palettes, pack
from tfake.pages.page_scripts import HERE, write_data
from tfake.pages.wording import words_of
from tfake.products.report.image_sources import FaceSource, VariantImages
from tfake.store.arrays import StoreGroup

#: Places of the points are told to a hundredth of a pixel.
_DECIMALS = 2
#: A variant's picture of the source is at least this wide, however few pixels its camera has.
_LEAST_PHOTO_PIXELS = 512
#: Blur before shrinking, in pixels of the shrunken picture.
_BLUR = 0.4


def describe_viewer(folder: str, variants: Sequence[VariantImages], scale: TemperatureScale) -> dict[str, Any]:
    """What the faces' files have in common, as JSON values for ``reading.js`` and ``viewer.js``.

    Args:
        folder: of those files, as seen from the page.
        variants: in the order of the files' numbers.
        scale: of the page's radiometric pictures.
    """
    colours = {int(c): (words_of(c), [int(value) for value in CLASS_COLOURS[c]]) for c in LABELLED_CLASSES}
    colours[int(FaceClass.IGNORE)] = (words_of(FaceClass.IGNORE), list(IGNORE_COLOUR))
    return {
        "folder": folder,
        "palettes": offered_palettes(),
        "classes": colours,
        "variants": [
            {
                "name": variant.name,
                "width": variant.size[0],
                "height": variant.size[1],
                "unit": variant.unit,
                "scale": variant.scale,
                "offset": variant.offset,
                "missing": list(variant.missing),
                "low": shown.low,
                "high": shown.high,
            }
            for variant in variants
            for shown in (scale if variant.radiometric else variant.whole_scale(),)
        ],
    }


def write_faces(folder: str | Path, source: FaceSource, variants: Sequence[VariantImages], rows: Sequence[int]) -> int:
    """Write the data of some faces, but for those that cannot be used, and return how many bytes that were.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    labels = source.labels
    written = write_data(folder, HERE, {})
    for record in source.usable(rows, "write faces for the viewer"):
        row, rgb = record.Index, source.read_rgb(record)
        written += write_data(folder, f"{row}", {"rgb": full_photo_uri(rgb), **_labels(labels, row)})
        for number, variant in enumerate(variants):
            if not variant.has_image(row):
                continue
            data = {"counts": pack(variant.counts[row]), "bytes": variant.counts.dtype.itemsize}
            if variant.own_labels:
                data |= _labels(variant, row)
                data["rgb"] = full_photo_uri(_as_seen_by(variant, rgb, row))
            elif variant.landmarks_478.store_path != labels["landmarks_478"].store_path:
                # Published images may come with points of their own, in the source's geometry.
                data["points"] = _labels(variant, row)["points"]
            written += write_data(folder, f"{row}.{number}", data)
    return written


def _labels(owner: StoreGroup | VariantImages, row: int) -> dict[str, Any]:
    segmentation, exact, dense = (
        getattr(owner, name) if isinstance(owner, VariantImages) else owner[name]
        for name in ("segmentation", "landmarks_70", "landmarks_478")
    )
    return {"classes": pack(segmentation[row]), "points": {"70": _points(exact[row]), "478": _points(dense[row])}}


def _points(points: np.ndarray) -> list[list[float]]:
    """Finite points alone, (x, y) each."""
    known = points[np.isfinite(points).all(axis=1), :2]
    return np.round(known.astype(float), _DECIMALS).tolist()


def _as_seen_by(variant: VariantImages, rgb: np.ndarray, row: int) -> np.ndarray:
    """The photograph through the variant's geometry, with more pixels than its camera where that has few."""
    width, height = variant.size
    finer = max(1, round(_LEAST_PHOTO_PIXELS / width))
    # Pixel centres are at integers: x becomes finer * (x + 1/2) - 1/2.
    matrix = finer * variant.source_to_image[row].astype(np.float64)
    matrix[:, 2] += (finer - 1) / 2
    zoom = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if zoom < 1:
        # What several pixels share is blurred over them first: interpolation looks at four of them.
        rgb = cv2.GaussianBlur(rgb, (0, 0), _BLUR / zoom)
    return cv2.warpAffine(rgb, matrix, (finer * width, finer * height), flags=cv2.INTER_LINEAR)
