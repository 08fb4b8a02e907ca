"""Calibrate the heat of faces on real ones: ``python -m tfake.studies.heat_calibration IMAGES POINTS.json OUTPUT``.

Writes a folder of tables that ``heat.tables`` may name. Images are of any camera: a face's pattern counts, neither its
level nor its unit.
"""

import argparse
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tfake.heat.calibration import fit_points, write_tables
from tfake.heat.patterns import mean_pattern, person_patterns, read_vertices
from tfake.mesh.template import FACE_VERTICES
from tfake.studies.heat_agreement import measure_agreement, write_agreement
from tfake.thermal_io.thermal_reading import read_thermal

LEAST_PEOPLE = 2
#: What a file of points is: FaceMesh's vertices, and ten of the irises.
POINTS = (FACE_VERTICES, FACE_VERTICES + 10)
EXPECTED = f"a JSON object, image file name to {POINTS[0]} or {POINTS[1]} points x, y"


def read_people(
    images: str | Path, points: str | Path, person: str = r"^[^_.\-]+", no_data: float | None = None
) -> dict[str, np.ndarray]:
    """Read the pattern of each person.

    Args:
        images: folder of thermal images, of any format that :mod:`tfake.thermal_io` reads.
        points: JSON file, file name to 478 (or 468) pixels x, y in FaceMesh's numbering; other images are not read.
        person: regular expression that finds the person in a file name: its first group, or all that it matches.
        no_data: value of pixels without data, besides NaN.

    Returns:
        Person to pattern (468,), in standard deviations of a face, NaN where unknown.

    Raises:
        FileNotFoundError: the folder, the file of points, or an image is missing.
        ValueError: the points are not as expected, or fewer than two people remain.
    """
    images, points = Path(images), Path(points)
    if not images.is_dir():
        raise FileNotFoundError(f"{images}: no such folder of thermal images")
    if not points.is_file():
        raise FileNotFoundError(f"{points}: no such file; expected {EXPECTED}")
    try:
        listed, pattern = json.loads(points.read_text()), re.compile(person)
    except json.JSONDecodeError as error:
        raise ValueError(f"{points}: expected {EXPECTED}; {error}") from error
    except re.error as error:
        raise ValueError(f"{person!r} is no regular expression: {error}") from error
    if not isinstance(listed, Mapping) or not listed:
        raise ValueError(f"{points}: expected {EXPECTED}; found none")
    faces = []
    for name, pixels in sorted(listed.items()):
        place = _read_points(points, name, pixels)
        found = pattern.search(name)
        if found is None:
            raise ValueError(f"{name}: the expression {person!r} finds no person in this file name")
        values = _read_face(images / name, place, no_data)
        faces.append((found.group(1) if found.re.groups else found.group(), values))
    people = person_patterns(faces)
    if len(people) < LEAST_PEOPLE:
        raise ValueError(
            f"{points}: expected faces of at least {LEAST_PEOPLE} people; the expression {person!r} finds "
            f"{len(people)} in {len(faces)} file names"
        )
    return people


def _read_points(file: Path, name: str, pixels: list) -> np.ndarray:
    """One face's points (V, 2)."""
    try:
        points = np.array(pixels, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{file}: {name}: expected numbers; {error}") from error
    if points.ndim != 2 or len(points) not in POINTS or points.shape[1] < 2 or not np.isfinite(points).all():
        raise ValueError(
            f"{file}: {name}: expected {' or '.join(map(str, POINTS))} finite points; found {points.shape}"
        )
    return points[:, :2]


def _read_face(path: Path, points: np.ndarray, no_data: float | None) -> np.ndarray:
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such image, but it has points")
    image = read_thermal(path).values
    valid = np.isfinite(image)
    if no_data is not None:
        valid &= image != np.float32(no_data)
    values = read_vertices(image, points, valid)
    known = values[np.isfinite(values)]
    if not (known.size and np.ptp(known) > 0.0):
        raise ValueError(f"{path}: no vertex of the face lies on pixels with data that differ")
    return values


def calibrate_heat(
    people: Mapping[str, np.ndarray], output: str | Path, close: float = 0.75, kelvin: float = 1.05, count: int = 56
) -> dict:
    """Write tables that are calibrated on people's patterns, and how they agree with what was measured.

    Args:
        people: of :func:`read_people`.
        output: folder for the tables, ``agreement.json`` and ``agreement.md``.
        close: how much of the distance to CHARLOTTE's regions is closed, 0..1.
        kelvin: of one standard deviation of the pattern in a room of 24 °C.
        count: number of control points on half a face.

    Returns:
        What ``agreement.json`` holds.
    """
    patterns = np.array(list(people.values()))

    def fit(pattern: np.ndarray) -> list[dict[str, str]]:
        return fit_points(pattern, close, kelvin, count)

    write_tables(output, fit(mean_pattern(patterns)))
    agreement = measure_agreement(patterns, kelvin, fit)
    write_agreement(output, agreement)
    return agreement


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; 0, or 1 after a message about what is wrong."""
    parser = argparse.ArgumentParser(
        "python -m tfake.studies.heat_calibration", description="Calibrate the heat of faces on real thermal faces."
    )
    parser.add_argument("images", help="folder of thermal images")
    parser.add_argument("points", help="JSON file: image file name to 478 points x, y in pixels")
    parser.add_argument("output", help="folder for the tables")
    parser.add_argument("--person", default=r"^[^_.\-]+", help="expression that finds the person in a file name")
    parser.add_argument("--no-data", type=float, help="value of pixels without data")
    parser.add_argument("--close", type=float, default=0.75, help="part of the way to CHARLOTTE's regions, 0 to 1")
    parser.add_argument("--unit", type=float, default=1.05, help="K a standard deviation of the pattern at 24 °C")
    parser.add_argument("--control-points", type=int, default=56, help="control points on half a face")
    options = parser.parse_args(arguments)
    try:
        people = read_people(options.images, options.points, options.person, options.no_data)
        calibrate_heat(people, options.output, options.close, options.unit, options.control_points)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    print((Path(options.output) / "agreement.md").read_text())
    return 0


if __name__ == "__main__":
    sys.exit(main())
