"""SF-TL54 (Kuzdeuov et al., 2021): labelme JSON files in ``json/``, their images in ``images/`` beside it.

A file has the shapes ``face``, a rectangle, and eight groups of points. Their order is the order of the 54 points.
"""

import json
from pathlib import PurePosixPath

import numpy as np

from tfake.evaluation_sets.account import Account
from tfake.evaluation_sets.faces import AnnotatedFace, EvaluationSet, box_of
from tfake.evaluation_sets.pictures import beside, reader
from tfake.sources.file_trees import open_tree

GROUPS = {
    "chin": 17,
    "left_eyebrow": 5,
    "right_eyebrow": 5,
    "nose_bridge": 4,
    "nose_tip": 5,
    "left_eye": 6,
    "right_eye": 6,
    "lip_p1": 1,
    "lip_p2": 1,
    "lip_p3": 1,
    "lip_p4": 1,
    "lip_p5": 1,
    "lip_p6": 1,
}


def open_sf_tl54(path: str) -> EvaluationSet:
    """Read the annotations.

    Args:
        path: the folder or zip; one palette and one split of it (``gray/test``), or more.

    Raises:
        FileNotFoundError: no such folder or zip.
        ValueError: it holds no JSON.
    """
    tree = open_tree(path, "SF-TL54")
    files = [name for name in tree.names if PurePosixPath(name).suffix.lower() == ".json"]
    if not files:
        raise ValueError(f"{path}: expected labelme .json files; found none")
    account, faces = Account(), []
    for name in files:
        account.enter(name)
        try:
            points, box = parse_shapes(json.loads(tree.read(name)))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            account.leave_out(name, "unreadable", f"{type(error).__name__}: {error}")
            continue
        image = beside(tree, name, ("images",))
        if image is None:
            account.leave_out(name, "no_image", "no image of this name beside it or in images/")
            continue
        if box is None:
            account.remark(name, "no_box", "the box of the points stands in")
        groups = {"subject": PurePosixPath(name).stem.split("_")[0]}
        faces.append(AnnotatedFace(name, image, "sf_tl54", points, box or box_of(points), groups))
    return EvaluationSet(tuple(faces), account, reader(tree))


def parse_shapes(content: dict) -> tuple[np.ndarray, tuple[float, float, float, float] | None]:
    """The points and the box of one labelme file.

    Args:
        content: the parsed file.

    Returns:
        (54, 2) float64 pixels, and left, top, right, bottom of the rectangle ``face`` or None.

    Raises:
        ValueError: a group is missing, is there twice, or has another number of points.
        KeyError: it is no labelme file.
    """
    box, groups = None, {}
    for shape in content["shapes"]:
        points = np.array(shape["points"], dtype=np.float64).reshape(-1, 2)
        if shape["label"] == "face":
            (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
            box = (float(left), float(top), float(right), float(bottom))
        elif shape["label"] in groups:
            raise ValueError(f"{shape['label']} is there twice")
        else:
            groups[shape["label"]] = points
    for label, count in GROUPS.items():
        if len(groups.get(label, ())) != count:
            raise ValueError(f"{label}: expected {count} points, found {len(groups.get(label, ()))}")
    return np.concatenate([groups[label] for label in GROUPS]), box
