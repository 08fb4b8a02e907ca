"""Labelling a folder of anybody's thermal pictures: which faces a teacher is sure of, and why not of the others."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tfake.archive.pairs import open_pairs
from tfake.archive.thermal_images import open_thermal_images
from tfake.imaging.crops import Box
from tfake.labels.detection import Backend
from tfake.labels.teacher import TaughtFace, TeacherSettings, Verdict, find_boxes, teach
from tfake.landmarks.real_faces import RealFace

#: What is counted of pictures; faces are counted by their verdicts.
_WITHOUT, _UNREADABLE = "pictures_without_face", "pictures_unreadable"


class _Picture(NamedTuple):
    name: str
    subject: str
    thermal: np.ndarray
    partner: np.ndarray | None


@dataclass(frozen=True)
class RealFolder:
    """Thermal pictures, as an entry of ``landmarks.real`` states them.

    Attributes:
        path: a folder or zip.
        values: what the pictures hold (:func:`tfake.thermal_io.scales.parse_scale`).
        partners: how pictures and their registered visible partners are named, a layout of
            :data:`tfake.archive.pairs.PAIR_LAYOUTS`; None: there are none.
        boxes: a JSON of name to [[left, top, right, bottom], ...]; None: faces are looked for.
        subjects: a regular expression whose first group, or whole match, is who is on a picture, by its name; None:
            what the pairs' layout says, and else each file is one of its own.
    """

    path: str
    values: str | Mapping[str, Any]
    partners: str | None = None
    boxes: str | None = None
    subjects: str | None = None


def label_folder(
    folder: RealFolder, backend: Backend, settings: TeacherSettings
) -> tuple[list[RealFace], dict[str, int]]:
    """Label the faces of a folder.

    Args:
        folder: the pictures.
        backend: what finds meshes.
        settings: when it is believed.

    Returns:
        The faces that it is sure of; and how many pictures there are (``pictures``), without a face and unreadable, and
        faces by verdict.

    Raises:
        FileNotFoundError: no such folder or file of boxes.
        ValueError: the folder holds no such pictures, a name without a subject, or wrong boxes.
    """
    boxes = None if folder.boxes is None else read_boxes(folder.boxes)
    counts: Counter[str] = Counter(dict.fromkeys(("pictures", _WITHOUT, _UNREADABLE, *Verdict), 0))
    faces: list[RealFace] = []
    names, is_relative, pictures = _open(folder, counts)
    if boxes is not None and (unknown := sorted(boxes.keys() - set(names))):
        raise ValueError(f"{folder.boxes}: {folder.path} has no picture {', '.join(unknown[:5])}")
    for picture in pictures:
        seen = picture.thermal if picture.partner is None else picture.partner
        known = find_boxes(backend, seen) if boxes is None else boxes.get(picture.name, [])
        counts[_WITHOUT] += not known
        for number, box in enumerate(known):
            taught = teach(backend, picture.thermal, box, settings, picture.partner)
            counts[taught.verdict] += 1
            if taught.verdict is Verdict.SURE:
                name = picture.name if len(known) == 1 else f"{picture.name}@{number}"
                faces.append(_cut(name, picture, is_relative, taught))
    return faces, dict(counts)


def read_boxes(path: str | Path) -> dict[str, list[Box]]:
    """Boxes of faces by picture, from a JSON of name to [[left, top, right, bottom], ...] in pixels.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it is no such JSON.
    """
    expected = f"{path}: expected a JSON of name to [[left, top, right, bottom], ...]"
    try:
        listed = json.loads(Path(path).read_text(encoding="utf-8"))
        found = {name: np.array(boxes, float).reshape(-1, 4) for name, boxes in listed.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"{expected} ({error})") from error
    for name, boxes in found.items():
        if not (np.isfinite(boxes).all() and (boxes[:, 2:] > boxes[:, :2]).all()):
            raise ValueError(f"{expected}; found {boxes.tolist()} of {name}")
    return {name: [tuple(box) for box in boxes.tolist()] for name, boxes in found.items()}


def subject_of(name: str, pattern: str | None, otherwise: str) -> str:
    """Who is on a picture of a name.

    Raises:
        ValueError: the pattern does not occur in it.
    """
    if pattern is None:
        return otherwise
    match = re.search(pattern, name)
    if match is None:
        raise ValueError(f"subjects: expected {pattern!r} in every picture's name; not found in {name!r}")
    return match[1] if match.re.groups else match[0]


def _open(folder: RealFolder, counts: Counter[str]) -> tuple[list[str], bool, Iterator[_Picture]]:
    """Names of a folder's pictures, whether their values are relative, and the pictures one by one."""
    if folder.partners is None:
        images = open_thermal_images(folder.path, folder.values)
        # Frames of one film show one person, as far as anybody knows.
        own = [name.partition("#")[0] for name in images.names]
        opened: Any = images
    else:
        opened = open_pairs(folder.path, folder.values, folder.partners)
        own = [subject or name for subject, name in zip(opened.subjects, opened.names, strict=True)]
    subjects = [subject_of(name, folder.subjects, other) for name, other in zip(opened.names, own, strict=True)]

    def read() -> Iterator[_Picture]:
        for place, (name, subject) in enumerate(zip(opened.names, subjects, strict=True)):
            counts["pictures"] += 1
            try:
                item = opened[place]
            except ValueError:
                counts[_UNREADABLE] += 1
                continue
            thermal, partner = (item[0], None) if folder.partners is None else (item.thermal, item.rgb)
            yield _Picture(name, subject, thermal, partner)

    return list(opened.names), opened.values == "relative", read()


def _cut(name: str, picture: _Picture, is_relative: bool, taught: TaughtFace) -> RealFace:
    return RealFace.cut(name, picture.subject, picture.thermal, is_relative, taught.mesh, taught.disagreement)
