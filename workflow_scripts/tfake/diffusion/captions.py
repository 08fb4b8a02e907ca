"""What a picture is described by, in words: a template whose parts are filled from a face's labels.

Nothing is guessed: who a person seems to be and what the face expresses are told by a table of attributes
(``image_id`` and a column a field), and a part of the template that nobody can fill is left out.
"""

import csv
import math
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tfake.core.classes import FACE_CLASSES, FaceClass
from tfake.reader.face import ThermalFace

# Braces would be Snakemake's.
_FIELD = re.compile(r"\[(.*?)\]")
#: Degrees from which a head counts as turned.
_TURNED, _PROFILE, _TILTED = 15.0, 50.0, 15.0
#: Opening of the inner lips over their width from which a mouth counts as open.
_OPEN_MOUTH = 0.25
#: Pixels of frames, or of a hat, over those of the face from which they count as worn.
_WORN_SHARE = 0.01
#: iBUG-68's points of the inner lips: both corners, then the middle above and below.
_INNER_LIPS = (60, 64, 62, 66)

Attributes = Mapping[str, Mapping[str, str]]


def read_attributes(path: str | Path) -> dict[str, dict[str, str]]:
    """Read a table of attributes.

    Args:
        path: CSV with the column ``image_id``, and a column a field of the template; empty cells are unknown.

    Returns:
        Image id to the fields that are known of it.

    Raises:
        ValueError: there is no column ``image_id``, or an id twice.
    """
    with open(path, encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if "image_id" not in (rows.fieldnames or ()):
            raise ValueError(f"{path}: expected a column image_id, found {', '.join(rows.fieldnames or ('none',))}")
        table: dict[str, dict[str, str]] = {}
        for row in rows:
            image_id = row.pop("image_id")
            if image_id in table:
                raise ValueError(f"{path}, line {rows.line_num}: the id {image_id!r} is there twice")
            table[image_id] = {name: text.strip() for name, text in row.items() if name and text and text.strip()}
    return table


def describe_face(face: ThermalFace, ambient_celsius: float, known: Mapping[str, str]) -> dict[str, str]:
    """The fields of a face, each a phrase.

    Args:
        face: with ``segmentation`` and ``landmarks_70``.
        ambient_celsius: temperature of the room.
        known: what a table says of it; it counts more than the labels.

    Returns:
        Field to phrase; fields that are unknown are not in it.
    """
    fields = {
        "pose": _describe_pose(face.head_pose),
        "expression": _describe_mouth(face.landmarks_70),
        **_describe_worn(face.segmentation),
        "ambient": f"in a room of {ambient_celsius:.0f} degrees Celsius",
    }
    return {name: phrase for name, phrase in {**fields, **known}.items() if phrase}


def fill_template(template: str, fields: Mapping[str, str]) -> str:
    """A caption.

    Args:
        template: parts between commas, each with any number of ``[field]``; a part with an unknown field is left out.
        fields: of :func:`describe_face`.

    Raises:
        ValueError: no part is left.
    """
    parts = [part.strip() for part in template.split(",")]
    known = [part for part in parts if template_fields(part) <= fields.keys()]
    caption = ", ".join(_FIELD.sub(lambda field: fields[field[1]], part) for part in known if part)
    if not caption:
        raise ValueError(f"caption: no part of {template!r} can be filled; known are {', '.join(fields)}")
    return caption


def template_fields(template: str) -> set[str]:
    """The fields that a template names.

    Raises:
        ValueError: brackets hold no name.
    """
    names = set(_FIELD.findall(template))
    if bad := [name for name in names if not name.isidentifier()]:
        raise ValueError(f"caption: expected fields such as [pose], found [{bad[0]}] in {template!r}")
    return names


def _describe_pose(degrees: np.ndarray) -> str:
    yaw, pitch, _ = map(float, degrees)
    if math.isnan(yaw):
        return ""
    side = "right" if yaw > 0 else "left"
    turned = "in profile to" if abs(yaw) >= _PROFILE else "turned to"
    words = [f"{turned} the {side} of the picture" if abs(yaw) >= _TURNED else "facing the camera"]
    if abs(pitch) >= _TILTED:
        words.append("looking up" if pitch > 0 else "looking down")
    return " and ".join(words)


def _describe_mouth(points: np.ndarray | None) -> str:
    if points is None or not np.isfinite(points).all():
        return ""
    right, left, above, below = (points[place] for place in _INNER_LIPS)
    width = float(np.linalg.norm(left - right))
    return "mouth open" if np.linalg.norm(below - above) > _OPEN_MOUTH * max(width, 1e-6) else "mouth closed"


def _describe_worn(classes: np.ndarray | None) -> dict[str, str]:
    if classes is None:
        return {}
    face = np.isin(classes, FACE_CLASSES).sum()
    if not face:
        return {}
    worn = {name: (classes == value).sum() >= _WORN_SHARE * face for name, value in _WORN.items()}
    return {
        "glasses": "wearing glasses" if worn["glasses"] else "without glasses",
        "headwear": "wearing a hat" if worn["headwear"] else "",
    }


_WORN = {"glasses": FaceClass.GLASSES, "headwear": FaceClass.HEADWEAR}
