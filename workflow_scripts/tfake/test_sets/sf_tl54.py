"""SF-TL54 (Kuzdeuov et al., 2021): labelme JSON files in ``json/``, their images in ``images/`` beside it.

A file has the shapes ``face``, a rectangle, and eight groups of points. Their order is the order of the 54 points.
"""

import json
from pathlib import PurePosixPath

import numpy as np

from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet, box_of
from tfake.test_sets.read_log import ReadLog
from tfake.test_sets.set_images import ImageIndex, read_annotations

GROUPS = {
    "chin": 17,
    "left_eyebrow": 5,
    "right_eyebrow": 5,
    "nose_bridge": 4,
    "nose_tip": 5,
    "left_eye": 6,
    "right_eye": 6,
    **{f"lip_p{number}": 1 for number in range(1, 7)},
}


def open_sf_tl54(path: str) -> AnnotatedSet:
    """Read the annotations.

    Args:
        path: the folder or zip; one palette and one split of it (``gray/test``), or more.

    Raises:
        FileNotFoundError: no such folder or zip.
        ValueError: it holds no JSON.
    """
    return read_annotations(path, "SF-TL54", ".json", "labelme .json files", _read_face)


def _read_face(name: str, text: str, images: ImageIndex, log: ReadLog) -> AnnotatedFace:
    content = json.loads(text)
    points, box = parse_shapes(content)
    image = images.beside(name, ("images",), str(content.get("imagePath") or ""))
    if box is None:
        log.warn(name, "no_box", "the box of the points stands in")
    groups = {"subject": PurePosixPath(name).stem.split("_")[0]}
    return AnnotatedFace(name, image, "sf_tl54", points, box or box_of(points), groups)


def parse_shapes(content: dict) -> tuple[np.ndarray, tuple[float, float, float, float] | None]:
    """The points and the box of one parsed labelme file.

    Returns:
        (54, 2) float64 pixels, and left, top, right, bottom of the rectangle ``face``; None without one, or where it
        has no area: a click.

    Raises:
        ValueError: a group is missing, is there twice, or has another number of points; a number is not finite.
        KeyError, TypeError, AttributeError: it is no labelme file.
    """
    box, groups = None, {}
    for shape in content["shapes"]:
        points = np.array(shape["points"], dtype=np.float64).reshape(-1, 2)
        if not np.isfinite(points).all():
            raise ValueError(f"{shape['label']}: a coordinate is not finite")
        if shape["label"] == "face":
            left, top, right, bottom = box_of(points)
            box = (left, top, right, bottom) if right > left and bottom > top else None
        elif shape["label"] in groups:
            raise ValueError(f"{shape['label']} is there twice")
        else:
            groups[shape["label"]] = points
    for label, count in GROUPS.items():
        if len(groups.get(label, ())) != count:
            raise ValueError(f"{label}: expected {count} points, found {len(groups.get(label, ()))}")
    return np.concatenate([groups[label] for label in GROUPS]), box
