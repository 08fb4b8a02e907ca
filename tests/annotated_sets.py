"""Annotated test sets in the published forms, made up: the mean face seen from some side, and the sets' own dirt."""

import json
from pathlib import Path

import cv2
import numpy as np

from tfake.core.radiometry import encode_celsius
from tfake.labels.conventions import convention, reference_face
from tfake.test_sets.catalogue import KINDS
from tfake.test_sets.charlotte import HEADER
from thermal_sets import write_set

CIRCUMSTANCES = ("1.4", "50.5", "0", "22.25", "-1")


def seen_from(name: str, yaw_degrees: float = 0.0, size: float = 30.0, middle=(80.0, 70.0)) -> np.ndarray:
    """A landmark set's points of the mean face; positive yaw turns it to the image's right."""
    yaw = np.radians(yaw_degrees)
    turn = np.array(((np.cos(yaw), 0.0, np.sin(yaw)), (0.0, 1.0, 0.0)))
    return convention(name).places @ reference_face() @ turn.T * size + middle


def charlotte_cells(image_id: str, points: np.ndarray, circumstances=CIRCUMSTANCES) -> list[str]:
    """A row of a CSV: id, points, empty cells, circumstances."""
    numbers = [str(int(value)) for value in points.round().ravel()]
    return [image_id, *numbers, *[""] * (146 - len(numbers)), *circumstances]


def write_charlotte(folder: Path, subjects: dict[str, list[list[str]]], images: tuple[str, ...] = ()) -> Path:
    """CSV files by subject, and TLinear images of 160 x 140 of the given ids: a warm disc in a cool room."""
    header = [*HEADER, "Distance", "RH", "Airflow", "env-temp", "Sensation"]
    for subject, rows in subjects.items():
        lines = [",".join(cells) for cells in (header, *rows)]
        (folder / f"{subject}.csv").write_text("\r\n".join(lines) + "\r\n", encoding="utf-8")
    for image_id in images:
        celsius = np.full((140, 160), 22.0)
        cv2.ellipse(celsius, (80, 70), (35, 45), 0, 0, 360, 34.0, -1)
        path = folder / "S1" / f"{image_id}.tiff"
        path.parent.mkdir(exist_ok=True)
        assert cv2.imwrite(str(path), encode_celsius(celsius))
    return folder


def write_image(path: Path, shape=(140, 160)) -> None:
    """An 8-bit gray image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.full(shape, 90, np.uint8))


def ljson(points: np.ndarray, groups: list[tuple[str, list[int]]]) -> str:
    """Menpo's LJSON, version 2, its points [y, x]."""
    labels = [{"label": name, "mask": mask} for name, mask in groups]
    listed = [[None, None] if np.isnan(x) else [float(y), float(x)] for x, y in points]
    return json.dumps({"version": 2, "labels": labels, "landmarks": {"points": listed, "connectivity": []}})


def labelme(groups: dict[str, np.ndarray]) -> str:
    """A labelme file."""
    shapes = [{"label": label, "points": np.asarray(points).tolist()} for label, points in groups.items()]
    return json.dumps({"shapes": shapes})


def open_quirky(kind, folder, files):
    """A set of files; the fault and its detail of each row with a finding; the image of each row that is used."""
    found = KINDS[kind].open(str(write_set(folder / "set", files)))
    read_log = found.read_log
    assert {face.name for face in found.faces} == set(read_log.used)
    assert all(face.size > 0 for face in found.faces)
    # Of several, the one for which it is left out.
    findings = sorted(read_log.findings, key=lambda finding: finding.excluded)
    faults = {finding.row: (finding.fault, finding.detail) for finding in findings}
    return found, faults, {face.name: face.image for face in found.faces}
