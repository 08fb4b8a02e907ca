"""The table of the temperature prior: how warm each class is expected to be at a given ambient temperature.

A table has one row per class, one column ``at_{ambient}_celsius`` for each ambient it knows, and a source per row.
Between two such ambients the class's temperature is interpolated linearly, and beyond them extrapolated along the
nearest segment. A row without temperatures follows the ambient. A first line ``# rooms of 10 to 34 degrees Celsius``
says how far the table may be extrapolated; without it, 10 K beyond its columns.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources
from itertools import pairwise
from pathlib import Path

import numpy as np

from tfake.core.classes import LABELLED_CLASSES, FaceClass
from tfake.core.text_tables import decode_text, parse_number, read_rows
from tfake.thermal_io.scales import Scale, ScaleError, check_plausible

_AMBIENT_COLUMN = re.compile(r"at_(-?\d+(?:\.\d+)?)_celsius")
_AMBIENT_RANGE = re.compile(r"# rooms of (-?\d+(?:\.\d+)?) to (-?\d+(?:\.\d+)?) degrees Celsius")
#: How far a table that does not say so may be followed beyond its columns.
_BEYOND_KELVIN = 10.0
_BELIEVABLE_CELSIUS = (-60.0, 60.0)
_COLUMNS = "class, at_{ambient}_celsius (one or more, rising), sd_kelvin, source"


@dataclass(frozen=True)
class Prior:
    """What the prior says for one ambient.

    Attributes:
        celsius: (19,) float32, the temperature expected of each class.
        std_kelvin: (19,) float32, how far a person's class mean strays from it (one standard deviation).
    """

    celsius: np.ndarray
    std_kelvin: np.ndarray


@dataclass(frozen=True)
class PriorTable:
    """A table, read and checked.

    Attributes:
        name: the shipped table's name, or the file's.
        ambients: (A,) float64 °C, rising.
        celsius: (19, A) float64 °C; NaN throughout a row that follows the ambient.
        std_kelvin: (19,) float32.
        ambient_range_celsius: lowest and highest ambient that the table answers for.
    """

    name: str
    ambients: np.ndarray
    celsius: np.ndarray
    std_kelvin: np.ndarray
    ambient_range_celsius: tuple[float, float]

    def check_ambients(self, asked_celsius: tuple[float, float], read_at_celsius: float | None = None) -> None:
        """Refuse an ambient range that the table does not answer for; ``read_at_celsius`` is as for ``at``.

        Raises:
            ValueError: a part of it is outside ``ambient_range_celsius``.
        """
        lowest, highest = self.ambient_range_celsius
        ambients = asked_celsius if read_at_celsius is None else (read_at_celsius, read_at_celsius)
        if not (lowest <= min(ambients) and max(ambients) <= highest):
            asked = " to ".join(f"{ambient:g}" for ambient in dict.fromkeys(ambients))
            raise ValueError(
                f"the prior {self.name} answers for rooms of {lowest:g} to {highest:g} °C; it is asked for {asked} °C"
            )

    def at(self, ambient_celsius: float, read_at_celsius: float | None = None) -> Prior:
        """The prior at an ambient temperature, which classes without temperatures of their own have.

        The body's temperatures are taken as at ``read_at_celsius`` instead, if given: T-FAKE's warm faces stand in a
        room of 20 °C.
        """
        read_at = ambient_celsius if read_at_celsius is None else read_at_celsius
        celsius = np.array([_interpolate(read_at, self.ambients, row) for row in self.celsius])
        return Prior(np.where(np.isnan(celsius), ambient_celsius, celsius).astype(np.float32), self.std_kelvin)

    def shifted(self, offsets_kelvin: Mapping[str, float]) -> "PriorTable":
        """The table with an offset added to some classes, by their names.

        Raises:
            ValueError: an unknown class, or one that follows the ambient.
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
    """Read a table that is shipped with the package (``tfake2025``, ``charlotte``), or a CSV of the same columns.

    Raises:
        FileNotFoundError: neither a shipped table nor a file.
        ValueError: a column or class is missing, unknown or twice, a number is none, or temperatures are no degrees
            Celsius.
    """
    path = _find(name_or_path)
    try:
        return _read(path.name.removesuffix(".csv"), decode_text(path.read_bytes()))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _read(name: str, text: str) -> PriorTable:
    first, _, rest = text.partition("\n")
    stated = _AMBIENT_RANGE.fullmatch(first.strip())
    rows = [row for row in read_rows((rest if stated else text).encode()) if not row.is_blank]
    columns = rows[0].cells if rows else ()
    ambients = _read_ambients(columns)
    cells: dict[str, tuple[str, ...]] = {}
    for row in rows[1:]:
        if row.fault or len(row.cells) != len(columns):
            found = row.fault or f"{len(row.cells)}, a comma in a source wants quotes"
            raise ValueError(f"{row.cells[0] if row.cells else 'a row'}: expected {len(columns)} values; found {found}")
        if row.cells[0] in cells:
            raise ValueError(f"expected each of the 19 classes once; {row.cells[0]} is there twice")
        cells[row.cells[0]] = row.cells
    expected = [c.name for c in LABELLED_CLASSES]
    if wrong := sorted(set(cells).symmetric_difference(expected)):
        raise ValueError(f"expected each of the 19 classes once; missing or unknown: {wrong}")
    celsius = np.array([_temperatures(name, cells[name][1 : 1 + len(ambients)]) for name in expected])
    std = np.array([_std(name, cells[name][-2]) for name in expected], dtype=np.float32)
    _check_celsius(expected, celsius)
    ambient_range = (
        (float(stated[1]), float(stated[2]))
        if stated
        else (ambients[0] - _BEYOND_KELVIN, ambients[-1] + _BEYOND_KELVIN)
    )
    return PriorTable(name, np.array(ambients), celsius, std, ambient_range)


def _temperatures(name: str, cells: tuple[str, ...]) -> list[float]:
    if not any(cells):
        return [np.nan] * len(cells)
    try:
        return [parse_number(cell) for cell in cells]
    except ValueError as error:
        raise ValueError(
            f"{name}: temperatures must be numbers or all blank (the class follows the room): {error}"
        ) from error


def _std(name: str, cell: str) -> float:
    try:
        std = parse_number(cell)
    except ValueError:
        std = 0.0
    if std <= 0:
        raise ValueError(f"{name}: sd_kelvin must be a number above 0; found {cell!r}")
    return std


def _check_celsius(names: list[str], celsius: np.ndarray) -> None:
    low, high = _BELIEVABLE_CELSIUS
    wrong = [place for place, row in enumerate(celsius) if (row < low).any() or (row > high).any()]
    if 0 < len(wrong) < len(names) / 2:
        found = celsius[wrong[0]].tolist()
        raise ValueError(f"{names[wrong[0]]}: expected temperatures of {low:g} to {high:g} °C; found {found}")
    if np.isfinite(celsius).any():
        try:
            check_plausible([("", celsius)], Scale("celsius"), people=False, remedy="convert from {} to °C")
        except ScaleError as error:
            raise ValueError(f"its temperatures are no degrees Celsius: {error}") from error


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


def _read_ambients(columns: Sequence[str]) -> list[float]:
    matches = [_AMBIENT_COLUMN.fullmatch(column) for column in columns[1:-2]]
    ambients = [float(match[1]) for match in matches if match]
    rising = all(a < b for a, b in pairwise(ambients))
    frame = (*columns[:1], *columns[-2:]) == ("class", "sd_kelvin", "source")
    if not (frame and ambients and all(matches) and rising):
        raise ValueError(f"expected the columns {_COLUMNS}; found {', '.join(columns)}")
    return ambients


def _interpolate(at: float, ambients: np.ndarray, celsius: np.ndarray) -> float:
    """Linear between the ambients, and beyond them along the first or last segment."""
    if len(ambients) == 1:
        return float(celsius[0])
    right = int(np.clip(np.searchsorted(ambients, at), 1, len(ambients) - 1))
    fraction = (at - ambients[right - 1]) / (ambients[right] - ambients[right - 1])
    return float(celsius[right - 1] + fraction * (celsius[right] - celsius[right - 1]))
