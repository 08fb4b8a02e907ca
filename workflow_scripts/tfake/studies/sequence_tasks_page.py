"""The page of the tasks on sequences: what was asked, and localisation, tracks, points and breath with intervals."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

import tfake
from tfake.pages.charts import ACCENT, INK, SECOND, Drawing, draw
from tfake.pages.template_environment import template_environment
from tfake.studies.sequence_scores import MOST_RATE_ERROR

#: What each way of looking at frames is called.
WAYS = {"frames": "frame by frame", "causal": "followed, causal", "both": "followed, both ways"}
_POINTS = {"found": "points found", "true_points": "true points"}
#: Columns of drawings: name in the table, title and factor.
_DRAWN = (("nme", "NME, %", 100.0), ("jitter", "jitter, %", 100.0), ("lag_frames", "lag, frames", 1.0))


def render_tasks(
    found: Mapping[str, Any], sequences: pd.DataFrame, scenes: pd.DataFrame, breathing: pd.DataFrame, weights: str
) -> str:
    """The page: HTML that refers to nothing outside itself.

    Args:
        found: from :func:`tfake.studies.sequence_scores.summarise`, with ``interval_draws``.
        sequences: from :func:`tfake.studies.sequence_scores.sequence_table`.
        scenes: from :func:`tfake.studies.sequence_scores.scene_table`.
        breathing: from :func:`tfake.studies.sequence_scores.breathing_table`.
        weights: what was measured.
    """
    told = breathing[breathing["valid"]]
    return (
        template_environment()
        .get_template("sequence_tasks.html.jinja")
        .render(
            found=found,
            way_words=WAYS,
            points_words=_POINTS,
            sequences=_plain(sequences),
            scenes=_plain(scenes),
            breathing=_plain(breathing),
            motion=draw_motion(sequences),
            rates=draw_rates(told) if len(told) else None,
            weights=weights,
            version=tfake.__version__,
        )
    )


def draw_motion(sequences: pd.DataFrame) -> Drawing:
    """NME, jitter and lag: a dot a sequence, a line their mean, one row a way."""
    ways = [way for way in WAYS if way in set(sequences["way"])]
    subjects = sorted(set(sequences["subject_id"]))

    def panel(axes: Axes, column: tuple[str, str, float]) -> None:
        name, title, factor = column
        for place, way in enumerate(ways):
            own = sequences[sequences["way"] == way]
            offsets = own["subject_id"].map(subjects.index) / max(len(subjects), 2) * 0.6 - 0.3
            axes.plot(factor * own[name], place + offsets, "o", color=ACCENT, alpha=0.6, markersize=4)
            axes.plot([factor * own[name].mean()] * 2, [place - 0.35, place + 0.35], color=INK, linewidth=1.5)
        axes.set_yticks(range(len(ways)), [WAYS[way] for way in ways])
        axes.invert_yaxis()
        axes.set_title(title)

    return draw("motion", panel, _DRAWN, panel_height=2.2, columns=(3, 1))


def draw_rates(told: pd.DataFrame) -> Drawing:
    """Breathing rates read against true ones, with the band that was asked for."""

    def panel(axes: Axes, points: str) -> None:
        own = told[told["points"] == points]
        ends = np.array([told["true_rate"].min() - 2, told["true_rate"].max() + 2])
        axes.fill_between(ends, ends - MOST_RATE_ERROR, ends + MOST_RATE_ERROR, color=SECOND, alpha=0.15)
        axes.plot(ends, ends, color=INK, linewidth=0.8, linestyle="--")
        axes.plot(own["true_rate"], own["rate"], "o", color=ACCENT, markersize=5)
        axes.set_title(f"breaths a minute, {_POINTS[points]}")
        axes.set_xlabel("true")
        axes.set_ylabel("read")

    return draw("rates", panel, list(dict.fromkeys(told["points"])), panel_height=3.0)


def _plain(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows whose unknown numbers are None."""
    return [
        {name: None if isinstance(value, float) and np.isnan(value) else value for name, value in row.items()}
        for row in table.to_dict("records")
    ]
