"""The landmark study's page: each network's errors by set of faces, its calibration, and pictures."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

import tfake
from tfake.pages.charts import ACCENT, INK, SECOND, Drawing, draw, series_style
from tfake.pages.template_environment import template_environment

#: Columns of the table, after task and set.
SCORES = (
    *("faces", "nme", "median", "failures", "calibration_error"),
    *("auroc_textures", "auroc_elsewhere", "found", "false_elsewhere"),
)
_VISIBLE = ("rgb", "other_people_rgb")


def gather(records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Put the scores of ``evaluate_landmarker``, one record a network, into one table.

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
    """What the table of ``gather`` says.

    Returns:
        ``nme``: by network and spectrum, the mean over its sets; and for each number of points whose three modalities
        are there ``joint_over_rgb_on_thermal`` (NME of joint training over that of RGB alone, on thermal faces) and
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


def render_study(
    rows: pd.DataFrame,
    found: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]],
    arrays: Mapping[str, Mapping[str, np.ndarray]],
    pictures: Mapping[str, str | Path],
    searched: Mapping[str, tuple[Mapping[str, Mapping[str, Any]], str | Path]],
    ambient_celsius: float,
) -> str:
    """The page: HTML that refers to nothing outside itself.

    Args:
        rows: from ``gather``.
        found: from ``compare``.
        records: each network's scores.
        arrays: task to its errors and deviations.
        pictures: task to a PNG.
        searched: task to what it found in pictures without labels, and a PNG of them; empty where there are none.
        ambient_celsius: room of the other people.
    """
    environment = template_environment()
    return environment.get_template("study.html.jinja").render(
        rows=rows.to_dict("records"),
        ratios={points: found[points] for points in ("70", "478") if points in found},
        errors=_draw_errors(rows),
        curves=_draw_curves(records),
        sigmas=_draw_sigmas(records, arrays),
        pictures={task: _encode(Path(path).read_bytes()) for task, path in pictures.items()},
        searched={task: (counts, _encode(Path(path).read_bytes())) for task, (counts, path) in searched.items()},
        ambient_celsius=ambient_celsius,
        version=tfake.__version__,
    )


def _draw_errors(rows: pd.DataFrame) -> Drawing:
    names = list(dict.fromkeys(rows["task"]))

    def panel(axes: Axes, name: str) -> None:
        chosen = rows[rows["set"] == name].set_index("task")["nme"]
        present = [task for task in names if task in chosen]
        axes.barh(range(len(present)), [chosen[task] for task in present], color=ACCENT, alpha=0.5)
        axes.set_yticks(range(len(present)), [task.replace("_", " ") for task in present])
        axes.invert_yaxis()
        axes.set_title(f"{name.replace('_', ' ')}: NME")
        axes.set_xlabel("over sqrt(w h)")

    sets = list(dict.fromkeys(rows["set"]))
    return draw("errors", panel, sets, panel_height=1.0 + 0.3 * len(names), share_x=True)


def _draw_curves(records: Sequence[Mapping[str, Any]]) -> Drawing:
    def panel(axes: Axes, record: Mapping[str, Any]) -> None:
        for number, (name, row) in enumerate(record["sets"].items()):
            axes.plot(*row["curve"], marker="o", markersize=4, label=name.replace("_", " "), **series_style(number))
        ends = [max(row["curve"][0][-1] for row in record["sets"].values())] * 2
        axes.plot([0, ends[0]], [0, ends[0]], color=INK, linewidth=0.8, linestyle="--")
        axes.set_title(f"{record['task'].replace('_', ' ')}: predicted against measured standard deviation")
        axes.set_xlabel("predicted, crop widths")
        axes.set_ylabel("measured")
        axes.legend(frameon=False, fontsize=8)

    return draw("curves", panel, records, panel_height=3.2)


def _draw_sigmas(records: Sequence[Mapping[str, Any]], arrays: Mapping[str, Mapping[str, np.ndarray]]) -> Drawing:
    def panel(axes: Axes, record: Mapping[str, Any]) -> None:
        own, sets = arrays[record["task"]], record["sets"]
        kinds = {
            "thermal faces": np.concatenate([own[f"{name}_sigma"] for name in sets if not name.endswith("rgb")]),
            "windows beside faces": np.concatenate([own[f"{name}_elsewhere"] for name in sets]),
            "textures": own["textures_sigma"],
        }
        edges = np.geomspace(min(map(np.min, kinds.values())), max(map(np.max, kinds.values())), 40)
        for (name, values), colour in zip(kinds.items(), (ACCENT, SECOND, INK), strict=True):
            axes.hist(values, edges, density=True, color=colour, alpha=0.45, label=name)
        axes.axvline(record["calibration"]["threshold"], color=INK, linewidth=1, linestyle="--", label="threshold")
        axes.set_xscale("log")
        axes.set_title(f"{record['task'].replace('_', ' ')}: mean standard deviation of a window")
        axes.set_xlabel("over the window's edge")
        axes.legend(frameon=False, fontsize=8)

    return draw("sigmas", panel, records, panel_height=2.8)


def _encode(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()
