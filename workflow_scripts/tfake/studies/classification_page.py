"""The page of classes of faces: scores with their intervals, confusion matrices, and what may be read into them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

import tfake
from tfake.classification.class_metrics import ClassScores
from tfake.core.ethics_note import ETHICS_NOTE
from tfake.pages.charts import ACCENT, INK, LINE, Drawing, draw
from tfake.pages.template_environment import template_environment
from tfake.studies.class_scores import KEY, MAJORITY, MOTION, OTHER_PEOPLE, Key

_SET_WORDS = {"other_people": "other people", "other_camera": "other people, low-cost camera"}
_METHOD_WORDS = {MAJORITY: "commonest class", MOTION: "linear, movement of true landmarks"}


def render_classification(
    rows: pd.DataFrame,
    scores: Mapping[str, Mapping[Key, ClassScores]],
    classes: Mapping[str, Sequence[str]],
    provenance: Sequence[Mapping[str, Any]],
    draws: int,
) -> str:
    """The page: HTML that refers to nothing outside itself.

    Args:
        rows: from :func:`tfake.studies.class_scores.tabulate_scores`, of all attributes.
        scores: attribute to scores of :func:`tfake.studies.class_scores.score_answers`.
        classes: attribute to names of its classes.
        provenance: of every network.
        draws: how often people were drawn for the intervals.
    """
    parts = [
        {
            "attribute": name.replace("_", " "),
            "is_expression": name == "expression",
            "classes": classes[name],
            "rows": [_row_of(row) for row in rows[rows["attribute"] == name].to_dict("records")],
            "chart": _draw_scores(name, rows[rows["attribute"] == name], len(classes[name])),
            "matrices": _draw_matrices(name, scores[name], classes[name]),
            "verdict": _verdict(rows[rows["attribute"] == name]),
            "networks": [record for record in provenance if record["attribute"] == name],
        }
        for name in scores
    ]
    template = template_environment().get_template("classification.html.jinja")
    return template.render(
        parts=parts,
        ethics_note=ETHICS_NOTE if "apparent_sex" in scores else None,
        draws=draws,
        version=tfake.__version__,
    )


def _row_of(row: Mapping[str, Any]) -> dict[str, Any]:
    is_baseline = row["method"] in _METHOD_WORDS
    words = {
        "set": _words_of_set(row["set"]),
        "seed": "" if is_baseline else row["seed"],
    }
    return {**row, **words, "method": _METHOD_WORDS.get(row["method"], row["method"]), "is_baseline": is_baseline}


def _verdict(rows: pd.DataFrame) -> dict[str, Any] | None:
    """Whether the best network on other people beats the movement of landmarks: only where the intervals are apart."""
    own = rows[rows["set"] == OTHER_PEOPLE]
    networks, motion = own[~own["method"].isin(_METHOD_WORDS)], own[own["method"] == MOTION]
    if networks.empty or motion.empty:
        return None
    best, base = networks.loc[networks["accuracy"].idxmax()], motion.iloc[0]
    return {
        "network": best["method"],
        "network_accuracy": best["accuracy"],
        "motion_accuracy": base["accuracy"],
        "is_above": bool(best["accuracy_low"] > base["accuracy_high"]),
        "is_below": bool(best["accuracy_high"] < base["accuracy_low"]),
    }


def _draw_scores(attribute: str, rows: pd.DataFrame, classes: int) -> Drawing:
    def panel(axes: Axes, name: str) -> None:
        own = rows[rows["set"] == name]
        labels = [_label_of(row) for row in own.to_dict("records")]
        low, high = own["accuracy"] - own["accuracy_low"], own["accuracy_high"] - own["accuracy"]
        spread = np.maximum(np.nan_to_num(np.stack([low, high])), 0)
        places = np.arange(len(own))
        axes.errorbar(own["accuracy"], places, xerr=spread, fmt="o", color=ACCENT, ecolor=INK, capsize=3, markersize=5)
        axes.axvline(1 / classes, color=LINE, linestyle="--")
        axes.set_yticks(places, labels)
        axes.set_ylim(len(own) - 0.5, -0.5)
        axes.set_xlim(-0.02, 1.02)
        axes.set_title(_words_of_set(name))
        axes.set_xlabel("accuracy, 95 % interval over people")

    return draw(f"{attribute}-scores", panel, list(dict.fromkeys(rows["set"])), panel_height=3.2)


def _words_of_set(name: str) -> str:
    return _SET_WORDS.get(name, name.replace("_", " "))


def _label_of(row: Mapping[str, Any]) -> str:
    if row["method"] in _METHOD_WORDS:
        return row["method"].replace("_", " ")
    return f"{row['method']}, {row['regime']}, {row['seed']}"


def _draw_matrices(attribute: str, scores: Mapping[Key, ClassScores], classes: Sequence[str]) -> Drawing | None:
    """Confusion on other people: of each network, and of the movement of landmarks."""
    shown = [(key, found) for key, found in scores.items() if key[0] == OTHER_PEOPLE and key[1] != MAJORITY]

    def panel(axes: Axes, item: tuple[Key, ClassScores]) -> None:
        key, found = item
        share = found.confusion / np.maximum(found.confusion.sum(axis=1, keepdims=True), 1)
        for row, column in np.ndindex(share.shape):
            shade = 0.75 * float(share[row, column])
            axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=ACCENT, alpha=shade, linewidth=0))
            axes.text(column, row, str(found.confusion[row, column]), ha="center", va="center", fontsize=9)
        axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
        axes.set_yticks(range(len(classes)), classes)
        axes.set_xlim(-0.5, len(classes) - 0.5)
        axes.set_ylim(len(classes) - 0.5, -0.5)
        axes.grid(visible=False)
        axes.set_xlabel("answer")
        axes.set_ylabel("truth")
        axes.set_title(_label_of(dict(zip(KEY, key, strict=True))))

    return draw(f"{attribute}-confusion", panel, shown, panel_height=3.6) if shown else None
