"""Charlotte-ThermalFace (Ashrafi, Azarbayjani and Tabkhi, 2022): ten subjects, ``S1`` to ``S10``, in 16-bit TLinear.

Each subject has a CSV with the columns ``ID,x0,y0,…,x72,y72`` and five of circumstance: distance (m), relative humidity
(%), air flow (m/s), ambient (°C) and thermal sensation. 73 points are a frontal face, 43 a profile; the remaining cells
are empty. The published files hold other things as well, and each of them has a name here: every row of every CSV is in
the log, and one that is excluded has a fault of its own, an image id that is on several rows, or no image.
"""

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np

from tfake.archive.file_trees import open_tree
from tfake.core.text_tables import TableRow, read_rows
from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet, box_of
from tfake.test_sets.read_log import ReadLog, RowError
from tfake.test_sets.set_images import ImageIndex, reader

#: Number of points to what they mean.
CONVENTIONS = {73: "charlotte73", 43: "charlotte43"}
POINT_CELLS = 2 * 73
HEADER = ("ID", *(f"{axis}{index}" for index in range(73) for axis in "xy"))
CIRCUMSTANCES = ("distance_m", "humidity_percent", "airflow_m_s", "ambient_celsius", "sensation")
#: Lowest and highest believable value; the recordings were made at 1 to 6.6 m and 20 to 28.5 °C.
_BELIEVABLE = {
    "distance_m": (0.5, 10.0),
    "humidity_percent": (1.0, 100.0),
    "airflow_m_s": (0.0, 5.0),
    "ambient_celsius": (10.0, 40.0),
    "sensation": (-3.0, 3.0),
}
_VIEWS = {"charlotte73": "front", "charlotte43": "side"}
#: Circumstances that results are told apart by.
_GROUPED = ("distance_m", "ambient_celsius")
_SUBJECT = re.compile(r"[Ss]\d+")
_ID = re.compile(r"R\d{4,7}")
_NUMBER = re.compile(r"-?\d{1,6}(?:\.\d*)?", re.ASCII)
_ERRORS = ("#DIV/0!", "#N/A", "#VALUE!", "#REF!", "NaN", "nan")


@dataclass
class CharlotteRow:
    """What one row says.

    Attributes:
        image_id: for example ``R11102``; empty where the row has none.
        points: (n, 2) float64 pixels, None where they cannot be used.
        circumstances: names of ``CIRCUMSTANCES`` to values, only those that can be believed.
        error: the fault for which the row is excluded; None exactly if there are points.
        warnings: faults that leave the points as good as they are, each with what was found.
    """

    image_id: str = ""
    points: np.ndarray | None = None
    circumstances: dict[str, float] = field(default_factory=dict)
    error: RowError | None = None
    warnings: list[tuple[str, str]] = field(default_factory=list)


def parse_row(cells: list[str]) -> CharlotteRow:
    """Read one row from its cells as text; missing ones at the end count as empty."""
    cells = [cell.strip() for cell in cells] + [""] * (1 + POINT_CELLS + len(CIRCUMSTANCES) - len(cells))
    row = CharlotteRow(image_id=cells[0])
    _read_circumstances(row, cells[1 + POINT_CELLS :])
    try:
        row.points = _parse_points(row.image_id, cells[1 : 1 + POINT_CELLS])
    except RowError as error:
        row.error = error
    return row


def _parse_points(image_id: str, coordinates: list[str]) -> np.ndarray:
    if not _ID.fullmatch(image_id):
        raise RowError("no_id", f"found {image_id!r}") if any(coordinates) else RowError("empty_row")
    filled = [index for index, cell in enumerate(coordinates) if cell]
    if not filled:
        raise RowError("no_points")
    for index in filled:
        if not _NUMBER.fullmatch(coordinates[index]):
            raise RowError("bad_coordinate", f"{HEADER[1 + index]} is {coordinates[index]!r}")
    fractions = [index for index in filled if float(coordinates[index]) % 1]
    # Published points are whole pixels. A humidity or an ambient among them: the cells behind a lost or an added one
    # have slid. More fractions than there are circumstances are points between pixels.
    if 0 < len(fractions) <= len(CIRCUMSTANCES):
        raise RowError("shifted_columns", f"{HEADER[1 + fractions[0]]} is {coordinates[fractions[0]]!r}")
    if filled[-1] + 1 != len(filled):
        gap = next(index for index in range(filled[-1]) if not coordinates[index])
        raise RowError("gap_in_points", f"{HEADER[1 + gap]} is empty, {HEADER[1 + filled[-1]]} is not")
    if len(filled) % 2:
        raise RowError("half_a_point", f"{HEADER[1 + filled[-1]]} has no y")
    points = np.array([float(coordinates[index]) for index in filled]).reshape(-1, 2)
    if len(points) not in CONVENTIONS:
        raise RowError(f"points_{len(points)}", "neither 73 (frontal) nor 43 (profile): no order is known")
    if points.min() < 0:
        raise RowError("negative_coordinate", f"lowest {points.min():.0f}")
    if np.ptp(points, axis=0).min() < 4:
        raise RowError("no_extent", f"the points span {np.ptp(points, axis=0)} pixels")
    return points


def _read_circumstances(row: CharlotteRow, cells: list[str]) -> None:
    for name, text in zip(CIRCUMSTANCES, cells, strict=False):
        if not text:
            row.warnings.append((f"no_{name}", ""))
            continue
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        low, high = _BELIEVABLE[name]
        if text in _ERRORS or not np.isfinite(value):
            row.warnings.append((f"unreadable_{name}", text))
        elif not low <= value <= high:
            # Part of S2 has a temperature for a distance.
            row.warnings.append((f"unbelievable_{name}", text))
        else:
            row.circumstances[name] = value


def open_charlotte(path: str, images_needed: bool = True) -> AnnotatedSet:
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
    log, faces, images = ReadLog(), [], ImageIndex(tree)
    tables = {}
    for name in tree.names:
        if PurePosixPath(name).suffix.lower() == ".csv":
            try:
                tables[name] = _table_rows(tree.read(name))
            except ValueError as error:
                # Another table may lie there; one that is named as a subject's is missed.
                if _SUBJECT.fullmatch(PurePosixPath(name).stem):
                    log.enter(name)
                    log.exclude_for(name, error)
    if not tables:
        why = "; ".join(f"{finding.row}: {finding.detail}" for finding in log.findings) or "found none"
        raise ValueError(f"{path}: expected CSV files whose columns begin with ID,x0,y0; {why}")
    for table in sorted(tables, key=_subject_order):
        rows = _read_table(table, tables[table], log)
        _exclude_duplicates(rows, log)
        subject = PurePosixPath(table).stem
        for name, row in rows.items():
            if row.points is not None:
                with log.excluding(name):
                    image = _find_image(images, subject, row.image_id) if images_needed else ""
                    faces.append(_face(name, row, subject, image).checked())
    return AnnotatedSet(tuple(faces), log, reader(tree))


def _table_rows(data: bytes) -> list[TableRow]:
    header, *rows = read_rows(data)
    if [cell.lower() for cell in header.cells[:3]] != [cell.lower() for cell in HEADER[:3]]:
        raise ValueError(f"expected columns that begin with ID,x0,y0; found {','.join(header.cells[:3]) or 'none'}")
    return rows


def _find_image(images: ImageIndex, subject: str, image_id: str) -> str:
    """The image of an id: in the subject's folder, or else the only one of that name."""
    try:
        return images.named(f"{subject}/{image_id}.tiff")
    except RowError as error:
        if error.fault != "no_image":
            raise
        return images.named(f"{image_id}.tiff")


def _subject_order(name: str) -> tuple[int, str]:
    digits = "".join(filter(str.isdigit, PurePosixPath(name).stem))
    return (int(digits or 0), name)


def _read_table(table: str, lines: list[TableRow], log: ReadLog) -> dict[str, CharlotteRow]:
    rows = {}
    for line in lines:
        row = parse_row(list(line.cells))
        name = f"{table}:{line.line} {row.image_id}".rstrip()
        log.enter(name)
        if line.fault:
            log.exclude(name, "unreadable", line.fault)
            continue
        if row.error is not None:
            log.exclude_for(name, row.error)
        for fault, detail in row.warnings:
            log.warn(name, fault, detail)
        rows[name] = row
    return rows


def _exclude_duplicates(rows: dict[str, CharlotteRow], log: ReadLog) -> None:
    """Of rows of one image id: with equal points the first is used, without its circumstances; else none is."""
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
            log.exclude(name, fault, f"also {', '.join(other for other in names if other != name)}")
            rows[name].points = None
        if agree and any(rows[name].circumstances != first.circumstances for name in names):
            log.warn(names[0], "id_again_other_circumstances", "its distance and ambient are not used")
            first.circumstances = {}


def _face(name: str, row: CharlotteRow, subject: str, image: str) -> AnnotatedFace:
    convention = CONVENTIONS[len(row.points)]
    groups = {"subject": subject, "view": _VIEWS[convention]}
    groups |= {name: f"{row.circumstances[name]:g}" for name in _GROUPED if name in row.circumstances}
    return AnnotatedFace(name, image, convention, row.points, box_of(row.points), groups)
