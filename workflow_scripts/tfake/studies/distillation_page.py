"""The page of the distillation study: tables of arms and of small students, what each term pulls with, and sizes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

import tfake
from tfake.pages.charts import ACCENT, INK, Drawing, draw, series_marker, series_style
from tfake.pages.template_environment import template_environment
from tfake.studies.distillation_scores import GROUPS, MEAN, Run

#: The network that all arms are compared on.
_FIRST = "thermal"
_GRADIENT = "gradient_"
_GROUP_WORDS = {"rgb": "visible", "thermal": "thermal", "real": "real thermal"}


def render_distillation(
    rows: pd.DataFrame,
    found: pd.DataFrame,
    curves: Mapping[Run, pd.DataFrame],
    teacher: Mapping[str, Any],
    baseline: str,
    ambient_celsius: float,
) -> str:
    """The page: HTML that refers to nothing outside itself.

    Args:
        rows: from :func:`tfake.studies.distillation_scores.gather_scores`.
        found: from :func:`tfake.studies.distillation_scores.summarise`.
        curves: each training's table of losses.
        teacher: the teacher's provenance.
        baseline: the arm that the others are compared with.
        ambient_celsius: room of the other people.
    """
    taught = {run: table for run, table in curves.items() if len(_parts(table)) > 1}
    seed = min(run.seed for run in curves)
    shown = {run: table for run, table in taught.items() if run.seed == seed}
    small = found[found["student"] != _FIRST]
    return (
        template_environment()
        .get_template("distillation.html.jinja")
        .render(
            arms=_table(found[found["student"] == _FIRST]),
            students=_table(small) if len(small) else None,
            verdicts=_verdicts(found, baseline),
            errors=draw_errors(rows[rows["student"] == _FIRST]),
            sizes=draw_sizes(found),
            gradients=draw_gradients(shown) if shown else None,
            terms=draw_terms(shown) if shown else None,
            teacher=teacher,
            baseline=baseline,
            seeds=int(rows["seed"].nunique()),
            shown_seed=seed,
            group_words=_GROUP_WORDS,
            ambient_celsius=ambient_celsius,
            version=tfake.__version__,
        )
    )


def draw_errors(rows: pd.DataFrame) -> Drawing:
    """Mean NME of every arm, one panel a group of sets: a bar for the mean, a dot for each seed."""
    means = rows[rows["set"] == MEAN]

    def panel(axes: Axes, group: str) -> None:
        chosen = means[means["group"] == group]
        names = list(dict.fromkeys(chosen["arm"]))
        for number, name in enumerate(names):
            values = chosen[chosen["arm"] == name]["nme"]
            axes.barh(number, values.mean(), color=ACCENT, alpha=0.35)
            axes.plot(values, [number] * len(values), "o", color=INK, markersize=4)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_title(f"{_GROUP_WORDS[group]} faces: NME")
        axes.set_xlabel("over sqrt(w h)")

    return draw("arms", panel, _groups(means), panel_height=1.0 + 0.3 * means["arm"].nunique())


def draw_sizes(found: pd.DataFrame) -> Drawing:
    """Mean NME against parameters, one panel a group of sets, one colour a way to teach."""
    means = found[found["set"] == MEAN]
    ways = list(dict.fromkeys(zip(means["route"], means["arm"], strict=True)))

    def panel(axes: Axes, group: str) -> None:
        chosen = means[means["group"] == group]
        for number, (route, arm) in enumerate(ways):
            own = chosen[(chosen["route"] == route) & (chosen["arm"] == arm)].sort_values("parameters")
            axes.plot(own["parameters"] / 1e6, own["nme"], label=f"{arm}, {route}", **series_marker(number))
        axes.set_xscale("log")
        axes.set_title(f"{_GROUP_WORDS[group]} faces: NME against size")
        axes.set_xlabel("million parameters")
        axes.legend(frameon=False, fontsize=8)

    return draw("sizes", panel, _groups(means), panel_height=3.6)


def draw_gradients(curves: Mapping[Run, pd.DataFrame]) -> Drawing:
    """Norm of each part's gradient over the steps, weights and decay included, one panel a training."""

    def panel(axes: Axes, item: tuple[Run, pd.DataFrame]) -> None:
        run, table = item
        for number, part in enumerate(_parts(table)):
            measured = table.dropna(subset=f"{_GRADIENT}{part}")
            axes.plot(measured["step"], measured[f"{_GRADIENT}{part}"], label=part, **series_style(number))
        axes.set_yscale("log")
        axes.set_title(f"{_title(run)}: gradient norm")
        axes.set_xlabel("step")
        axes.legend(frameon=False, fontsize=8)

    return draw("gradients", panel, list(curves.items()), panel_height=2.8)


def draw_terms(curves: Mapping[Run, pd.DataFrame]) -> Drawing:
    """Running mean of each term before it is weighted, one panel a training."""

    def panel(axes: Axes, item: tuple[Run, pd.DataFrame]) -> None:
        run, table = item
        running = table.rolling(max(1, len(table) // 25), center=True, min_periods=1).mean()
        for number, part in enumerate(_parts(table)):
            axes.plot(table["step"], running[part], label=part, **series_style(number))
        axes.set_yscale("symlog", linthresh=1e-2)
        axes.set_title(f"{_title(run)}: terms")
        axes.set_xlabel("step")
        axes.legend(frameon=False, fontsize=8)

    return draw("terms", panel, list(curves.items()), panel_height=2.8)


def _title(run: Run) -> str:
    return f"{run.student}, {run.arm}, {run.route}"


def _parts(table: pd.DataFrame) -> list[str]:
    """The parts of the loss whose gradients were measured, the truth first."""
    return [name.removeprefix(_GRADIENT) for name in table if name.startswith(_GRADIENT) and name != "gradient_norm"]


def _groups(means: pd.DataFrame) -> list[str]:
    return [group for group in GROUPS if group in set(means["group"])]


def _table(found: pd.DataFrame) -> dict[str, Any]:
    """Rows a network, a column a set: means first within each group."""
    columns = [
        (group, name)
        for group in _groups(found)
        for name in dict.fromkeys((MEAN, *found[found["group"] == group]["set"]))
    ]
    lines = []
    for (student, route, arm), own in found.groupby(["student", "route", "arm"], sort=False):
        cells = own.set_index(["group", "set"])
        thermal = cells.loc[("thermal", MEAN)]
        lines.append(
            {
                "student": student,
                "route": route,
                "arm": arm,
                "parameters": int(own["parameters"].iloc[0]),
                "calibration_error": thermal["calibration_error"],
                "cells": [_cell(cells, column) for column in columns],
            }
        )
    return {"columns": columns, "lines": lines}


def _cell(cells: pd.DataFrame, column: tuple[str, str]) -> dict[str, Any] | None:
    if column not in cells.index:
        return None
    row = cells.loc[column]
    return {
        key: None if _is_nan(row[key]) else row[key] for key in ("nme", "nme_sd", "change", "change_sd", "is_better")
    }


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and bool(np.isnan(value))


def _verdicts(found: pd.DataFrame, baseline: str) -> Sequence[dict[str, Any]]:
    """What each way to teach changes, by the mean over the sets of a group; of real faces, where there are any."""
    means = found[(found["set"] == MEAN) & (found["group"] != "rgb") & (found["arm"] != baseline)]
    means = means[means["change"].notna()]
    return [{**row, "has_sd": not _is_nan(row["change_sd"])} for row in means.to_dict("records")]
