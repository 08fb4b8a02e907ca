"""TFW, thermal faces in the wild (Kuzdeuov et al., 2021): boxes and five points, several faces an image.

Either CSV files ``image,xs,ys,xe,ye,p1x,…,p5y`` beside a folder of their own name that holds the images, or YOLO texts
``0 xc yc w h p1x … p5y``, as shares of the image's size, beside the images or in ``labels/`` beside ``images/``.
"""

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

import cv2
import numpy as np

from tfake.archive.file_trees import FileTree, open_tree
from tfake.core.text_tables import TableRow, decode_text, parse_number, read_rows
from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet
from tfake.test_sets.read_log import ReadLog
from tfake.test_sets.set_images import ImageIndex, ImageReferenceError, reader

_NUMBERS = 14


def open_tfw(path: str) -> AnnotatedSet:
    """Read the annotations.

    Args:
        path: the folder or zip, or one split or part of it (``test/outdoor.csv`` with ``test/outdoor/``).

    Raises:
        FileNotFoundError: no such folder or zip.
        ValueError: it holds neither form of annotation.
    """
    tree = open_tree(path, "TFW")
    read_log, faces = ReadLog(), []
    tables = [name for name in tree.names if name.lower().endswith(".csv")]
    texts = [] if tables else [name for name in tree.names if name.lower().endswith(".txt")]
    if not tables and not texts:
        raise ValueError(f"{path}: expected TFW's CSV files or YOLO texts; found neither")
    images, read = ImageIndex(tree), reader(tree)
    for name in tables:
        _read_table(tree, name, read_log, faces, images)
    for name in texts:
        _read_text(tree, name, read_log, faces, images, read)
    return AnnotatedSet(tuple(faces), read_log, read)


def _read_table(tree: FileTree, table: str, read_log: ReadLog, faces: list[AnnotatedFace], images: ImageIndex) -> None:
    folder = PurePosixPath(table).with_suffix("")
    rows = _rows(tree, table, read_log)
    images.announce(row.cells[0] for row in rows if row.cells)
    for row in rows:
        if row.line == 1 and row.cells[1:2] == ("xs",):
            continue
        name = f"{table}:{row.line}"
        read_log.enter(name)
        if row.fault or row.is_blank:
            read_log.exclude(name, "unreadable" if row.fault else "empty_row", row.fault)
            continue
        numbers = _numbers(row.cells[1:], name, read_log)
        if numbers is None:
            continue
        try:
            image = images.named(row.cells[0], folder.as_posix())
        except ImageReferenceError as error:
            read_log.exclude(name, error.fault, str(error))
            continue
        _enter(name, image, numbers[:4], numbers[4:].reshape(5, 2), read_log, faces, folder.name)


def _rows(tree: FileTree, table: str, read_log: ReadLog) -> list[TableRow]:
    try:
        return list(read_rows(tree.read(table)))
    except ValueError as error:
        read_log.enter(table)
        read_log.exclude_unreadable(table, error)
        return []


def _read_text(
    tree: FileTree,
    name: str,
    read_log: ReadLog,
    faces: list[AnnotatedFace],
    images: ImageIndex,
    read: Callable[[str], np.ndarray],
) -> None:
    try:
        lines = decode_text(tree.read(name)).split("\n")
    except ValueError as error:
        read_log.enter(name)
        read_log.exclude_unreadable(name, error)
        return
    try:
        image = images.beside(name, ("images",))
    except ImageReferenceError as error:
        # Whether it was meant to be one or is a list of classes: it is no annotation of an image of this set.
        read_log.enter(name)
        read_log.exclude(name, error.fault, str(error))
        return
    try:
        height, width = read(image).shape[:2]
    except (ValueError, cv2.error):
        read_log.enter(name)
        read_log.exclude(name, "unreadable_image", f"{image} is empty or no image")
        return
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        row = f"{name}:{number}"
        read_log.enter(row)
        numbers = _numbers(line.split()[1:], row, read_log)
        if numbers is None:
            continue
        middle, extent = numbers[:2] * (width, height), numbers[2:4] * (width, height)
        # Shares run from edge to edge of the image; pixel centres lie half a pixel inside.
        box = np.concatenate((middle - extent / 2, middle + extent / 2)) - 0.5
        points = numbers[4:].reshape(5, 2)
        points = np.where((points < 0).any(axis=1, keepdims=True), np.nan, points * (width, height) - 0.5)
        _enter(row, image, box, points, read_log, faces, PurePosixPath(name).parent.name)


def _numbers(cells: Sequence[str], row: str, read_log: ReadLog) -> np.ndarray | None:
    if len(cells) != _NUMBERS:
        read_log.exclude(row, "wrong_length", f"expected {_NUMBERS} numbers, found {len(cells)}")
        return None
    try:
        return np.array([parse_number(cell) for cell in cells])
    except ValueError as error:
        read_log.exclude_unreadable(row, error)
        return None


def _enter(row, image, box, points, read_log: ReadLog, faces: list[AnnotatedFace], part: str) -> None:
    left, top, right, bottom = map(float, box)
    if right <= left or bottom <= top:
        read_log.exclude(row, "empty_box", f"{left:g} {top:g} {right:g} {bottom:g}")
        return
    if np.isnan(points).any():
        read_log.warn(row, "points_missing", "the box alone counts")
    faces.append(AnnotatedFace(row, image, "tfw5", points, (left, top, right, bottom), {"part": part}))
