"""The page of the landmark evaluation: a section a test set, beside what was published, and what is missing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

import tfake
from tfake.pages.charts import INK, Drawing, draw, series_style
from tfake.pages.template_environment import template_environment
from tfake.studies.landmark_errors import COLUMNS, NORMALISERS, coverage_curve, cumulative_curve, published

#: What each normaliser is called on the page.
NORMALISER_WORDS = {
    "box": "sqrt(w h) of the box",
    "inter_ocular": "outer eye corners",
    "image": "sqrt(W H) of the image",
}


def render_evaluation(sets: Sequence[Mapping[str, Any]], faces: Sequence[pd.DataFrame], failure_above: float) -> str:
    """The page, HTML that refers to nothing outside itself, of the scores and tables that ``evaluate_test_set`` writes.

    Args:
        sets: each test set's scores.
        faces: their tables of faces, in the same order.
        failure_above: error up to which curves are drawn.
    """
    environment = template_environment()
    present = [(entry, table) for entry, table in zip(sets, faces, strict=True) if not entry["missing"]]
    return environment.get_template("evaluation.html.jinja").render(
        sections=[_section(entry, table, failure_above) for entry, table in present],
        missing=[entry["missing"] for entry in sets if entry["missing"]],
        normalisers=[(name, NORMALISER_WORDS[name]) for name in NORMALISERS],
        columns=COLUMNS,
        published=_published(),
        failure_above=failure_above,
        version=tfake.__version__,
    )


def score_rows(sets: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Every score as a row: ``set``, ``method``, ``group`` (a normaliser, or columns …), ``score``, ``value``."""
    rows = []
    for entry in sets:
        for method, parts in entry["methods"].items():
            for name, values in parts["errors"].items():
                rows += [(entry["set"], method, name, score, value) for score, value in values.items()]
            for group in ("columns", "coverage", "detection"):
                rows += [(entry["set"], method, group, key, value) for key, value in parts[group].items()]
    return pd.DataFrame(rows, columns=["set", "method", "group", "score", "value"])


def draw_curves(name: str, faces: pd.DataFrame, failure_above: float) -> Drawing:
    """Two panels: the fraction of faces below each error, and the error of the most confident fraction of the faces."""
    methods = list(dict.fromkeys(faces["method"]))

    def panel(axes: Axes, kind: str) -> None:
        for number, method in enumerate(methods):
            own = faces[faces["method"] == method]
            errors = own["nme_box"].to_numpy(float)
            style = series_style(number)
            if kind == "errors":
                axes.plot(*cumulative_curve(errors, failure_above), label=method, **style)
            else:
                curve = coverage_curve(errors, own["sigma"].to_numpy(float))
                if len(curve["coverage"]):
                    axes.plot(curve["coverage"], curve["nme"], label=method, **style)
        if kind == "errors":
            axes.set_title("Fraction of all faces below an error")
            axes.set_xlabel("error over sqrt(w h) of the box")
            axes.set_ylim(0, 1)
        else:
            axes.set_title("Error of the most confident faces")
            axes.set_xlabel("fraction of all faces kept by a threshold on sigma")
            axes.set_ylim(bottom=0)
            axes.set_xlim(0, 1)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=8)
        else:
            axes.text(0.5, 0.5, "no method has a sigma", transform=axes.transAxes, ha="center", color=INK)

    return draw(f"{name}-curves", panel, ("errors", "coverage"), panel_height=3.4)


def _section(entry: Mapping[str, Any], faces: pd.DataFrame, failure_above: float) -> dict[str, Any]:
    counted = int(np.isfinite(faces["nme_box"]).sum()) if len(faces) else 0
    return {
        "name": entry["set"],
        "kind": entry["kind"],
        "read_log": entry["account"],
        "methods": entry["methods"],
        "has_columns": any(parts["columns"] for parts in entry["methods"].values()),
        "has_detection": any(parts["detection"] for parts in entry["methods"].values()),
        "drawing": draw_curves(entry["set"], faces, failure_above) if counted else None,
    }


def _published() -> dict[str, dict[str, float]]:
    table = published()
    return {
        method: dict(zip(own["column"], own["nme"], strict=True)) for method, own in table.groupby("method", sort=False)
    }
