"""Folders of images with their points: 300-W's ``.pts`` beside each image, or one CSV in the manner of AFLW's lists.

The CSV has a column ``image_name`` (or ``image``) and the points as ``original_0_x, original_0_y, …`` (HRNet's lists of
AFLW and 300-W) or ``x0, y0, …``. How many points there are says what they mean: 5, 19, 54, 68, 70, 73 or 478.
"""

import csv
import io
import re
from pathlib import PurePosixPath

import numpy as np

from tfake.evaluation_sets.account import Account
from tfake.evaluation_sets.faces import AnnotatedFace, EvaluationSet, box_of
from tfake.evaluation_sets.pictures import beside, image_names, reader
from tfake.landmarks.conventions import conventions
from tfake.sources.file_trees import FileTree, open_tree

_COLUMN = re.compile(r"(?:original_(\d+)_([xy])|([xy])(\d+))")
_IMAGE_COLUMNS = ("image_name", "image", "file")


def open_point_files(path: str) -> EvaluationSet:
    """Read the annotations.

    Args:
        path: the folder or zip.

    Raises:
        FileNotFoundError: no such folder or zip.
        ValueError: it holds neither form of annotation.
    """
    tree = open_tree(path, "images with .pts files or a CSV of points")
    account, faces = Account(), []
    texts = [name for name in tree.names if name.lower().endswith(".pts")]
    tables = [name for name in tree.names if name.lower().endswith(".csv")]
    if not texts and not tables:
        raise ValueError(f"{path}: expected .pts files or a CSV of points; found neither")
    for name in texts:
        account.enter(name)
        try:
            points = parse_pts(tree.read(name).decode("utf-8", "replace"))
        except ValueError as error:
            account.leave_out(name, "unreadable", str(error))
            continue
        _enter(name, beside(tree, name), points, account, faces)
    for name in tables:
        _read_table(tree, name, account, faces)
    return EvaluationSet(tuple(faces), account, reader(tree))


def parse_pts(text: str) -> np.ndarray:
    """The points of a ``.pts`` file.

    Args:
        text: ``version: 1``, ``n_points: n``, then n lines ``x y`` in braces; the upper left pixel's centre is (1, 1).

    Returns:
        (n, 2) float64 pixels, pixel centres at integers from 0.

    Raises:
        ValueError: no points in braces, or another number than announced.
    """
    inner = re.search(r"\{([^}]*)\}", text)
    if inner is None:
        raise ValueError("no points in braces")
    values = np.array([float(word) for word in inner[1].split()])
    announced = re.search(r"n_points:\s*(\d+)", text)
    if values.size % 2 or (announced and 2 * int(announced[1]) != values.size):
        raise ValueError(f"{values.size} numbers; announced {announced[1] if announced else 'no'} points")
    return values.reshape(-1, 2) - 1.0


def _read_table(tree: FileTree, table: str, account: Account, faces: list[AnnotatedFace]) -> None:
    lines = csv.DictReader(io.StringIO(tree.read(table).decode("utf-8-sig", "replace")))
    named = next((name for name in _IMAGE_COLUMNS if name in (lines.fieldnames or ())), None)
    columns: dict[tuple[int, str], str] = {}
    for column in lines.fieldnames or ():
        if found := _COLUMN.fullmatch(column):
            columns[int(found[1] or found[4] or 0), found[2] or found[3]] = column
    count = len(columns) // 2
    anywhere = image_names(tree)
    for cells in lines:
        row = f"{table}:{lines.line_num}"
        account.enter(row)
        if named is None or not count:
            account.leave_out(row, "no_columns", "expected image_name and original_0_x, original_0_y, …, or x0, y0, …")
            continue
        try:
            values = [[float(cells[columns[index, axis]]) for axis in "xy"] for index in range(count)]
        except (ValueError, KeyError, TypeError) as error:
            account.leave_out(row, "unreadable", f"{type(error).__name__}: {error}")
            continue
        places = anywhere.get(PurePosixPath(cells[named]).stem, [])
        exact = [place for place in places if place.endswith(cells[named])]
        _enter(row, next(iter(exact or places), None), np.array(values), account, faces)


def _enter(row: str, image: str | None, points: np.ndarray, account: Account, faces: list[AnnotatedFace]) -> None:
    names = {entry.points: entry.name for entry in conventions().values() if entry.name != "charlotte43"}
    if image is None:
        account.leave_out(row, "no_image", "no image of this name")
    elif len(points) not in names:
        account.leave_out(row, f"points_{len(points)}", f"known are {', '.join(map(str, sorted(names)))}")
    elif np.ptp(points, axis=0).min() <= 0:
        account.leave_out(row, "no_extent")
    else:
        faces.append(AnnotatedFace(row, image, names[len(points)], points, box_of(points)))
