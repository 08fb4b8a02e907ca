"""COCO keypoints: ``images/{id}.png``, and a JSON file each for the 70 and the 478 points, with names and skeletons."""

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tfake.core.classes import FACE_CLASSES
from tfake.core.codes import PointState
from tfake.pages.page_images import encode_png
from tfake.products.exports.image_folders import CORNER, has_mesh, iterate_faces, thermal_pixels
from tfake.products.publication.facts import terms_of
from tfake.reader.dataset import FaceDataset


@dataclass(frozen=True)
class PointSet:
    """A point set."""

    name: str
    points: tuple[str, ...]  # the name of each; left and right are the subject's
    lines: tuple[tuple[int, ...], ...]  # chains of point numbers, counted from 0, that are drawn as lines

    @property
    def skeleton(self) -> list[list[int]]:
        """Pairs of neighbours on the lines, counted from 1, as COCO does."""
        return [[first + 1, second + 1] for line in self.lines for first, second in pairwise(line)]


#: Part, its first point, its stop (exclusive), whether its line is closed (Sagonas et al. 2013).
_IBUG_PARTS = (
    ("jaw", 0, 17, False),
    ("right_brow", 17, 22, False),
    ("left_brow", 22, 27, False),
    ("nose_bridge", 27, 31, False),
    ("nose_base", 31, 36, False),
    ("right_eye", 36, 42, True),
    ("left_eye", 42, 48, True),
    ("outer_lip", 48, 60, True),
    ("inner_lip", 60, 68, True),
)
FACES_70 = PointSet(
    name="ibug68_and_pupils",
    points=(
        *(f"{part}_{point}" for part, start, stop, _ in _IBUG_PARTS for point in range(start, stop)),
        "right_pupil_68",
        "left_pupil_69",
    ),
    lines=tuple(
        (*range(start, stop), start) if closed else tuple(range(start, stop)) for _, start, stop, closed in _IBUG_PARTS
    ),
)

#: MediaPipe's own contours (``mediapipe.solutions.face_mesh.FACEMESH_CONTOURS`` and ``FACEMESH_IRISES``) as chains.
_MESH_LINES = (
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
    (263, 249, 390, 373, 374, 380, 381, 382, 362),
    (263, 466, 388, 387, 386, 385, 384, 398, 362),
    (276, 283, 282, 295, 285),
    (300, 293, 334, 296, 336),
    (33, 7, 163, 144, 145, 153, 154, 155, 133),
    (33, 246, 161, 160, 159, 158, 157, 173, 133),
    (46, 53, 52, 65, 55),
    (70, 63, 105, 66, 107),
    (
        *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
        *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109, 10),
    ),
    (469, 470, 471, 472, 469),
    (474, 475, 476, 477, 474),
)
MESH_478 = PointSet(
    name="mediapipe_face_mesh_478", points=tuple(f"mesh_{point}" for point in range(478)), lines=_MESH_LINES
)


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
        (folder / name).write_bytes(encode_png(pixels))
        images.append({"id": face.row, "file_name": name, "width": width, "height": height, "license": 1})
        if face.rgb is not None:
            images[-1]["rgb_file_name"] = f"rgb/{face.image_id}.png"
            (folder / images[-1]["rgb_file_name"]).write_bytes(encode_png(face.rgb))
        inside = ((face.landmarks_70 > -CORNER) & (face.landmarks_70 < [width - CORNER, height - CORNER])).all(axis=1)
        annotations[FACES_70.name].append(annotate(face.row, face.segmentation, face.landmarks_70, inside))
        if has_mesh(face):
            seen = face.landmarks_478_visibility == PointState.VISIBLE
            annotations[MESH_478.name].append(annotate(face.row, face.segmentation, face.landmarks_478, seen))
    (variant,) = dataset.variants
    terms = terms_of(dataset.attributes(f"variants/{variant}/thermal.zarr").get("license", "not stated"))
    for name, point_set in POINT_SETS.items():
        content = {
            "info": {"description": f"Synthetic thermal faces, variant {variant}", "version": "1.0"},
            "licenses": [{"id": 1, "name": terms.title, "url": terms.url, "attribution": terms.attribution}],
            "images": images,
            "annotations": annotations[point_set.name],
            "categories": [describe_points(point_set)],
        }
        (folder / name).write_text(json.dumps(content) + "\n")


def annotate(row: int, classes: np.ndarray, points: np.ndarray, visible: np.ndarray) -> dict[str, Any]:
    """The annotation of a face.

    Args:
        row: of the store, the id of image and annotation.
        classes: (H, W) uint8 class ids.
        points: (n, 2) pixels, centres at integers.
        visible: (n,) bool, which can be seen.
    """
    points = points.astype(np.float64) + CORNER
    low, high = points.min(axis=0), points.max(axis=0)
    states = np.where(visible, VISIBLE, HIDDEN)
    keypoints = np.column_stack([points.round(3), states])
    is_face = np.isin(classes, FACE_CLASSES)
    return {
        "id": row,
        "image_id": row,
        "category_id": 1,
        "keypoints": [
            int(value) if column == 2 else value for point in keypoints for column, value in enumerate(point)
        ],
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


def describe_points(point_set: PointSet) -> dict[str, Any]:
    """The category of a point set: its names and its skeleton."""
    return {
        "id": 1,
        "name": "face",
        "supercategory": "person",
        "point_set": point_set.name,
        "keypoints": list(point_set.points),
        "skeleton": point_set.skeleton,
    }
