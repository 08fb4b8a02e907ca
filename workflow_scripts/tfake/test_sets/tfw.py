"""TFW, thermal faces in the wild (Kuzdeuov et al., 2021): boxes and five points, several faces an image.

Either CSV files ``image,xs,ys,xe,ye,p1x,…,p5y`` beside a folder of their own name that holds the images, or YOLO texts
``0 xc yc w h p1x … p5y``, in fractions of the image's size, beside the images or in ``labels/`` beside ``images/``.
"""

from collections.abc import Callable, Sequence
from pathlib import PurePosixPath

import cv2
import numpy as np

from tfake.archive.file_trees import FileTree, open_tree
from tfake.core.text_tables import decode_text, parse_number, read_rows
from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet
from tfake.test_sets.read_log import CONTENT_ERRORS, ReadLog, RowError, cells_of
from tfake.test_sets.set_images import ImageIndex, reader

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
    log, faces = ReadLog(), []
    tables = [name for name in tree.names if name.lower().endswith(".csv")]
    texts = [] if tables else [name for name in tree.names if name.lower().endswith(".txt")]
    if not tables and not texts:
        raise ValueError(f"{path}: expected TFW's CSV files or YOLO texts; found neither")
    images, read = ImageIndex(tree), reader(tree)
    for name in tables:
        _read_table(tree, name, log, faces, images)
    for name in texts:
        _read_text(tree, name, log, faces, images, read)
    return AnnotatedSet(tuple(faces), log, read)


def _read_table(tree: FileTree, table: str, log: ReadLog, faces: list[AnnotatedFace], images: ImageIndex) -> None:
    folder = PurePosixPath(table).with_suffix("")
    try:
        rows = list(read_rows(tree.read(table)))
    except ValueError as error:
        log.enter(table)
        log.exclude_for(table, error)
        return
    images.announce(row.cells[0] for row in rows if row.cells)
    for row in rows:
        if row.line == 1 and row.cells[1:2] == ("xs",):
            continue
        name = f"{table}:{row.line}"
        with log.reading(name):
            cells = cells_of(row)
            numbers = _parse_numbers(cells[1:])
            image = images.named(cells[0], folder.as_posix())
            faces.append(_face(name, image, numbers[:4], numbers[4:].reshape(5, 2), log, folder.name))


def _read_text(
    tree: FileTree,
    name: str,
    log: ReadLog,
    faces: list[AnnotatedFace],
    images: ImageIndex,
    read: Callable[[str], np.ndarray],
) -> None:
    try:
        lines = decode_text(tree.read(name)).split("\n")
        # A list of classes has no image either: it is no annotation of an image of this set.
        image = images.beside(name, ("images",))
        height, width = _read_shape(read, image)
    except CONTENT_ERRORS as error:
        log.enter(name)
        log.exclude_for(name, error)
        return
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        row = f"{name}:{number}"
        with log.reading(row):
            numbers = _parse_numbers(line.split()[1:])
            middle, extent = numbers[:2] * (width, height), numbers[2:4] * (width, height)
            # Fractions run from edge to edge of the image; pixel centres lie half a pixel inside.
            box = np.concatenate((middle - extent / 2, middle + extent / 2)) - 0.5
            points = numbers[4:].reshape(5, 2)
            points = np.where((points < 0).any(axis=1, keepdims=True), np.nan, points * (width, height) - 0.5)
            faces.append(_face(row, image, box, points, log, PurePosixPath(name).parent.name))


def _read_shape(read: Callable[[str], np.ndarray], image: str) -> tuple[int, int]:
    try:
        return read(image).shape[:2]
    except (ValueError, cv2.error) as error:
        raise RowError("unreadable_image", f"{image} is empty or no image") from error


def _parse_numbers(cells: Sequence[str]) -> np.ndarray:
    if len(cells) != _NUMBERS:
        raise RowError("wrong_length", f"expected {_NUMBERS} numbers, found {len(cells)}")
    return np.array([parse_number(cell) for cell in cells])


def _face(row: str, image: str, box: np.ndarray, points: np.ndarray, log: ReadLog, part: str) -> AnnotatedFace:
    left, top, right, bottom = map(float, box)
    if right <= left or bottom <= top:
        raise RowError("empty_box", f"{left:g} {top:g} {right:g} {bottom:g}")
    if np.isnan(points).any():
        log.warn(row, "points_missing", "the box alone counts")
    return AnnotatedFace(row, image, "tfw5", points, (left, top, right, bottom), {"part": part})
