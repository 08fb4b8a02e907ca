"""Charlotte-ThermalFace: ten subjects, ``S1/`` to ``S10/``, each with a CSV and 16-bit TLinear images.

Every row of every CSV is entered in the account. A row that is left out is left out for one of the faults that
:mod:`tfake.evaluation_sets.charlotte_rows` names, because its image id is on several rows, or because it has no image.
"""

import csv
import io
from pathlib import PurePosixPath

import numpy as np

from tfake.evaluation_sets.account import Account
from tfake.evaluation_sets.charlotte_rows import CONVENTIONS, HEADER, CharlotteRow, parse_row
from tfake.evaluation_sets.faces import AnnotatedFace, EvaluationSet, box_of
from tfake.evaluation_sets.pictures import image_names, reader
from tfake.sources.file_trees import FileTree, open_tree

_VIEWS = {"charlotte73": "front", "charlotte43": "side"}
_TOLD = ("distance_m", "ambient_celsius")


def open_charlotte(path: str, images_needed: bool = True) -> EvaluationSet:
    """Read the annotations, and find the images.

    Args:
        path: the folder or zip as published, or a part of it: any ``S*.csv``, and ``R*.tiff`` anywhere below it.
        images_needed: whether a row without an image is left out; False reads annotations alone.

    Returns:
        The set; ``groups`` are subject, view (front, side), and what of distance and ambient can be believed.

    Raises:
        FileNotFoundError: no such folder or zip.
        ValueError: it holds no CSV with this header.
    """
    tree = open_tree(path, "Charlotte-ThermalFace")
    tables = [name for name in tree.names if PurePosixPath(name).suffix.lower() == ".csv" and _has_header(tree, name)]
    if not tables:
        raise ValueError(f"{path}: expected CSV files whose columns begin with ID,x0,y0; found none")
    images = image_names(tree)
    account = Account()
    faces = []
    for table in sorted(tables, key=_subject_order):
        rows = _read_table(tree, table, account)
        _judge_duplicates(rows, account)
        for name, row in rows.items():
            if row.points is None:
                continue
            if images_needed and row.image_id not in images:
                account.leave_out(name, "no_image", f"{row.image_id}.tiff is nowhere below {tree.where}")
                continue
            faces.append(_face(name, row, PurePosixPath(table).stem, images.get(row.image_id, [""])[0]))
    return EvaluationSet(tuple(faces), account, reader(tree))


def _has_header(tree: FileTree, name: str) -> bool:
    first = tree.read(name).split(b"\n", 1)[0].decode("utf-8-sig", "replace")
    return tuple(first.strip().split(",")[:3]) == HEADER[:3]


def _subject_order(name: str) -> tuple[int, str]:
    digits = "".join(filter(str.isdigit, PurePosixPath(name).stem))
    return (int(digits or 0), name)


def _read_table(tree: FileTree, table: str, account: Account) -> dict[str, CharlotteRow]:
    rows = {}
    lines = csv.reader(io.StringIO(tree.read(table).decode("utf-8-sig", "replace")))
    next(lines)
    for cells in lines:
        row = parse_row(cells)
        name = f"{PurePosixPath(table).name}:{lines.line_num} {row.image_id}".rstrip()
        account.enter(name)
        for fault, detail in row.reasons:
            account.leave_out(name, fault, detail)
        for fault, detail in row.remarks:
            account.remark(name, fault, detail)
        rows[name] = row
    return rows


def _judge_duplicates(rows: dict[str, CharlotteRow], account: Account) -> None:
    """Rows of one image id: with equal points the first is used, without its circumstances; else none is."""
    by_id: dict[str, list[str]] = {}
    for name, row in rows.items():
        if row.points is not None:
            by_id.setdefault(row.image_id, []).append(name)
    for names in by_id.values():
        if len(names) == 1:
            continue
        first = rows[names[0]]
        agree = all(np.array_equal(rows[name].points, first.points) for name in names)
        for name in names if not agree else names[1:]:
            fault = "id_again_same_points" if agree else "id_again_other_points"
            account.leave_out(name, fault, f"also {', '.join(other for other in names if other != name)}")
            rows[name].points = None
        if agree and any(rows[name].circumstances != first.circumstances for name in names):
            account.remark(names[0], "id_again_other_circumstances", "its distance and ambient are not used")
            first.circumstances = {}


def _face(name: str, row: CharlotteRow, subject: str, image: str) -> AnnotatedFace:
    convention = CONVENTIONS[len(row.points)]
    groups = {"subject": subject, "view": _VIEWS[convention]}
    groups |= {name: f"{row.circumstances[name]:g}" for name in _TOLD if name in row.circumstances}
    return AnnotatedFace(name, image, convention, row.points, box_of(row.points), groups)
