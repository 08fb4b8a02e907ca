"""How a calibrated heat field agrees with what was measured: on people's patterns, and on tables of temperatures.

The field is looked at on the mean head from the front, all skin bare but for the eyes, at the face mesh's vertices.
``heat_sources.csv`` holds the temperatures: lines of CHARLOTTE's ten people (8,032 images at 20 to 28.5 °C; the
standard deviation is that between subjects at 19 to 22 °C), and of the 1,003 people of PhysioNet's face-oral-temp-data
1.0.0 (doi 10.13026/3bhc-9065), indoors at rest.
"""

import csv
import json
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from tfake.core.classes import FaceClass
from tfake.heat.calibration import write_tables
from tfake.heat.field import heat_field
from tfake.heat.patterns import bare_vertices, correlation, mean_pattern, mirror_vertices, read_vertices, standardised
from tfake.heat.registration import register_face
from tfake.heat.subject import draw_subject
from tfake.heat.surface import HeatSurface
from tfake.mesh.template import (
    ANCHORS,
    FACE_VERTICES,
    LOWER_LID,
    LOWER_LIP,
    UPPER_LID,
    UPPER_LIP,
    face_vertices,
    on_nose,
)

Rows = Sequence[dict[str, str]]
ROOMS_CELSIUS = (20.0, 23.0, 24.0, 26.0)
#: The room (°C) in which drawn people are compared with real ones, whose pictures do not tell theirs.
PEOPLE_CELSIUS = 24.0
DRAWN_PEOPLE = 100
#: Limits (cm) of the distances that correlations are averaged over.
DISTANCES_CM = (0, 1, 2, 3, 5, 8, 12)
_PIXELS, _PIXELS_PER_CM = 256, 11.0
#: Places as discs on the mean head: anchor and radius (cm); others are named by vertices.
_DISCS = {
    "forehead": ("forehead", 2.5),
    "forehead centre": ("forehead", 1.2),
    "cheek": ("left_cheek", 1.5),
    "eye": ("left_eye", 1.7),
    "inner canthus": ("left_inner_canthus", 0.4),
    "chin": ("chin", 1.5),
}


def measure_agreement(patterns: np.ndarray, kelvin: float, fit: Callable[[np.ndarray], Rows]) -> dict:
    """Measure a calibration.

    Args:
        patterns: (P, 468) of the people it was made from, in standard deviations of a face.
        kelvin: of one standard deviation.
        fit: rows of ``points.csv`` for people's mean pattern (468,).

    Returns:
        Tables by name, each a list of rows.
    """
    halves = [patterns[0::2], patterns[1::2]]
    with tempfile.TemporaryDirectory() as folder:
        # A folder of its own for each set: what is read of a set is kept by its path.
        sets = {}
        for name, people in (("all", patterns), ("even", halves[0]), ("odd", halves[1])):
            sets[name] = str(Path(folder) / name)
            write_tables(sets[name], fit(mean_pattern(people)))
        mean = {room: _read(sets["all"], room)[0] for room in ROOMS_CELSIUS}
        drawn = {room: _read(sets["all"], room, DRAWN_PEOPLE) for room in (ROOMS_CELSIUS[0], PEOPLE_CELSIUS)}
        crossed = _judge_halves(halves, (sets["even"], sets["odd"]))
    people = np.array([standardised(_bare(values)) for values in drawn[PEOPLE_CELSIUS]])
    real = np.array([_bare(values) for values in patterns])
    return {
        "people": len(patterns),
        "temperatures": _compare_temperatures(mean, drawn),
        "halves": crossed,
        "spread": _compare_spread(kelvin * real, kelvin * people),
        "correlation": _compare_correlation(real, people),
    }


def write_agreement(folder: str | Path, agreement: dict) -> None:
    """Write ``agreement.json`` and, for people to read, ``agreement.md``."""
    folder = Path(folder)
    (folder / "agreement.json").write_text(json.dumps(agreement, indent=1) + "\n")
    titles = {
        "temperatures": "The mean person's temperatures (°C), and the spread between people (K, at the source's room)",
        "halves": "Correlation of the mean face with the people's pattern: fitted on one half, judged on the other",
        "spread": f"Spread between people's patterns (K), real and drawn at {PEOPLE_CELSIUS:.0f} °C",
        "correlation": "Correlation between two places of what people differ by",
    }
    parts = [
        f"Calibrated on {agreement['people']} people.",
        *(f"{t}:\n\n{_table(agreement[k])}" for k, t in titles.items()),
    ]
    (folder / "agreement.md").write_text("\n\n".join(parts) + "\n")


def _table(rows: Rows) -> str:
    """Rows as a Markdown table."""
    lines = [list(rows[0]), ["---"] * len(rows[0])]
    lines += [[f"{cell:.2f}" if isinstance(cell, float) else str(cell) for cell in row.values()] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def vertices_of(place: str) -> np.ndarray:
    """Vertices of a place named in ``heat_sources.csv``, both sides."""
    vertices = face_vertices()[:FACE_VERTICES]
    if place == "nose":
        return np.flatnonzero(on_nose(vertices))
    if place == "mouth":
        return np.unique(UPPER_LIP + LOWER_LIP)
    anchor, radius = _DISCS[place]
    away = np.abs(vertices[:, :2]) * (1, 0) + vertices[:, :2] * (0, 1) - ANCHORS[anchor][:2]
    return np.flatnonzero(np.hypot(*away.T) < radius)


@cache
def _points() -> np.ndarray:
    """Pixels and depth (468, 3) of the mean head's vertices from the front."""
    vertices = face_vertices()[:FACE_VERTICES]
    centre = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    return (vertices - centre) * (1.0, -1.0, -1.0) * _PIXELS_PER_CM + (_PIXELS / 2, _PIXELS / 2, 0.0)


def _surface(tables: str) -> HeatSurface:
    pixels = np.round(_points()[:, :2]).astype(np.int32)
    classes = np.zeros((_PIXELS, _PIXELS), np.uint8)
    cv2.fillConvexPoly(classes, cv2.convexHull(pixels), int(FaceClass.SKIN))
    # Skin goes on beyond the face, so that no vertex mirrors the room.
    classes = cv2.dilate(classes, np.ones((3, 3)), iterations=int(_PIXELS_PER_CM))
    for side, eye in (("right", FaceClass.RIGHT_EYE), ("left", FaceClass.LEFT_EYE)):
        cv2.fillPoly(classes, [pixels[[*UPPER_LID[side], *LOWER_LID[side][-2:0:-1]]]], int(eye))
    return register_face(_points(), classes, tables=tables)


def _read(tables: str, room: float, people: int = 0) -> np.ndarray:
    """What the vertices read of the mean person (1, 468), or of drawn ones (people, 468), °C."""
    surface, valid = _surface(tables), np.ones((_PIXELS, _PIXELS), bool)
    subjects = [draw_subject(0, f"{number:06d}") for number in range(people)] or [None]
    fields = (heat_field(surface, room, subject, tables).celsius for subject in subjects)
    return np.array([read_vertices(celsius, _points()[:, :2], valid) for celsius in fields])


def _bare(values: np.ndarray) -> np.ndarray:
    return np.where(bare_vertices(), values, np.nan)


def _compare_temperatures(mean: dict[float, np.ndarray], drawn: dict[float, np.ndarray]) -> Rows:
    rows = []
    with Path(__file__).with_name("heat_sources.csv").open(newline="") as table:
        for line in csv.DictReader(table):
            at, slope = vertices_of(line["place"]), float(line["slope"])
            row = {"source": line["source"], "place": line["place"]}
            for room, values in mean.items():
                expected = float(line["celsius"]) + slope * (room - float(line["room_celsius"]))
                row |= {f"{room:.0f} °C: source": expected, f"{room:.0f} °C: field": float(values[at].mean())}
            rise = (mean[ROOMS_CELSIUS[-1]][at] - mean[ROOMS_CELSIUS[0]][at]).mean()
            row |= {"slope: source": slope, "slope: field": float(rise / (ROOMS_CELSIUS[-1] - ROOMS_CELSIUS[0]))}
            people = drawn[min(drawn, key=lambda room: abs(room - float(line["sd_room_celsius"])))]
            row |= {"SD: source": float(line["sd_kelvin"]), "SD: field": float(people[:, at].std(axis=0).mean())}
            rows.append(row)
    return rows


def _judge_halves(halves: Sequence[np.ndarray], tables: Sequence[str]) -> Rows:
    patterns = [_bare(mean_pattern(half)) for half in halves]
    rows = []
    for room in ROOMS_CELSIUS:
        faces = [_read(one, room)[0] for one in tables]
        same = [correlation(face, pattern) for face, pattern in zip(faces, patterns, strict=True)]
        other = [correlation(face, pattern) for face, pattern in zip(faces, patterns[::-1], strict=True)]
        rows.append({"room °C": room, "same half": float(np.mean(same)), "other half": float(np.mean(other))})
    return [{**row, "the halves' patterns": correlation(*patterns)} for row in rows]


def _compare_spread(real: np.ndarray, drawn: np.ndarray) -> Rows:
    rows = []
    residuals = {"real": _residuals(real), "drawn": _residuals(drawn)}
    for place in ("all", "forehead", "cheek", "nose", "chin"):
        at = np.flatnonzero(bare_vertices()) if place == "all" else vertices_of(place)
        row = {"place": place}
        for name, values in residuals.items():
            at = at[np.isfinite(values[:, at]).any(axis=0)]
            row[name] = float(np.nanstd(values[:, at], axis=0).mean())
        rows.append(row)
    twin = mirror_vertices()
    for name, sign in (("left as right", 1.0), ("left against right", -1.0)):
        parts = {key: (values + sign * values[:, twin]) / 2 for key, values in residuals.items()}
        rows.append(
            {"place": name} | {key: float(np.nanmean(np.nanstd(_known(v), axis=0))) for key, v in parts.items()}
        )
    own = {name: _own(values) for name, values in (("real", real), ("drawn", drawn))}
    return [*rows, {"place": "own: correlation with the mean", **own}]


def _known(values: np.ndarray) -> np.ndarray:
    return values[:, np.isfinite(values).any(axis=0)]


def _residuals(patterns: np.ndarray) -> np.ndarray:
    """What people (P, 468) differ by, each one's median taken away."""
    residuals = np.full(patterns.shape, np.nan)
    known = np.isfinite(patterns).any(axis=0)
    residuals[:, known] = patterns[:, known] - np.nanmedian(patterns[:, known], axis=0)
    return residuals - np.nanmedian(residuals, axis=1, keepdims=True)


def _own(patterns: np.ndarray) -> float:
    """Median over people of the correlation with the mean pattern."""
    mean = np.nanmedian(_known(patterns), axis=0)
    return float(np.median([correlation(pattern, mean) for pattern in _known(patterns)]))


def _compare_correlation(real: np.ndarray, drawn: np.ndarray) -> Rows:
    first, second = np.triu_indices(FACE_VERTICES, 1)
    vertices = face_vertices()[:FACE_VERTICES]
    distance = np.linalg.norm(vertices[first] - vertices[second], axis=1)
    correlations = [_correlations(_residuals(patterns))[first, second] for patterns in (real, drawn)]
    rows = []
    for low, high in pairwise(DISTANCES_CM):
        near = (distance >= low) & (distance < high)
        means = [float(np.nanmean(values[near])) for values in correlations]
        rows.append({"distance cm": f"{low}-{high}", "real": means[0], "drawn": means[1]})
    return rows


def _correlations(residuals: np.ndarray) -> np.ndarray:
    """Correlation over people between each two vertices (468, 468); NaN where a vertex is unknown."""
    with np.errstate(invalid="ignore", divide="ignore"):
        known = np.isfinite(residuals)
        centred = np.where(known, residuals - np.where(known, residuals, 0).sum(axis=0) / known.sum(axis=0), 0.0)
        scores = centred / np.sqrt((centred**2).sum(axis=0))
    return scores.T @ scores
