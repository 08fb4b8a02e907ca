"""TFW, thermal faces in the wild (Kuzdeuov et al., 2021): boxes and five points, several faces an image.

Either CSV files ``image,xs,ys,xe,ye,p1x,…,p5y`` beside a folder of their own name that holds the images, or YOLO texts
``0 xc yc w h p1x … p5y``, as shares of the image's size, beside the images or in ``labels/`` beside ``images/``.
"""

import csv
import io
from pathlib import PurePosixPath

import numpy as np

from tfake.evaluation_sets.account import Account
from tfake.evaluation_sets.faces import AnnotatedFace, EvaluationSet
from tfake.evaluation_sets.pictures import beside, image_names, reader
from tfake.sources.file_trees import FileTree, open_tree

_NUMBERS = 14


def open_tfw(path: str) -> EvaluationSet:
    """Read the annotations.

    Args:
        path: the folder or zip, or one split or part of it (``test/outdoor.csv`` with ``test/outdoor/``).

    Raises:
        FileNotFoundError: no such folder or zip.
        ValueError: it holds neither form of annotation.
    """
    tree = open_tree(path, "TFW")
    account, faces = Account(), []
    tables = [name for name in tree.names if name.lower().endswith(".csv")]
    texts = [] if tables else [name for name in tree.names if name.lower().endswith(".txt")]
    if not tables and not texts:
        raise ValueError(f"{path}: expected TFW's CSV files or YOLO texts; found neither")
    for name in tables:
        _read_table(tree, name, account, faces)
    read = reader(tree)
    for name in texts:
        _read_text(tree, name, account, faces, read)
    return EvaluationSet(tuple(faces), account, read)


def _read_table(tree: FileTree, table: str, account: Account, faces: list[AnnotatedFace]) -> None:
    stem = PurePosixPath(table).with_suffix("")
    anywhere = image_names(tree)
    lines = csv.reader(io.StringIO(tree.read(table).decode("utf-8-sig", "replace")))
    for cells in lines:
        if lines.line_num == 1 and cells[1:2] == ["xs"]:
            continue
        row = f"{table}:{lines.line_num}"
        account.enter(row)
        numbers = _numbers(cells[1:], row, account)
        if numbers is None:
            continue
        image = (stem / cells[0]).as_posix()
        if image not in tree:
            others = anywhere.get(PurePosixPath(cells[0]).stem, [])
            if len(others) != 1:
                account.leave_out(row, "no_image", f"{cells[0]} is not in {stem}")
                continue
            image = others[0]
        _enter(row, image, numbers[:4], numbers[4:].reshape(5, 2), account, faces, stem.name)


def _read_text(tree: FileTree, name: str, account: Account, faces: list[AnnotatedFace], read) -> None:
    image = beside(tree, name, ("images",)) or beside(tree, name.replace("labels/", "images/", 1))
    for line, text in enumerate(tree.read(name).decode("utf-8", "replace").splitlines(), start=1):
        row = f"{name}:{line}"
        account.enter(row)
        if image is None:
            account.leave_out(row, "no_image", "no image of this name")
            continue
        numbers = _numbers(text.split()[1:], row, account)
        if numbers is None:
            continue
        height, width = read(image).shape[:2]
        middle, extent = numbers[:2] * (width, height), numbers[2:4] * (width, height)
        # Shares run from edge to edge of the image; pixel centres lie half a pixel inside.
        box = np.concatenate((middle - extent / 2, middle + extent / 2)) - 0.5
        points = numbers[4:].reshape(5, 2)
        points = np.where((points < 0).any(axis=1, keepdims=True), np.nan, points * (width, height) - 0.5)
        _enter(row, image, box, points, account, faces, PurePosixPath(name).parent.name)


def _numbers(cells: list[str], row: str, account: Account) -> np.ndarray | None:
    try:
        numbers = np.array([float(cell) for cell in cells])
    except ValueError as error:
        account.leave_out(row, "unreadable", str(error))
        return None
    if len(numbers) != _NUMBERS or not np.isfinite(numbers).all():
        account.leave_out(row, "wrong_length", f"expected {_NUMBERS} numbers, found {len(numbers)}")
        return None
    return numbers


def _enter(row, image, box, points, account: Account, faces: list[AnnotatedFace], part: str) -> None:
    left, top, right, bottom = map(float, box)
    if right <= left or bottom <= top:
        account.leave_out(row, "empty_box", f"{left:g} {top:g} {right:g} {bottom:g}")
        return
    if np.isnan(points).any():
        account.remark(row, "points_missing", "the box alone counts")
    faces.append(AnnotatedFace(row, image, "tfw5", points, (left, top, right, bottom), {"part": part}))
