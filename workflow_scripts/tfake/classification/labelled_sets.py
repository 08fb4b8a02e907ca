"""Real sets with an attribute of their people: where to ask for each, and how people and labels are read.

None is downloaded. What a set's own files do not say in a form that is documented, a table of one's own says: a CSV
with the columns ``subject`` and ``label``, and ``path`` where the set has no reader of its own; ``left``, ``top``,
``right``, ``bottom`` may give the face's box in pixels.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tfake.archive.file_trees import open_tree
from tfake.classification.face_clips import FaceClip
from tfake.classification.tufts import open_tufts
from tfake.core.radiometry import WINDOW_CELSIUS
from tfake.core.text_tables import TableRow, parse_number, read_rows
from tfake.landmarks.preprocessing import preprocess
from tfake.test_sets import catalogue
from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet, declare_scale
from tfake.test_sets.read_log import ReadLog, RowError
from tfake.test_sets.set_images import ImageIndex, reader

_OF_SUBJECTS = ("subject", "label")
_BOX = ("left", "top", "right", "bottom")


@dataclass(frozen=True)
class LabelledSetKind:
    """A kind of labelled set.

    Attributes:
        title: its full name.
        source: where to ask for it.
        terms: under which it is given, as far as is known.
        contents: what the folder or zip has to hold.
        columns: what the table of labels has to say.
        read: gives its images, boxes and subjects from a path; None: the table names every image.
    """

    title: str
    source: str
    terms: str
    contents: str
    columns: tuple[str, ...] = ("path", "subject", "label")
    read: Callable[[str], AnnotatedSet] | None = None

    def open(self, path: str, labels: str) -> AnnotatedSet:
        """Read who is on which image, and what is labelled.

        Args:
            path: the folder or zip.
            labels: the table, a CSV.

        Returns:
            The set; ``groups`` hold ``subject`` and ``label``.

        Raises:
            FileNotFoundError: no such folder, zip or table.
            ValueError: it holds nothing of the kind, or the table lacks a column.
        """
        columns, rows = _read_table(labels, self.columns)
        if self.read is None:
            return _open_table(path, columns, rows, labels)
        return _join_labels(self.read(path), columns, rows, labels)


def _annotated(name: str, terms: str) -> LabelledSetKind:
    known = catalogue.KINDS[name]
    return LabelledSetKind(known.title, known.source, terms, known.contents, _OF_SUBJECTS, known.open)


KINDS = {
    "table": LabelledSetKind(
        "thermal images with a table of who and what",
        "your own, or any set for which you write the table",
        "the set's own",
        "images",
    ),
    "tufts": LabelledSetKind(
        "Tufts Face Database, thermal part (Panetta et al., IEEE TPAMI 42, 2020; 113 people)",
        "tdface.ece.tufts.edu",
        "for researchers, as its paper says; read those on its page",
        "TD_IR_A_Set1 to 4 and TD_IR_E_Set1 to 4, NUMBER/TD_IR_*.jpg in each; and bounding-boxes.csv of "
        "github.com/maxbbraun/tdface-annotations: without it whole pictures are the crops",
        _OF_SUBJECTS,
        open_tufts,
    ),
    "carl": LabelledSetKind(
        "CARL (Espinosa-Duro, Faundez-Zanuy, Mekyska; 41 people in visible, near infrared and thermal images)",
        "its authors, by way of arxiv.org/abs/2202.13864",
        "the authors' own",
        "its thermal images, in any folders",
    ),
    "sf_tl54": _annotated("sf_tl54", "those on its page"),
    "charlotte": _annotated("charlotte", "research use"),
}


def missing_message(name: str, kind: str, what: str, path: str) -> str:
    """What to get and where to put it, for a person.

    Args:
        name: of the set in the configuration.
        kind: a name in ``KINDS``.
        what: ``path`` or ``labels``: the key that names what is not there.
        path: what it names.
    """
    entry, key = KINDS[kind], f"face_classification.apparent_sex.sets.{name}"
    seen = f"{name}: there is no {path} (seen from {Path.cwd()}), which {key}.{what} names."
    if what == "labels":
        return f"{seen} It is a CSV that you write: {', '.join(entry.columns)}; labels are male and female."
    asked = f"ask at {entry.source} (terms: {entry.terms})"
    return f"{seen} {entry.title}: {asked}. The folder or zip has to hold {entry.contents}."


def labelled_clips(name: str, about: Mapping[str, Any], classes: tuple[str, ...]) -> tuple[list[FaceClip], ReadLog]:
    """The images of a set as clips of one frame.

    Args:
        name: of the set in the configuration; nobody of another set has the same subject.
        about: ``kind``, ``path``, ``labels`` and ``values``.
        classes: names of the classes; images with another label are left out, and the log says so.

    Raises:
        FileNotFoundError: the folder or the table is not there; the message says where to ask.
        ValueError: nothing can be used, or images are not what was declared.
    """
    for what in ("path", "labels"):
        if not Path(about[what]).exists():
            raise FileNotFoundError(missing_message(name, about["kind"], what, about[what]))
    opened = KINDS[about["kind"]].open(about["path"], about["labels"])
    opened = declare_scale(opened, about["values"], about["path"])
    clips = []
    for face in opened.faces:
        label = face.groups["label"].lower()
        if label not in classes:
            opened.read_log.exclude(face.name, "another_label", f"{face.groups['label']!r}")
            continue
        clips.append(
            FaceClip(
                f"{name}:{face.name}",
                f"{name}:{face.groups['subject']}",
                classes.index(label),
                1,
                face.box if np.isfinite(face.box).all() else None,
                partial(_read_celsius, opened, face.image),
            )
        )
    if not clips:
        raise ValueError(
            f"{about['path']}: no image can be used; expected the labels {', '.join(classes)}: "
            f"{opened.read_log.summary()}"
        )
    return clips, opened.read_log


def _read_celsius(opened: AnnotatedSet, image: str) -> np.ndarray:
    """(1, H, W) float32 °C; gray values are spread over 20 to 40."""
    pixels = opened.read_image(image)
    if pixels.dtype == np.uint8:
        low, high = WINDOW_CELSIUS
        pixels = low + (high - low) * preprocess(pixels, "pixel").mean(axis=2)
    return pixels.astype(np.float32)[None]


def _read_table(path: str, needed: tuple[str, ...]) -> tuple[dict[str, int], list[TableRow]]:
    header, *rows = read_rows(Path(path).read_bytes())
    columns = {cell.lower(): place for place, cell in enumerate(header.cells)}
    if missing := [name for name in needed if name not in columns]:
        found = ", ".join(header.cells) or "none"
        raise ValueError(
            f"{path}: expected the columns {', '.join(needed)}; found {found}: {', '.join(missing)} is not there"
        )
    return columns, [row for row in rows if not row.is_blank]


def _cell(row: TableRow, columns: Mapping[str, int], name: str) -> str:
    place = columns[name]
    if row.fault:
        raise RowError("unreadable", row.fault)
    if place >= len(row.cells) or not row.cells[place]:
        raise RowError(f"no_{name}")
    return row.cells[place]


def _open_table(path: str, columns: Mapping[str, int], rows: list[TableRow], table: str) -> AnnotatedSet:
    tree = open_tree(path, "labelled thermal images")
    log, faces, images = ReadLog(), [], ImageIndex(tree)
    images.announce(row.cells[columns["path"]] for row in rows if not row.fault and columns["path"] < len(row.cells))
    has_box = all(name in columns for name in _BOX)
    for row in rows:
        name = f"{Path(table).name}:{row.line}"
        with log.reading(name):
            image = images.named(_cell(row, columns, "path"))
            groups = {key: _cell(row, columns, key) for key in ("subject", "label")}
            box = tuple(parse_number(_cell(row, columns, key)) if has_box else np.nan for key in _BOX)
            faces.append(AnnotatedFace(name, image, "", np.empty((0, 2)), box, groups))
    return AnnotatedSet(tuple(faces), log, reader(tree))


def _join_labels(opened: AnnotatedSet, columns: Mapping[str, int], rows: list[TableRow], table: str) -> AnnotatedSet:
    known: dict[str, str] = {}
    for row in rows:
        try:
            subject, label = (_cell(row, columns, key) for key in ("subject", "label"))
        except RowError as error:
            raise ValueError(f"{table}, line {row.line}: expected a subject and a label; {error}") from error
        if known.setdefault(subject, label) != label:
            raise ValueError(f"{table}, line {row.line}: {subject} is {known[subject]} and {label}")
    faces = []
    for face in opened.faces:
        subject = face.groups["subject"]
        if subject in known:
            faces.append(replace(face, groups=face.groups | {"label": known[subject]}))
        else:
            opened.read_log.exclude(face.name, "no_label", f"{table} has no subject {subject}")
    return replace(opened, faces=tuple(faces))
