"""One row of Charlotte-ThermalFace's CSV files (Ashrafi, Azarbayjani and Tabkhi, 2022), with its faults.

The columns are ``ID,x0,y0,…,x72,y72`` and five of circumstance: distance (m), relative humidity (%), air flow (m/s),
ambient (°C) and thermal sensation. 73 points are a frontal face, 43 a profile; the remaining cells are empty. The
published files hold other things as well, and each of them has a name here.
"""

import re
from dataclasses import dataclass, field

import numpy as np

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
        reasons: faults for which the row is left out, each with what was found.
        remarks: faults that leave the points as good as they are.
    """

    image_id: str = ""
    points: np.ndarray | None = None
    circumstances: dict[str, float] = field(default_factory=dict)
    reasons: list[tuple[str, str]] = field(default_factory=list)
    remarks: list[tuple[str, str]] = field(default_factory=list)


def parse_row(cells: list[str]) -> CharlotteRow:
    """Read one row.

    Args:
        cells: the row's cells as text; missing ones at the end count as empty.

    Returns:
        The row. ``points`` is None exactly if ``reasons`` is not empty.
    """
    cells = [cell.strip() for cell in cells] + [""] * (1 + POINT_CELLS + len(CIRCUMSTANCES) - len(cells))
    row = CharlotteRow(image_id=cells[0])
    _read_circumstances(row, cells[1 + POINT_CELLS :])
    coordinates = cells[1 : 1 + POINT_CELLS]
    if not _ID.fullmatch(row.image_id):
        row.reasons.append(("no_id", f"found {row.image_id!r}") if any(coordinates) else ("empty_row", ""))
        return row
    _read_points(row, coordinates)
    return row


def _read_points(row: CharlotteRow, coordinates: list[str]) -> None:
    filled = [index for index, cell in enumerate(coordinates) if cell]
    if not filled:
        row.reasons.append(("no_points", ""))
        return
    wrong = [index for index in filled if not _NUMBER.fullmatch(coordinates[index])]
    if wrong:
        found = f"{HEADER[1 + wrong[0]]} is {coordinates[wrong[0]]!r}"
        row.reasons.append(("bad_coordinate", found))
        return
    fractions = [index for index in filled if float(coordinates[index]) % 1]
    # Published points are whole pixels. A humidity or an ambient among them: the cells behind a lost or an added one
    # have slid. More fractions than there are circumstances are points between pixels.
    if 0 < len(fractions) <= len(CIRCUMSTANCES):
        found = f"{HEADER[1 + fractions[0]]} is {coordinates[fractions[0]]!r}"
        row.reasons.append(("shifted_columns", found))
        return
    if filled[-1] + 1 != len(filled):
        gap = next(index for index in range(filled[-1]) if not coordinates[index])
        row.reasons.append(("gap_in_points", f"{HEADER[1 + gap]} is empty, {HEADER[1 + filled[-1]]} is not"))
        return
    if len(filled) % 2:
        row.reasons.append(("half_a_point", f"{HEADER[1 + filled[-1]]} has no y"))
        return
    points = np.array([float(coordinates[index]) for index in filled]).reshape(-1, 2)
    if len(points) not in CONVENTIONS:
        row.reasons.append((f"points_{len(points)}", "neither 73 (frontal) nor 43 (profile): no order is known"))
    elif points.min() < 0:
        row.reasons.append(("negative_coordinate", f"lowest {points.min():.0f}"))
    elif np.ptp(points, axis=0).min() < 4:
        row.reasons.append(("no_extent", f"the points span {np.ptp(points, axis=0)} pixels"))
    else:
        row.points = points


def _read_circumstances(row: CharlotteRow, cells: list[str]) -> None:
    for name, text in zip(CIRCUMSTANCES, cells, strict=False):
        if not text:
            row.remarks.append((f"no_{name}", ""))
            continue
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        low, high = _BELIEVABLE[name]
        if text in _ERRORS or not np.isfinite(value):
            row.remarks.append((f"unreadable_{name}", text))
        elif not low <= value <= high:
            # Part of S2 has a temperature for a distance.
            row.remarks.append((f"unbelievable_{name}", text))
        else:
            row.circumstances[name] = value
