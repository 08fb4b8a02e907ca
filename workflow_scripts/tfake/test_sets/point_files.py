"""Folders of images with their points: 300-W's ``.pts`` beside each image, or one CSV in the manner of AFLW's lists.

The CSV has a column ``image_name`` (or ``image``) and the points as ``original_0_x, original_0_y, …`` (HRNet's lists of
AFLW and 300-W) or ``x0, y0, …``. How many points there are says what they mean: 5, 19, 54, 68, 70, 73 or 478.
"""

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import numpy as np

from tfake.archive.file_trees import FileTree, open_tree
from tfake.core.text_tables import decode_text, parse_number, read_rows
from tfake.labels.conventions import conventions
from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet, box_of
from tfake.test_sets.read_log import ReadLog, RowError, cells_of
from tfake.test_sets.set_images import ImageIndex, reader

_COLUMN = re.compile(r"(?:original_(\d+)_([xy])|([xy])(\d+))")
_IMAGE_COLUMNS = ("image_name", "image", "file")


def open_point_files(path: str) -> AnnotatedSet:
    """Read the annotations of a folder or zip.

    Raises:
        FileNotFoundError: no such folder or zip.
        ValueError: it holds neither form of annotation.
    """
    tree = open_tree(path, "images with .pts files or a CSV of points")
    log, faces, images = ReadLog(), [], ImageIndex(tree)
    texts = [name for name in tree.names if name.lower().endswith(".pts")]
    tables = [name for name in tree.names if name.lower().endswith(".csv")]
    if not texts and not tables:
        raise ValueError(f"{path}: expected .pts files or a CSV of points; found neither")
    for name in texts:
        with log.reading(name):
            points = parse_pts(decode_text(tree.read(name)))
            faces.append(_face(name, images.beside(name), points))
    for name in tables:
        _read_table(tree, name, log, faces, images)
    return AnnotatedSet(tuple(faces), log, reader(tree))


def parse_pts(text: str) -> np.ndarray:
    """The points of a ``.pts`` file.

    Args:
        text: ``version: 1``, ``n_points: n``, then n lines ``x y`` in braces; the upper left pixel's centre is (1, 1).

    Returns:
        (n, 2) float64 pixels, pixel centres at integers from 0.

    Raises:
        ValueError: no points in braces, another number than announced, or what is no number.
    """
    inner = re.search(r"\{([^}]*)\}", text)
    if inner is None:
        raise ValueError("no points in braces")
    values = np.array([parse_number(word) for word in inner[1].split()])
    announced = re.search(r"n_points:\s*(\d+)", text)
    if values.size % 2 or (announced and 2 * int(announced[1]) != values.size):
        raise ValueError(f"{values.size} numbers; announced {announced[1] if announced else 'no'} points")
    return values.reshape(-1, 2) - 1.0


def _read_table(tree: FileTree, table: str, log: ReadLog, faces: list[AnnotatedFace], images: ImageIndex) -> None:
    try:
        header, *rows = read_rows(tree.read(table))
        image_column, point_columns = _columns(header.cells)
    except ValueError as error:
        log.enter(table)
        log.exclude(table, "no_columns", str(error))
        return
    folder = PurePosixPath(table).parent.as_posix()
    images.announce(row.cells[image_column] for row in rows if len(row.cells) > image_column)
    for row in rows:
        name = f"{table}:{row.line}"
        with log.reading(name):
            cells = cells_of(row)
            cells += (None,) * (len(header.cells) - len(cells))
            points = np.array([[parse_number(cells[place]) for place in pair] for pair in point_columns])
            faces.append(_face(name, images.named(cells[image_column] or "", folder), points))


def _columns(header: Sequence[str]) -> tuple[int, list[tuple[int, int]]]:
    """Where the image's name is, and x and y of each point."""
    places: dict[tuple[int, str], int] = {}
    for place, column in enumerate(header):
        if found := _COLUMN.fullmatch(column):
            key = (int(found[1] or found[4] or 0), found[2] or found[3])
            if key in places:
                raise ValueError(f"the columns {header[places[key]]} and {column} are the same")
            places[key] = place
    named = [header.index(name) for name in _IMAGE_COLUMNS if name in header]
    if named and header.count(header[named[0]]) > 1:
        raise ValueError(f"the column {header[named[0]]} is there twice")
    count = len(places) // 2
    wanted = [[(index, axis) for axis in "xy"] for index in range(count)]
    if not named or not count or len(places) != 2 * count or any(key not in places for pair in wanted for key in pair):
        expected = "expected image_name and original_0_x, original_0_y, … without a gap, or x0, y0, …"
        raise ValueError(f"{expected}; found {', '.join(header[:5])}, … in line 1")
    return named[0], [(places[x], places[y]) for x, y in wanted]


def _face(row: str, image: str, points: np.ndarray) -> AnnotatedFace:
    names = {entry.points: entry.name for entry in conventions().values() if entry.name != "charlotte43"}
    if len(points) not in names:
        raise RowError(f"points_{len(points)}", f"known are {', '.join(map(str, sorted(names)))}")
    return AnnotatedFace(row, image, names[len(points)], points, box_of(points)).checked()
