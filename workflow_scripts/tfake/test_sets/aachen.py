"""The thermal face database of RWTH Aachen (Kopaczka et al., 2018): Menpo LJSON files beside their images.

Version 2 of LJSON holds one list of points, **[y, x]**, with ``null`` for what is missing, and a mask for each group of
them; version 3 holds the same under a name. Groups are put into iBUG's order here. Which of two brows or eyes is which
is taken from the image, since annotators mean by "left" now the subject's and now the image's: iBUG begins with the one
at the image's left.
"""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

import numpy as np

from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet, box_of
from tfake.test_sets.read_log import ReadLog
from tfake.test_sets.set_images import ImageIndex, read_annotations

#: iBUG-68 in groups: what the group's name contains, and its first and last point.
_SINGLE = {"jaw": (0, 17), "chin": (0, 17), "nose": (27, 36), "mouth": (48, 68)}
_PAIRED = {"brow": ((17, 22), (22, 27)), "eye": ((36, 42), (42, 48))}


def open_aachen(path: str) -> AnnotatedSet:
    """Read the annotations, ``*.ljson`` beside the images of a folder or zip.

    Raises:
        FileNotFoundError: no such folder or zip.
        ValueError: it holds no LJSON.
    """
    title, expected = "the Aachen thermal face database", "Menpo .ljson files beside the images"
    return read_annotations(path, title, ".ljson", expected, _read_face)


def _read_face(name: str, text: str, images: ImageIndex, log: ReadLog) -> AnnotatedFace:
    points = ibug_points(json.loads(text))
    image = images.beside(name)
    missing = int(np.isnan(points).any(axis=1).sum())
    if 0 < missing < len(points):
        log.warn(name, "points_missing", f"{missing} of 68 are null")
    groups = {"subject": PurePosixPath(name).stem.split("_")[0]}
    return AnnotatedFace(name, image, "ibug68", points, box_of(points), groups)


def ibug_points(content: dict) -> np.ndarray:
    """The 68 points of a parsed LJSON file in iBUG's order: (68, 2) float64 [x, y]; NaN for null.

    Raises:
        ValueError: it has another number of points, or groups that are not iBUG's.
        KeyError, TypeError, AttributeError: it is no LJSON of version 2 or 3.
    """
    if "groups" in content:
        if len(content["groups"]) != 1:
            raise ValueError(f"expected one group of landmarks, found {', '.join(content['groups']) or 'none'}")
        (content,) = content["groups"].values()
    listed = [(None, None) if pair is None else pair for pair in content["landmarks"]["points"]]
    if len(listed) != 68 or any(len(pair) != 2 for pair in listed):
        raise ValueError(f"expected 68 points [y, x], found {len(listed)}, the first {listed[:1]}")
    # [y, x] in the file.
    points = np.array([[np.nan if v is None else float(v) for v in pair] for pair in listed])[:, ::-1]
    if np.isinf(points).any():
        raise ValueError("a coordinate is infinite")
    if not all(isinstance(group, dict) for group in content.get("labels") or []):
        raise ValueError(f"expected labels with a mask each, found {content['labels']}")
    groups = [(str(group["label"]).lower(), _indices(group["mask"])) for group in content.get("labels") or []]
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


def _assign(groups: list[tuple[str, np.ndarray]], points: np.ndarray) -> Iterator[tuple[tuple[int, int], np.ndarray]]:
    for key, pair in _PAIRED.items():
        # "eyebrow" holds "eye".
        own = [mask for label, mask in groups if key in label and not (key == "eye" and "brow" in label)]
        if len(own) != 2:
            raise ValueError(f"expected two groups of {key}s, found {len(own)}")
        # A group without any point goes by its place in the file.
        own.sort(key=lambda mask: np.nan_to_num(points[mask, 0]).sum() / max(1, np.isfinite(points[mask, 0]).sum()))
        yield from zip(pair, own, strict=True)
    for label, mask in groups:
        place = next((place for key, place in _SINGLE.items() if key in label), None)
        if place is not None:
            start = place[0]
            if label.endswith(("tip", "inner")) or "tip" in label or "inner" in label:
                start = place[1] - len(mask)
            yield (start, start + len(mask)), mask


def _indices(mask: list[bool] | list[int]) -> np.ndarray:
    """A mask as indices: LJSON has either a flag a point or the numbers of the points."""
    is_flags = all(isinstance(entry, bool) for entry in mask)
    if is_flags and len(mask) != 68:
        raise ValueError(f"expected a flag for each of 68 points, found {len(mask)}")
    if not is_flags and not all(type(entry) is int and 0 <= entry < 68 for entry in mask):
        raise ValueError(f"expected numbers of points, 0 to 67, found {mask}")
    return np.flatnonzero(mask) if is_flags else np.array(mask, dtype=int)
