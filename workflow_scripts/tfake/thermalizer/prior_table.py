"""The temperature prior as a model of the ambient: how warm each class is expected to be in a given room.

A table has one row a class, one column ``at_{ambient}_celsius`` for each ambient it knows, and a source a row. Between
two such ambients the class's temperature is interpolated linearly; outside it goes on along the nearest segment, so
that a table with the columns of 20 and 26 °C answers for 12 and 30, too. A row without temperatures follows the room.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

from tfake.classes import LABELLED_CLASSES, FaceClass

_AMBIENT_COLUMN = re.compile(r"at_(-?\d+(?:\.\d+)?)_celsius")
_COLUMNS = "class, at_{ambient}_celsius (one or more, rising), sd_kelvin, source"


@dataclass(frozen=True)
class Prior:
    """What the prior says for one ambient.

    Attributes:
        celsius: (19,) float32, the temperature expected of each class.
        deviation_kelvin: (19,) float32, how far a person's class mean strays from it (one standard deviation).
    """

    celsius: np.ndarray
    deviation_kelvin: np.ndarray


@dataclass(frozen=True)
class PriorTable:
    """A table, read and checked.

    Attributes:
        name: the shipped table's name, or the file's.
        ambients: (A,) float64 °C, rising.
        celsius: (19, A) float64 °C; NaN throughout a row that follows the room.
        deviation_kelvin: (19,) float32.
    """

    name: str
    ambients: np.ndarray
    celsius: np.ndarray
    deviation_kelvin: np.ndarray

    def at(self, ambient_celsius: float, read_at_celsius: float | None = None) -> Prior:
        """The prior in a room.

        Args:
            ambient_celsius: temperature of the room.
            read_at_celsius: take the body's temperatures as in a room of this temperature instead: T-FAKE's warm faces
                stand in a room of 20 °C.

        Returns:
            The class temperatures; classes without temperatures of their own are at ``ambient_celsius``.
        """
        read_at = ambient_celsius if read_at_celsius is None else read_at_celsius
        celsius = np.array([_interpolate(read_at, self.ambients, row) for row in self.celsius])
        return Prior(np.where(np.isnan(celsius), ambient_celsius, celsius).astype(np.float32), self.deviation_kelvin)

    def shifted(self, offsets_kelvin: Mapping[str, float]) -> "PriorTable":
        """The table with some classes warmer or colder.

        Args:
            offsets_kelvin: class name to what is added to its temperatures.

        Raises:
            ValueError: an unknown class, or one that follows the room.
        """
        celsius = self.celsius.copy()
        for name, offset in offsets_kelvin.items():
            if name not in FaceClass.__members__ or FaceClass[name] not in LABELLED_CLASSES:
                raise ValueError(
                    f"prior offsets: {name} is no class; known: {', '.join(c.name for c in LABELLED_CLASSES)}"
                )
            if np.isnan(celsius[FaceClass[name]]).all():
                raise ValueError(f"prior offsets: {name} follows the room in the table {self.name}; it takes no offset")
            celsius[FaceClass[name]] += offset
        return replace(self, celsius=celsius)


def load_prior(name_or_path: str | Path) -> PriorTable:
    """Read a table of the prior.

    Args:
        name_or_path: a table shipped with the package (``tfake2025``, ``charlotte``), or the path of a CSV of the same
            columns, one row a class.

    Returns:
        The table.

    Raises:
        FileNotFoundError: neither a shipped table nor a file.
        ValueError: a column or class is missing, unknown or twice, or a number is none.
    """
    path = _find(name_or_path)
    with path.open(encoding="utf-8") as file:
        table = pd.read_csv(file)
    ambients = _read_ambients(path, list(table.columns))
    expected = [c.name for c in LABELLED_CLASSES]
    if sorted(table["class"]) != sorted(expected):
        wrong = sorted(set(table["class"]).symmetric_difference(expected))
        raise ValueError(
            f"{path}: expected each of the 19 classes once; missing, unknown or repeated: {wrong or 'a row'}"
        )
    table = table.set_index("class").loc[expected]
    celsius = table[table.columns[: len(ambients)]].apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    follows = table[table.columns[: len(ambients)]].isna().all(axis=1).to_numpy()
    deviation = pd.to_numeric(table["sd_kelvin"], errors="coerce").to_numpy(np.float32)
    bad = ~(np.isfinite(celsius).all(axis=1) | follows) | ~(deviation > 0) | ~np.isfinite(deviation)
    if bad.any():
        names = ", ".join(name for name, is_bad in zip(expected, bad, strict=True) if is_bad)
        raise ValueError(
            f"{path}: {names}: temperatures must be numbers or all blank (the class follows the room), and sd_kelvin "
            "a number above 0"
        )
    return PriorTable(path.name.removesuffix(".csv"), np.array(ambients), celsius, deviation)


def _find(name_or_path: str | Path):
    path = Path(name_or_path)
    if path.is_file():
        return path
    shipped = resources.files(__package__) / "priors"
    path = shipped / f"{name_or_path}.csv"
    if not path.is_file():
        names = sorted(entry.name.removesuffix(".csv") for entry in shipped.iterdir())
        raise FileNotFoundError(f"prior {name_or_path}: neither a CSV file nor one of {', '.join(names)}")
    return path


def _read_ambients(path, columns: list[str]) -> list[float]:
    matches = [_AMBIENT_COLUMN.fullmatch(column) for column in columns[1:-2]]
    ambients = [float(match[1]) for match in matches if match]
    rising = all(a < b for a, b in pairwise(ambients))
    frame = (columns[0], *columns[-2:]) == ("class", "sd_kelvin", "source")
    if not (frame and ambients and all(matches) and rising):
        raise ValueError(f"{path}: expected the columns {_COLUMNS}; found {', '.join(columns)}")
    return ambients


def _interpolate(at: float, ambients: np.ndarray, celsius: np.ndarray) -> float:
    """Linear between the ambients, and beyond them along the first or last segment."""
    if len(ambients) == 1:
        return float(celsius[0])
    right = int(np.clip(np.searchsorted(ambients, at), 1, len(ambients) - 1))
    share = (at - ambients[right - 1]) / (ambients[right] - ambients[right - 1])
    return float(celsius[right - 1] + share * (celsius[right] - celsius[right - 1]))
