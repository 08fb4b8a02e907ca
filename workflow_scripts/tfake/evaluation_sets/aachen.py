"""The thermal face database of RWTH Aachen (Kopaczka et al., 2018): Menpo LJSON files beside their images.

Version 2 of LJSON holds one list of points, **[y, x]**, with ``null`` for what is missing, and a mask for each group of
them. Groups are put into iBUG's order here. Which of two brows or eyes is which is taken from the image, since
annotators mean by "left" now the subject's and now the image's: iBUG begins with the one at the image's left.
"""

import json
from pathlib import PurePosixPath

import numpy as np

from tfake.evaluation_sets.account import Account
from tfake.evaluation_sets.faces import AnnotatedFace, EvaluationSet, box_of
from tfake.evaluation_sets.pictures import beside, reader
from tfake.sources.file_trees import open_tree

#: iBUG-68 in groups: what the group's name contains, and its first and last point.
_SINGLE = {"jaw": (0, 17), "chin": (0, 17), "nose": (27, 36), "mouth": (48, 68)}
_PAIRED = {"brow": ((17, 22), (22, 27)), "eye": ((36, 42), (42, 48))}


def open_aachen(path: str) -> EvaluationSet:
    """Read the annotations.

    Args:
        path: the folder or zip, ``*.ljson`` beside the images.

    Raises:
        FileNotFoundError: no such folder or zip.
        ValueError: it holds no LJSON.
    """
    tree = open_tree(path, "the Aachen thermal face database")
    files = [name for name in tree.names if PurePosixPath(name).suffix.lower() == ".ljson"]
    if not files:
        raise ValueError(f"{path}: expected Menpo .ljson files beside the images; found none")
    account, faces = Account(), []
    for name in files:
        account.enter(name)
        try:
            points = ibug_points(json.loads(tree.read(name)))
        except (ValueError, KeyError, TypeError) as error:
            account.leave_out(name, "unreadable", f"{type(error).__name__}: {error}")
            continue
        image = beside(tree, name)
        if image is None:
            account.leave_out(name, "no_image", "no image of this name beside it")
            continue
        missing = int(np.isnan(points[:, 0]).sum())
        if missing == len(points):
            account.leave_out(name, "no_points")
            continue
        if missing:
            account.remark(name, "points_missing", f"{missing} of 68 are null")
        groups = {"subject": PurePosixPath(name).stem.split("_")[0]}
        faces.append(AnnotatedFace(name, image, "ibug68", points, box_of(points), groups))
    return EvaluationSet(tuple(faces), account, reader(tree))


def ibug_points(content: dict) -> np.ndarray:
    """The 68 points of an LJSON file in iBUG's order.

    Args:
        content: the parsed file.

    Returns:
        (68, 2) float64 [x, y]; NaN for null.

    Raises:
        ValueError: it has another number of points, or groups that are not iBUG's.
        KeyError: it is no LJSON of version 2.
    """
    listed = content["landmarks"]["points"]
    # [y, x] in the file.
    points = np.array([[np.nan if v is None else float(v) for v in pair] for pair in listed])[:, ::-1]
    if points.shape != (68, 2):
        raise ValueError(f"expected 68 points, found {len(points)}")
    groups = [(str(group["label"]).lower(), np.array(group["mask"])) for group in content.get("labels", [])]
    if len(groups) < 2:
        return points
    ordered = np.full((68, 2), np.nan)
    filled = np.zeros(68, dtype=int)
    for places, found in _assign(groups, points):
        chosen = points[found]
        if len(chosen) != places[1] - places[0]:
            raise ValueError(f"a group for points {places[0]} to {places[1] - 1} has {len(chosen)} points")
        ordered[slice(*places)] = chosen
        filled[slice(*places)] += 1
    if not (filled == 1).all():
        raise ValueError(f"the groups fill {int((filled == 1).sum())} of 68 points once")
    return ordered


def _assign(groups: list[tuple[str, np.ndarray]], points: np.ndarray):
    for key, pair in _PAIRED.items():
        # "eyebrow" holds "eye".
        own = [mask for label, mask in groups if key in label and not (key == "eye" and "brow" in label)]
        own.sort(key=lambda mask: np.nanmean(points[_indices(mask), 0]))
        yield from ((place, _indices(mask)) for place, mask in zip(pair, own, strict=True))
    for label, mask in groups:
        place = next((place for key, place in _SINGLE.items() if key in label), None)
        if place is not None:
            start = place[0]
            if label.endswith(("tip", "inner")) or "tip" in label or "inner" in label:
                start = place[1] - len(_indices(mask))
            yield (start, start + len(_indices(mask))), _indices(mask)


def _indices(mask: np.ndarray) -> np.ndarray:
    """A mask as indices: LJSON has either a flag a point or the numbers of the points."""
    return np.flatnonzero(mask) if mask.dtype == bool else mask
