"""Charlotte-ThermalFace: ten subjects, ``S1/`` to ``S10/``, each with a CSV and 16-bit TLinear images.

Every row of every CSV is entered in the account. A row that is left out is left out for one of the faults that
:mod:`tfake.evaluation_sets.charlotte_rows` names, because its image id is on several rows, or because it has no image.
"""

import re
from pathlib import PurePosixPath

import numpy as np

from tfake.evaluation_sets.account import Account
from tfake.evaluation_sets.charlotte_rows import CONVENTIONS, HEADER, CharlotteRow, parse_row
from tfake.evaluation_sets.faces import AnnotatedFace, EvaluationSet, box_of, enter_face
from tfake.evaluation_sets.image_places import ImagePlaceError, ImagePlaces
from tfake.evaluation_sets.pictures import reader
from tfake.sources.file_trees import open_tree
from tfake.sources.text_tables import TableRow, read_rows

_VIEWS = {"charlotte73": "front", "charlotte43": "side"}
_TOLD = ("distance_m", "ambient_celsius")
_SUBJECT = re.compile(r"[Ss]\d+")


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
    account, faces, images = Account(), [], ImagePlaces(tree)
    tables = {}
    for name in tree.names:
        if PurePosixPath(name).suffix.lower() == ".csv":
            try:
                tables[name] = _table_rows(tree.read(name))
            except ValueError as error:
                # Another table may lie there; one that is named as a subject's is missed.
                if _SUBJECT.fullmatch(PurePosixPath(name).stem):
                    account.enter(name)
                    account.leave_out_unreadable(name, error)
    if not tables:
        why = "; ".join(f"{finding.row}: {finding.detail}" for finding in account.findings) or "found none"
        raise ValueError(f"{path}: expected CSV files whose columns begin with ID,x0,y0; {why}")
    for table in sorted(tables, key=_subject_order):
        rows = _enter_rows(table, tables[table], account)
        _judge_duplicates(rows, account)
        for name, row in rows.items():
            if row.points is None:
                continue
            subject = PurePosixPath(table).stem
            try:
                image = _find_image(images, subject, row.image_id) if images_needed else ""
            except ImagePlaceError as error:
                account.leave_out(name, error.fault, str(error))
                continue
            enter_face(faces, account, _face(name, row, subject, image))
    return EvaluationSet(tuple(faces), account, reader(tree))


def _table_rows(data: bytes) -> list[TableRow]:
    header, *rows = read_rows(data)
    if [cell.lower() for cell in header.cells[:3]] != [cell.lower() for cell in HEADER[:3]]:
        raise ValueError(f"expected columns that begin with ID,x0,y0; found {','.join(header.cells[:3]) or 'none'}")
    return rows


def _find_image(images: ImagePlaces, subject: str, image_id: str) -> str:
    """The image of an id: in the subject's folder, or else the only one of that name."""
    try:
        return images.named(f"{subject}/{image_id}.tiff")
    except ImagePlaceError as error:
        if error.fault != "no_image":
            raise
        return images.named(f"{image_id}.tiff")


def _subject_order(name: str) -> tuple[int, str]:
    digits = "".join(filter(str.isdigit, PurePosixPath(name).stem))
    return (int(digits or 0), name)


def _enter_rows(table: str, lines: list[TableRow], account: Account) -> dict[str, CharlotteRow]:
    rows = {}
    for line in lines:
        row = parse_row(list(line.cells))
        name = f"{table}:{line.line} {row.image_id}".rstrip()
        account.enter(name)
        if line.fault:
            account.leave_out(name, "unreadable", line.fault)
            continue
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
