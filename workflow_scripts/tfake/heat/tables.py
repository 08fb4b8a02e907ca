"""The parameters of the temperature model, read from CSV tables in a folder a set: ``charlotte`` and ``measured``.

``regions.csv`` says how warm each region is, ``points.csv`` where on the mean head that holds, ``materials.csv`` how
coverings emit and how far they are between skin and ambient, ``features.csv`` where small marks are. A set is called by
its name, or, calibrated on one's own faces (:mod:`tfake.studies.heat_calibration`), by the path of its folder.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from tfake.mesh.template import ANCHORS, face_vertices

#: ``measured``: regions and patterns of several sets of real faces. ``charlotte``: the lines of CHARLOTTE alone.
Tables = Literal["measured", "charlotte"]
#: Files of a set, and the columns that are read.
COLUMNS = {
    "regions.csv": ("region", "slope", "offset_celsius", "sd_cold_kelvin", "sd_warm_kelvin"),
    "points.csv": ("region", "anchor", "paired", "dx", "dy", "dz", "radius_cm", "celsius_at_24", "slope"),
    "materials.csv": ("material", "emissivity", "edge_fraction", "deep_fraction", "depth_cm", "fraction_sd"),
    "features.csv": ("feature", "vertices", "paired", "radius_cm", "kelvin"),
}
#: The room (°C) that control points are given for.
REFERENCE_CELSIUS = 24.0
#: Ambients (°C) that the columns ``sd_cold_kelvin`` and ``sd_warm_kelvin`` are for.
COLD_CELSIUS, WARM_CELSIUS = 20.0, 27.0


@dataclass(frozen=True)
class RegionLines:
    """Mean temperature ``slope * ambient + offset`` and between-subject spread of R regions.

    Attributes:
        names: the R region names.
        slope: (R,) float64 K of skin a K of ambient.
        offset: (R,) float64 °C.
        sd_cold: (R,) float64 K at 20 °C.
        sd_warm: (R,) float64 K at 27 °C.
    """

    names: tuple[str, ...]
    slope: np.ndarray
    offset: np.ndarray
    sd_cold: np.ndarray
    sd_warm: np.ndarray

    def celsius(self, ambient_celsius: float) -> np.ndarray:
        """Give the mean subject's region temperatures (R,) in °C."""
        return self.slope * ambient_celsius + self.offset

    def spread(self, ambient_celsius: float) -> np.ndarray:
        """Give the between-subject SD (R,) in K, linear between the two tabulated ambients and constant outside."""
        warmth = np.clip((ambient_celsius - COLD_CELSIUS) / (WARM_CELSIUS - COLD_CELSIUS), 0.0, 1.0)
        return self.sd_cold + warmth * (self.sd_warm - self.sd_cold)


@dataclass(frozen=True)
class Points:
    """P places on the mean head between which skin is interpolated.

    Attributes:
        position: (P, 3) float64 cm, rest frame.
        region: (P,) int, index into the names of :class:`RegionLines`.
        side: (P,) int, +1 the subject's left, -1 right, 0 midline.
        radius: (P,) float64 cm, reach.
        celsius_at_24: (P,) float64 °C in a room of 24 °C.
        slope: (P,) float64 K of skin a K of ambient.
    """

    position: np.ndarray
    region: np.ndarray
    side: np.ndarray
    radius: np.ndarray
    celsius_at_24: np.ndarray
    slope: np.ndarray


@dataclass(frozen=True)
class Materials:
    """Emission and warmth of M materials.

    A covering is at ``ambient + fraction * (skin - ambient)``; the fraction falls from ``edge`` where bare skin begins
    to ``deep`` with the e-folding length ``depth``.

    Attributes:
        names: the M material names.
        emissivity: (M,) float32 at normal view.
        edge: (M,) float32.
        deep: (M,) float32.
        depth: (M,) float32 cm.
        fraction_sd: (M,) float32 between subjects.
    """

    names: tuple[str, ...]
    emissivity: np.ndarray
    edge: np.ndarray
    deep: np.ndarray
    depth: np.ndarray
    fraction_sd: np.ndarray


def tables_folder(tables: str) -> Path:
    """Folder of a set of tables: of a named one, or itself a path."""
    return Path(__file__).parent / tables if tables in get_args(Tables) else Path(tables)


def read_rows(tables: str, name: str) -> list[dict[str, str]]:
    """The rows of one file of a set of tables.

    Raises:
        FileNotFoundError: there is no such set.
        ValueError: the file lacks a column.
    """
    path = tables_folder(tables) / name
    if not path.is_file():
        named = ", ".join(get_args(Tables))
        raise FileNotFoundError(
            f"{path}: no such table; heat tables are {named}, or a folder with {', '.join(COLUMNS)}"
        )
    with path.open(newline="") as table:
        reader = csv.DictReader(table)
        missing = [column for column in COLUMNS[name] if column not in (reader.fieldnames or ())]
        if missing:
            raise ValueError(f"{path}: expected the columns {', '.join(COLUMNS[name])}; missing {', '.join(missing)}")
        return list(reader)


def _column(rows: list[dict[str, str]], key: str, dtype: type = np.float64) -> np.ndarray:
    return np.array([float(row[key] or "nan") for row in rows], dtype=dtype)


@cache
def read_regions(tables: str = "measured") -> RegionLines:
    """Read ``regions.csv`` of a set of tables."""
    rows = read_rows(tables, "regions.csv")
    return RegionLines(
        names=tuple(row["region"] for row in rows),
        slope=_column(rows, "slope"),
        offset=_column(rows, "offset_celsius"),
        sd_cold=_column(rows, "sd_cold_kelvin"),
        sd_warm=_column(rows, "sd_warm_kelvin"),
    )


@cache
def read_materials(tables: str = "measured") -> Materials:
    """Read ``materials.csv`` of a set of tables."""
    rows = read_rows(tables, "materials.csv")
    return Materials(
        names=tuple(row["material"] for row in rows),
        emissivity=_column(rows, "emissivity", np.float32),
        edge=_column(rows, "edge_fraction", np.float32),
        deep=_column(rows, "deep_fraction", np.float32),
        depth=_column(rows, "depth_cm", np.float32),
        fraction_sd=_column(rows, "fraction_sd", np.float32),
    )


@cache
def read_points(tables: str = "measured") -> Points:
    """Read ``points.csv`` of a set of tables; a paired row becomes a left and a mirrored right point.

    A row's anchor is one of :data:`tfake.mesh.template.ANCHORS`, or a vertex of FaceMesh by its number.
    """
    names = read_regions(tables).names
    position, rows, sides = [], [], []
    for row in read_rows(tables, "points.csv"):
        for side in (1, -1) if row["paired"] == "1" else (0,):
            x, y, z = _anchor(row["anchor"], side)
            position.append((x + (side or 1) * float(row["dx"]), y + float(row["dy"]), z + float(row["dz"])))
            rows.append(row)
            sides.append(side)
    return Points(
        position=np.array(position),
        region=np.array([names.index(row["region"]) for row in rows]),
        side=np.array(sides),
        radius=_column(rows, "radius_cm"),
        celsius_at_24=_column(rows, "celsius_at_24"),
        slope=_column(rows, "slope"),
    )


def _anchor(name: str, side: int) -> tuple[float, float, float]:
    if name.isdigit():
        x, y, z = face_vertices()[int(name)]
        return ((side * abs(x) if side else 0.0), y, z)
    return ANCHORS.get(f"{'left' if side > 0 else 'right'}_{name}") or ANCHORS[name]
