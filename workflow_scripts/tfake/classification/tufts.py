"""The thermal part of the Tufts Face Database (Panetta et al., IEEE TPAMI 42, 2020): who is on each image.

``TD_IR_A_Set1`` to ``_Set4`` (seen from around) and ``TD_IR_E_Set1`` to ``_Set4`` (expressions) hold a folder a
participant, numbered on from set to set, with ``TD_IR_A_0.jpg``, ``TD_IR_E_1.jpg`` and so on. Boxes of the faces are
those of github.com/maxbbraun/tdface-annotations, ``bounding-boxes.csv``, where that lies in the folder, too: columns
``Set,Participant,File,Left,Top,Width,Height``.
"""

import re
from pathlib import PurePosixPath

import numpy as np

from tfake.archive.file_trees import FileTree, open_tree
from tfake.core.text_tables import parse_number, read_rows
from tfake.imaging.crops import Box
from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet
from tfake.test_sets.read_log import ReadLog, RowError, cells_of
from tfake.test_sets.set_images import reader

_IMAGE = re.compile(r"TD_IR_[AE]_\d+\.jpe?g", re.IGNORECASE)
_BOXES = "bounding-boxes.csv"
_COLUMNS = ("set", "participant", "file", "left", "top", "width", "height")
_UNKNOWN: Box = (np.nan, np.nan, np.nan, np.nan)
#: Images without a face have boxes of a pixel or two there.
_LEAST_PIXELS = 16.0


def open_tufts(path: str) -> AnnotatedSet:
    """List the thermal images.

    Args:
        path: the folder or zip.

    Returns:
        The set; ``groups`` hold ``subject``, the participant's number. Without boxes they are NaN.

    Raises:
        FileNotFoundError: no such folder or zip.
        ValueError: it holds no such image, or a table of boxes with other columns.
    """
    tree = open_tree(path, "the Tufts Face Database's thermal images")
    images = [name for name in tree.names if _IMAGE.fullmatch(PurePosixPath(name).name)]
    if not images:
        raise ValueError(f"{path}: expected TD_IR_A_Set*/ and TD_IR_E_Set*/ with NUMBER/TD_IR_*.jpg; found none")
    log, faces, boxes = ReadLog(), [], _read_boxes(tree)
    for name in images:
        with log.reading(name):
            faces.append(_read_face(name, boxes))
    return AnnotatedSet(tuple(faces), log, reader(tree))


def _read_face(name: str, boxes: dict[tuple[str, ...], Box] | None) -> AnnotatedFace:
    place = PurePosixPath(name)
    participant = place.parent.name
    if not participant.isdecimal():
        raise RowError("no_participant", f"expected a folder of a number, found {participant!r}")
    box = _UNKNOWN
    if boxes is not None:
        box = boxes.get((place.parent.parent.name, participant, place.name), _UNKNOWN)
        if not min(box[2] - box[0], box[3] - box[1]) >= _LEAST_PIXELS:
            raise RowError("no_face", f"{_BOXES} has no box for it, or one without extent")
    return AnnotatedFace(name, name, "", np.empty((0, 2)), box, {"subject": participant})


def _read_boxes(tree: FileTree) -> dict[tuple[str, ...], Box] | None:
    """Set, participant and file to box; None: there is no table."""
    name = next((name for name in tree.names if PurePosixPath(name).name == _BOXES), None)
    if name is None:
        return None
    header, *rows = read_rows(tree.read(name))
    if tuple(cell.lower() for cell in header.cells) != _COLUMNS:
        expected, found = ",".join(_COLUMNS), ",".join(header.cells)
        raise ValueError(f"{tree.where}: {name}: expected the columns {expected}; found {found}")
    boxes: dict[tuple[str, ...], Box] = {}
    for row in rows:
        if row.is_blank:
            continue
        cells = cells_of(row)
        if len(cells) != len(_COLUMNS):
            raise ValueError(f"{tree.where}: {name}:{row.line}: expected {len(_COLUMNS)} columns; found {len(cells)}")
        left, top, width, height = (parse_number(cell) for cell in cells[3:7])
        boxes[cells[:3]] = (left, top, left + width, top + height)
    return boxes
