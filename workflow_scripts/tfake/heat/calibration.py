"""Fit the control points of the skin to the mean heat pattern of a set of real faces.

A pattern knows neither level nor unit: both come from CHARLOTTE. Its median is the median of CHARLOTTE's face in a room
of 24 °C, its unit is given, and a part ``close`` of the distance to CHARLOTTE's regions is closed by an offset that is
smooth between regions. How the pattern changes with the room was not seen: what it has beside CHARLOTTE's regions fades
as the room nears the core's temperature, as all differences on the skin do.
"""

import csv
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tfake.heat.patterns import bare_vertices
from tfake.heat.regions import control_celsius, control_weights, kernel_weights
from tfake.heat.rooms import CORE_CELSIUS
from tfake.heat.tables import REFERENCE_CELSIUS, read_points, read_regions, read_rows, tables_folder
from tfake.mesh.template import ANCHORS, FACE_VERTICES, face_vertices

BASE = "charlotte"
#: Regions whose lines the pattern is moved towards: those of the face.
REGIONS = ("forehead", "cheek", "eye", "nose", "mouth", "chin", "canthus", "temple", "jaw")
#: The tip of the nose: where the choice of control points starts.
FIRST_VERTEX = 4
#: Control points are this much denser in the middle of the face: half its width, its lowest and highest height (cm).
DENSER, MIDDLE_CM = 1.5, (3.3, -6.5, 3.2)
#: Reach of a control point as a part of its mean distance from the next three, and its bounds (cm).
REACH, REACH_CM = 0.62, (0.45, 1.9)
#: Vertices nearer to the midline than this (cm) are on it.
MIDLINE_CM = 0.25
#: Weight of the distance between a control point's temperature and its vertex' own (ridge regression).
RIDGE = 0.05
#: CHARLOTTE's points this far (cm) from every known vertex stay, and those of the rim; the canthi are marks.
BEYOND_CM, RIM, MARKED = 1.3, ("temple", "jaw"), ("canthus",)
#: Offsets from a named place are told from here on (cm).
NEAR_CM = 0.25


def fit_points(pattern: np.ndarray, close: float = 0.75, kelvin: float = 1.05, count: int = 56) -> list[dict[str, str]]:
    """Fit control points to a mean pattern.

    Args:
        pattern: (468,) of :func:`tfake.heat.patterns.mean_pattern`, in standard deviations of a face, NaN
            where unknown.
        close: how much of the distance to CHARLOTTE's regions is closed, 0..1.
        kelvin: of one standard deviation in a room of 24 °C.
        count: number of control points on one half of the face.

    Returns:
        Rows of ``points.csv``.

    Raises:
        ValueError: the pattern is known at too few vertices.
    """
    known = np.isfinite(pattern) & bare_vertices()
    vertices = face_vertices()[:FACE_VERTICES]
    half = np.flatnonzero(known & (vertices[:, 0] > -1e-6))
    if len(half) < count or not known[FIRST_VERTEX]:
        raise ValueError(
            f"{count} control points want a pattern known at as many vertices of half a face, the tip of the nose "
            f"(vertex {FIRST_VERTEX}) among them; found {len(half)}"
        )
    weights = control_weights(vertices, BASE)
    member = weights @ np.eye(len(read_regions(BASE).names))[read_points(BASE).region]
    base = weights @ control_celsius(REFERENCE_CELSIUS, tables=BASE)
    base_slope = weights @ control_celsius(REFERENCE_CELSIUS + 1.0, tables=BASE) - base
    target = kelvin * pattern
    target += np.median(base[known]) - np.median(target[known])
    target += close * _offset_to_regions(base - target, member, known)
    beside = target - base
    slope = base_slope - (beside - np.median(beside[known])) / (CORE_CELSIUS - REFERENCE_CELSIUS)

    chosen = _spread_over(half, count)
    reach = _reach(chosen)
    kept = _points_beyond(vertices[known])
    points = read_points(BASE)
    paired = np.abs(vertices[chosen, 0]) >= MIDLINE_CM
    sides = [(index, side) for index in range(count) for side in ((1, -1) if paired[index] else (0,))]
    owner = np.array([index for index, _ in sides])
    places = np.abs(vertices[chosen[owner]]) * (1, 0, 0) + vertices[chosen[owner]] * (0, 1, 1)
    places[:, 0] *= [side for _, side in sides]
    outer = np.concatenate([indices for _, indices in kept])
    design = kernel_weights(
        vertices[known],
        np.concatenate((places, points.position[outer])),
        np.concatenate((reach[owner], points.radius[outer])),
    )
    inner, fixed = design[:, : len(owner)] @ np.eye(count)[owner], design[:, len(owner) :]
    celsius = _ridge(
        inner, target[known] - fixed @ control_celsius(REFERENCE_CELSIUS, tables=BASE)[outer], target[chosen]
    )
    slopes = _ridge(inner, slope[known] - fixed @ points.slope[outer], slope[chosen])

    names = np.array(read_regions(BASE).names)[member[chosen].argmax(axis=1)]
    order = sorted(range(count), key=lambda index: (names[index], -vertices[chosen[index], 1]))
    rows = [
        {
            "region": str(names[index]),
            "anchor": str(chosen[index]),
            "paired": str(int(paired[index])),
            "dx": "0",
            "dy": "0",
            "dz": "0",
            "radius_cm": str(round(reach[index], 2)),
            "celsius_at_24": f"{celsius[index]:.2f}",
            "slope": f"{slopes[index]:.3f}",
            "place": name_place(vertices[chosen[index]]),
        }
        for index in order
    ]
    return rows + [dict(row) for row, _ in kept]


def write_tables(folder: str | Path, rows: Sequence[Mapping[str, str]], source: str = "measured") -> None:
    """Write a folder of tables: ``points.csv`` of the rows, all else as in the tables ``source``."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("regions.csv", "materials.csv", "features.csv"):
        copied = tables_folder(source) / name
        if copied.resolve() != (folder / name).resolve():
            shutil.copyfile(copied, folder / name)
    with (folder / "points.csv").open("w", newline="") as table:
        writer = csv.DictWriter(table, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def name_place(position: np.ndarray) -> str:
    """A place (3,) cm on the subject's left half in words: its offset from the nearest named place."""
    names = [name for name in ANCHORS if not name.startswith("right_")]
    offset, name = min(((position - ANCHORS[name], name) for name in names), key=lambda pair: np.linalg.norm(pair[0]))
    parts = [
        f"{abs(cm):.1f} cm {words[0] if cm > 0 else words[1]}"
        for cm, words in zip(offset, (("outwards", "inwards"), ("above", "below")), strict=False)
        if abs(cm) >= NEAR_CM
    ]
    return " ".join((name.removeprefix("left_").replace("_", " "), *([" and ".join(parts)] if parts else [])))


def _offset_to_regions(missing: np.ndarray, member: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mean of what is missing (468,) over each region, by soft membership (468, R), spread back over vertices."""
    region = [read_regions(BASE).names.index(name) for name in REGIONS]
    member = member[:, region]
    held = member[known]
    offsets = (missing[known] @ held) / held.sum(axis=0)
    return (member @ offsets) / np.maximum(member.sum(axis=1), 1e-6)


def _spread_over(candidates: np.ndarray, count: int) -> np.ndarray:
    """Vertices (count,) by farthest point sampling, denser in the middle of the face."""
    vertices = face_vertices()[candidates]
    width, lowest, highest = MIDDLE_CM
    middle = (np.abs(vertices[:, 0]) < width) & (vertices[:, 1] > lowest) & (vertices[:, 1] < highest)
    density = np.where(middle, DENSER, 1.0)
    chosen = [FIRST_VERTEX]
    distance = np.full(len(candidates), np.inf)
    while len(chosen) < count:
        distance = np.minimum(distance, np.linalg.norm(vertices - face_vertices()[chosen[-1]], axis=1))
        chosen.append(int(candidates[np.argmax(distance * density)]))
    return np.array(chosen)


def _reach(chosen: np.ndarray) -> np.ndarray:
    """Reach (C,) cm of control points at vertices (C,)."""
    places = face_vertices()[chosen]
    distance = np.sort(np.linalg.norm(places[:, None] - places, axis=2), axis=1)
    return np.clip(REACH * distance[:, 1:4].mean(axis=1), *REACH_CM)


def _points_beyond(known: np.ndarray) -> list[tuple[dict[str, str], list[int]]]:
    """CHARLOTTE's rows that stay beside known vertices (K, 3), each with its indices among CHARLOTTE's points."""
    position = read_points(BASE).position
    kept, first = [], 0
    for row in read_rows(BASE, "points.csv"):
        indices = list(range(first, first + 1 + int(row["paired"])))
        first = indices[-1] + 1
        away = np.linalg.norm(known - position[indices[0]], axis=1).min()
        if row["region"] not in MARKED and (row["region"] in RIM or away > BEYOND_CM):
            kept.append((row, indices))
    return kept


def _ridge(design: np.ndarray, goal: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The x near ``start`` whose ``design @ x`` is near ``goal``."""
    normal = design.T @ design + RIDGE * np.eye(len(start))
    return start + np.linalg.solve(normal, design.T @ (goal - design @ start))
