"""The viewer's data: a few small scripts a face beside the page, read when the face is opened.

A page opened from the disk may not fetch its neighbours, but it may run scripts that lie beside it; so each file calls
``tfakeData(name, data)``. ``faces/{row}.js`` has the photograph and the source's labels, ``faces/{row}.{v}.js`` the
image of variant number v, and its own labels where it has some.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from tfake.archive.samples import read_rgb
from tfake.archive.zip_archive import open_archive
from tfake.core.codes import SampleStatus
from tfake.pages.page_images import full_photo_uri, pack
from tfake.products.report.gallery import VariantImages
from tfake.store.arrays import StoreGroup, open_store

#: Places of the points are told to a hundredth of a pixel.
_DECIMALS = 2
#: A variant's picture of the source is at least this wide, however few pixels its camera has.
_LEAST_PHOTO_PIXELS = 512
#: Blur before shrinking, in pixels of the shrunken picture.
_BLUR = 0.4


def write_faces(
    folder: str | Path,
    archive: Sequence[str],
    index: pd.DataFrame,
    faces: str | Path,
    variants: Sequence[VariantImages],
    rows: Sequence[int],
) -> int:
    """Write the data of some faces.

    Args:
        folder: for the files; made if need be.
        archive: one zip, or all its raw split parts in order.
        index: the archive's index.
        faces: the ``faces.zarr`` of the source.
        variants: in the page's order.
        rows: the faces; those that cannot be used are left out.

    Returns:
        How many bytes were written.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    labels, opened = open_store(faces), open_archive(archive)
    pixels = labels["segmentation"].shape[1]
    # By its arrival the page knows that this folder lies beside it.
    written = _write(folder, "here", {})
    for record in tqdm(index.iloc[list(rows)].itertuples(), "write faces for the viewer", len(rows)):
        if record.status != SampleStatus.OK:
            continue
        row = record.Index
        rgb = read_rgb(opened, record, pixels)
        written += _write(folder, f"{row}", {"rgb": full_photo_uri(rgb), **_labels(labels, row)})
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
            written += _write(folder, f"{row}.{number}", data)
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


def _write(folder: Path, name: str, data: dict[str, Any]) -> int:
    text = f"tfakeData({json.dumps(name)},{json.dumps(data, separators=(',', ':'), allow_nan=False)});\n"
    return (folder / f"{name}.js").write_text(text, encoding="ascii")
