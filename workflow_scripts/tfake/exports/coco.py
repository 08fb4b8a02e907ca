"""COCO keypoints: ``images/{id}.png`` and one JSON file for the 70 points, one for the 478."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tfake.classes import FACE_CLASSES
from tfake.codes import PointState
from tfake.dataset.dataset import FaceDataset
from tfake.dataset.face import ThermalFace
from tfake.exports.point_sets import FACES_70, MESH_478, PointSet
from tfake.exports.samples import CORNER, has_mesh, iterate_faces, png, rgb_png, thermal_pixels
from tfake.publication.terms import terms_of

#: COCO's third number of a keypoint: labelled but not visible, and visible.
HIDDEN, VISIBLE = 1, 2
POINT_SETS = {"keypoints_70.json": FACES_70, "keypoints_478.json": MESH_478}


def write_coco(folder: Path, dataset: FaceDataset) -> None:
    """Write the images (counts of 0.01 K, or 8-bit grey values) and the annotations.

    Keypoints are measured from the image's corner, as COCO's are. Of the 70, points outside the image count as hidden:
    whether something covers one is not known. Of the 478, those that can be seen are visible. The segmentation is the
    face's: skin and features of the class map, exactly, as run lengths. Where the dataset has RGB, each image also
    names its ``rgb_file_name``.

    Args:
        folder: an empty folder.
        dataset: usable faces of one variant.
    """
    (folder / "images").mkdir()
    if "rgb" in dataset.fields:
        (folder / "rgb").mkdir()
    images: list[dict[str, Any]] = []
    annotations: dict[str, list[dict[str, Any]]] = {point_set.name: [] for point_set in POINT_SETS.values()}
    for face in iterate_faces(dataset):
        pixels = thermal_pixels(face)
        height, width = pixels.shape
        name = f"images/{face.image_id}.png"
        (folder / name).write_bytes(png(pixels))
        images.append({"id": face.row, "file_name": name, "width": width, "height": height, "license": 1})
        if face.rgb is not None:
            images[-1]["rgb_file_name"] = f"rgb/{face.image_id}.png"
            (folder / images[-1]["rgb_file_name"]).write_bytes(rgb_png(face.rgb))
        inside = ((face.landmarks_70 > -CORNER) & (face.landmarks_70 < [width - CORNER, height - CORNER])).all(axis=1)
        annotations[FACES_70.name].append(_annotation(face, face.landmarks_70, inside))
        if has_mesh(face):
            seen = face.landmarks_478_visibility == PointState.VISIBLE
            annotations[MESH_478.name].append(_annotation(face, face.landmarks_478, seen))
    (variant,) = dataset.variants
    terms = terms_of(dataset.attributes(f"variants/{variant}/thermal.zarr").get("license", "not stated"))
    for name, point_set in POINT_SETS.items():
        content = {
            "info": {"description": f"Synthetic thermal faces, variant {variant}", "version": "1.0"},
            "licenses": [{"id": 1, "name": terms.title, "url": terms.url, "attribution": terms.attribution}],
            "images": images,
            "annotations": annotations[point_set.name],
            "categories": [_category(point_set)],
        }
        (folder / name).write_text(json.dumps(content) + "\n")


def _annotation(face: ThermalFace, points: np.ndarray, visible: np.ndarray) -> dict[str, Any]:
    points = points.astype(np.float64) + CORNER
    low, high = points.min(axis=0), points.max(axis=0)
    states = np.where(visible, VISIBLE, HIDDEN)
    keypoints = np.column_stack([points.round(3), states])
    is_face = np.isin(face.segmentation, FACE_CLASSES)
    return {
        "id": face.row,
        "image_id": face.row,
        "category_id": 1,
        "keypoints": [int(value) if column == 2 else value for row in keypoints for column, value in enumerate(row)],
        "num_keypoints": len(points),
        "bbox": [round(float(value), 3) for value in (*low, *(high - low))],
        "area": int(is_face.sum()),
        "segmentation": run_lengths(is_face),
        "iscrowd": 0,
    }


def run_lengths(mask: np.ndarray) -> dict[str, list[int]]:
    """A mask as COCO's uncompressed run lengths.

    Args:
        mask: (H, W) bool.

    Returns:
        ``size``, height and width; ``counts``, lengths of runs down the columns, the first of False.
    """
    down = mask.ravel(order="F")
    changes = np.flatnonzero(down[1:] != down[:-1]) + 1
    counts = np.diff([0, *changes, down.size]).tolist()
    return {"size": list(mask.shape), "counts": [0, *counts] if down[0] else counts}


def _category(point_set: PointSet) -> dict[str, Any]:
    return {
        "id": 1,
        "name": "face",
        "supercategory": "person",
        "point_set": point_set.name,
        "keypoints": list(point_set.points),
        "skeleton": point_set.skeleton,
    }
