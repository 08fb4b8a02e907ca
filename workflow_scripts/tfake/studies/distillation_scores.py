"""Scores of the distillation study as tables: every training on every set, and each arm against plain training."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

#: Sets of the landmark study in visible light; all its others are thermal.
_VISIBLE = ("rgb", "other_people_rgb")
#: What a set is: visible or thermal faces of the workflow, or real thermal ones.
GROUPS = ("rgb", "thermal", "real")
#: Called as a set, the mean over the sets of a group.
MEAN = "mean"
#: Held-out real faces that the networks learnt from others of, with a teacher's points.
HELD_OUT = "real_held_out"
_ARM = ["student", "route", "arm"]
_SCORES = ("group", "set", "nme", "calibration_error")


class Run(NamedTuple):
    """One training of the study."""

    student: str
    route: str
    arm: str
    seed: int


def gather_scores(
    runs: Sequence[Run],
    records: Sequence[Mapping[str, Any]],
    provenance: Sequence[Mapping[str, Any]],
    annotated: Mapping[str, Sequence[Mapping[str, Any]]],
) -> pd.DataFrame:
    """Put all scores into one table.

    Args:
        runs: the trainings.
        records: of each, what ``evaluate_landmarker`` wrote.
        provenance: of each, what was written beside its weights.
        annotated: by annotated set, of each training, what ``evaluate_test_set`` wrote.

    Returns:
        The columns ``student``, ``route``, ``arm``, ``seed``, ``parameters``, ``group`` (one of ``GROUPS``), ``set``,
        ``nme`` (over sqrt(w h) of the box; of annotated sets with the box given) and ``calibration_error`` (NaN of
        real faces). Of each training and group there is a row whose set is ``MEAN``.
    """
    rows = []
    for place, (run, record, made) in enumerate(zip(runs, records, provenance, strict=True)):
        found = [
            ("rgb" if name in _VISIBLE else "thermal", name, row["nme"], row["calibration_error"])
            for name, row in record["sets"].items()
        ]
        if "real" in made["validation_nme"]:
            found.append(("real", HELD_OUT, made["validation_nme"]["real"], np.nan))
        found += [("real", name, _boxed_nme(scores[place]["methods"]), np.nan) for name, scores in annotated.items()]
        rows += [
            {**run._asdict(), "parameters": made["parameters"]} | dict(zip(_SCORES, row, strict=True)) for row in found
        ]
    table = pd.DataFrame(rows)
    keys = [*_ARM, "seed", "parameters", "group"]
    means = table.groupby(keys, sort=False)[["nme", "calibration_error"]].mean().reset_index()
    return pd.concat([table, means.assign(set=MEAN)], ignore_index=True)[list(table.columns)]


def _boxed_nme(methods: Mapping[str, Any]) -> float:
    """The error of the one network among the methods that is told where the faces are."""
    boxed = [name for name in methods if name.endswith(", box given") and not name.startswith("mean face")]
    if len(boxed) != 1:
        raise ValueError(f"expected the scores of one network with the box given, found {', '.join(methods) or 'none'}")
    nme = methods[boxed[0]]["errors"]["box"]["nme"]
    return np.nan if nme is None else nme


def summarise(rows: pd.DataFrame, baseline: str) -> pd.DataFrame:
    """Each arm on each set, over the seeds, against plain training of the same network with the same seeds.

    Args:
        rows: from ``gather_scores``.
        baseline: the arm without a teacher.

    Returns:
        A row a student, route, arm and set: ``group``, ``parameters``, ``seeds``, ``nme`` and ``nme_sd``,
        ``calibration_error``, ``change`` (mean over seeds of the NME less that of plain training, over the latter) and
        ``change_sd``; standard deviations are NaN of a single seed. ``is_better`` says whether the change is below 0 by
        more than its standard deviation.
    """
    plain = rows[(rows["arm"] == baseline) & (rows["route"] == "direct")]
    keys = ["student", "seed", "group", "set"]
    joined = rows.merge(plain[[*keys, "nme"]], on=keys, how="left", suffixes=("", "_plain"))
    joined["change"] = joined["nme"] / joined["nme_plain"] - 1
    grouped = joined.groupby([*_ARM, "group", "set", "parameters"], sort=False)
    found = grouped.agg(
        seeds=("seed", "nunique"),
        nme=("nme", "mean"),
        nme_sd=("nme", "std"),
        calibration_error=("calibration_error", "mean"),
        change=("change", "mean"),
        change_sd=("change", "std"),
    ).reset_index()
    found["is_better"] = found["change"] < -found["change_sd"]
    return found
