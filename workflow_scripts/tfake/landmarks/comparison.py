"""The networks of the landmark study side by side: one table, and what it says of joint training."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

#: Columns of the table, after task and set.
SCORES = (
    "faces",
    "nme",
    "median",
    "failures",
    "calibration_error",
    "auroc_textures",
    "auroc_elsewhere",
    "found",
    "false_elsewhere",
)
_VISIBLE = ("rgb", "other_people_rgb")


def gather(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Put the scores into one table.

    Args:
        records: from ``evaluate_landmarker``, one a network.

    Returns:
        The columns ``task``, ``set``, ``spectrum`` (rgb or thermal) and ``SCORES``.
    """
    rows = [
        {"task": record["task"], "set": name, "spectrum": "rgb" if name in _VISIBLE else "thermal"}
        | {score: row[score] for score in SCORES}
        for record in records
        for name, row in record["sets"].items()
    ]
    return pd.DataFrame(rows)


def compare(rows: pd.DataFrame) -> dict[str, Any]:
    """What the table says.

    Args:
        rows: from ``gather``.

    Returns:
        ``nme``: by network and spectrum, the mean over its sets; and for each number of points whose three diets are
        there ``joint_over_rgb_on_thermal`` (NME of joint training over that of RGB alone, on thermal faces) and
        ``joint_over_rgb_on_rgb``.
    """
    means = rows.groupby(["task", "spectrum"])["nme"].mean()
    found: dict[str, Any] = {"nme": {}}
    for (task, spectrum), error in means.items():
        found["nme"].setdefault(task, {})[spectrum] = float(error)
    for points in ("70", "478"):
        joint, rgb = found["nme"].get(f"joint_{points}"), found["nme"].get(f"rgb_{points}")
        if joint and rgb:
            found[points] = {f"joint_over_rgb_on_{spectrum}": joint[spectrum] / rgb[spectrum] for spectrum in rgb}
    return found
