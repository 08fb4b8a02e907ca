"""Tables of the temperature prior: the temperature each class should have, a condition a column, a source a row."""

from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from tfake.classes import LABELLED_CLASSES

PRIOR_COLUMNS = ("class", "warm", "cold", "follows_ambient", "source")


def load_prior(name_or_path: str | Path, condition_column: str, ambient_celsius: float) -> np.ndarray:
    """Read one condition's target temperature of each class from a table.

    Args:
        name_or_path: a table shipped with the package (``tfake2025``), or the path of a CSV of the same columns
            ``class,warm,cold,follows_ambient,source``, one row a class.
        condition_column: ``warm`` or ``cold``, the column with the targets in degrees Celsius.
        ambient_celsius: the target of the classes whose ``follows_ambient`` is true (glass, background).

    Returns:
        (19,) float32 degrees Celsius; entry i is class i.

    Raises:
        FileNotFoundError: neither a shipped table nor a file.
        ValueError: a column or class is missing, unknown or twice, or a temperature is not a number.
    """
    path = Path(name_or_path)
    if not path.is_file():
        shipped = resources.files(__package__) / "priors"
        path = shipped / f"{name_or_path}.csv"
        if not path.is_file():
            names = sorted(entry.name.removesuffix(".csv") for entry in shipped.iterdir())
            raise FileNotFoundError(f"no prior {str(name_or_path)!r}: neither a file nor one of {', '.join(names)}")
    with path.open(encoding="utf-8") as file:
        table = pd.read_csv(file)
    if tuple(table.columns) != PRIOR_COLUMNS:
        raise ValueError(f"{path}: expected the columns {', '.join(PRIOR_COLUMNS)}; found {', '.join(table.columns)}")
    if condition_column not in PRIOR_COLUMNS[1:3]:
        raise ValueError(f"{path}: no condition {condition_column!r}; the table has warm and cold")
    expected = [c.name for c in LABELLED_CLASSES]
    if sorted(table["class"]) != sorted(expected):
        wrong = sorted(set(table["class"]).symmetric_difference(expected))
        raise ValueError(
            f"{path}: expected each of the 19 classes once; missing, unknown or repeated: {wrong or 'a row'}"
        )
    table = table.set_index("class").loc[expected]
    targets = pd.to_numeric(table[condition_column], errors="coerce").to_numpy(np.float32, copy=True)
    if table["follows_ambient"].dtype != bool:
        raise ValueError(f"{path}: follows_ambient must be true or false in every row")
    targets[table["follows_ambient"].to_numpy()] = ambient_celsius
    if not np.isfinite(targets).all():
        bad = [name for name, value in zip(expected, targets, strict=True) if not np.isfinite(value)]
        raise ValueError(f"{path}: {condition_column} of {', '.join(bad)} is no number")
    return targets
