"""COCO keypoints: ``images/{id}.png`` and one JSON file for the 70 points, one for the 478."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tfake.classes import FACE_CLASSES
from tfake.dataset.dataset import FaceDataset
from tfake.dataset.face import ThermalFace
from tfake.exports.samples import CORNER, has_mesh, iterate_faces, png, thermal_pixels
from tfake.labels.status import PointState

#: COCO's third number of a keypoint: labelled but not visible, and visible.
HIDDEN, VISIBLE = 1, 2
POINT_SETS = {"keypoints_70.json": 70, "keypoints_478.json": 478}


def write_coco(folder: Path, dataset: FaceDataset) -> None:
    """Write the images (counts of 0.01 K, or 8-bit grey values) and the annotations.

    Keypoints are measured from the image's corner, as COCO's are. Of the 70, points outside the image count as hidden:
    whether something covers one is not known. Of the 478, those that can be seen are visible.

    Args:
        folder: an empty folder.
        dataset: usable faces of one variant.
    """
    (folder / "images").mkdir()
    images: list[dict[str, Any]] = []
    annotations: dict[int, list[dict[str, Any]]] = {70: [], 478: []}
    for face in iterate_faces(dataset):
        pixels = thermal_pixels(face)
        height, width = pixels.shape
        name = f"images/{face.image_id}.png"
        (folder / name).write_bytes(png(pixels))
        images.append({"id": face.row, "file_name": name, "width": width, "height": height})
        inside = ((face.landmarks_70 > -CORNER) & (face.landmarks_70 < [width - CORNER, height - CORNER])).all(axis=1)
        annotations[70].append(_annotation(face, face.landmarks_70, inside))
        if has_mesh(face):
            seen = face.landmarks_478_visibility == PointState.VISIBLE
            annotations[478].append(_annotation(face, face.landmarks_478, seen))
    for name, points in POINT_SETS.items():
        content = {
            "info": {"description": "Synthetic thermal faces", "version": "1.0"},
            "images": images,
            "annotations": annotations[points],
            "categories": [_category(points)],
        }
        (folder / name).write_text(json.dumps(content) + "\n")


def _annotation(face: ThermalFace, points: np.ndarray, visible: np.ndarray) -> dict[str, Any]:
    points = points.astype(np.float64) + CORNER
    low, high = points.min(axis=0), points.max(axis=0)
    states = np.where(visible, VISIBLE, HIDDEN)
    keypoints = np.column_stack([points.round(3), states])
    return {
        "id": face.row,
        "image_id": face.row,
        "category_id": 1,
        "keypoints": [int(value) if column == 2 else value for row in keypoints for column, value in enumerate(row)],
        "num_keypoints": len(points),
        "bbox": [round(float(value), 3) for value in (*low, *(high - low))],
        "area": int(np.isin(face.segmentation, FACE_CLASSES).sum()),
        "iscrowd": 0,
    }


def _category(points: int) -> dict[str, Any]:
    return {
        "id": 1,
        "name": "face",
        "supercategory": "person",
        "keypoints": [f"ibug_{point}" if points == 70 else f"mesh_{point}" for point in range(points)],
        "skeleton": [],
    }
