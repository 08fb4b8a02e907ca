"""The page of few labels: curves, what each method saves, what the pretexts reached, and what was published."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

import tfake
from tfake.pages.charts import Drawing, draw, series_style
from tfake.pages.template_environment import template_environment
from tfake.studies.label_curves import best_saving, saving_at, summarise

#: What Aghaomidi, Aram, Bahmani (ICBME 2023) report of each pretext: the figure, and what it is.
PUBLISHED = {
    "rotation": ("100 %", "accuracy"),
    "subject": ("97.92 %", "accuracy, of the same 90 people"),
    "five_points": ("2.37 %", "MAPE"),
}
#: Of 68 points: NME over the inter-ocular distance, as published, on one set of 90 people, shared by both sides.
PUBLISHED_NME = "1.05"
#: A pretraining is worth it, at the fewest labels, from this saving on.
WORTH = 0.3


def render_label_efficiency(
    curves: pd.DataFrame,
    pretraining: Sequence[Mapping[str, Any]],
    pretrained: Sequence[str],
    reference: str,
    failure_above: float,
    ambient_celsius: float,
) -> str:
    """The page: HTML that refers to nothing outside itself.

    Args:
        curves: from :func:`tfake.studies.label_efficiency.build_curves`.
        pretraining: provenance of the encoders.
        pretrained: the methods that begin with one of these.
        reference: the method that the others are compared with.
        failure_above: error above which a face counts as failed.
        ambient_celsius: room of the other people.
    """
    counts = sorted(set(curves["images"]))
    # The number of labels nearest to the ten that the question is asked of.
    asked = min(counts, key=lambda count: abs(math.log(count / 10)))
    savings = saving_at(curves, reference, asked)
    rows = summarise(curves, reference).to_dict("records")
    return (
        template_environment()
        .get_template("label_efficiency.html.jinja")
        .render(
            drawing=_draw_curves(curves),
            rows=rows,
            points=curves.to_dict("records"),
            reference=reference,
            asked=asked,
            savings=sorted(savings.items(), key=lambda item: -item[1]),
            best=best_saving(savings, pretrained),
            worth=WORTH,
            pretexts=[
                _pretext_row(record["name"], *task) for record in pretraining for task in record["tasks"].items()
            ],
            published=PUBLISHED,
            published_nme=PUBLISHED_NME,
            failure_above=failure_above,
            ambient_celsius=ambient_celsius,
            version=tfake.__version__,
        )
    )


def _pretext_row(encoder: str, name: str, task: Mapping[str, Any]) -> dict[str, Any]:
    published, what = PUBLISHED.get(name, ("", ""))
    return {"encoder": encoder, "name": name, **task, "published": published, "what": what}


def _draw_curves(curves: pd.DataFrame) -> Drawing:
    methods = list(dict.fromkeys(curves["method"]))

    def panel(axes: Axes, item: tuple[str, str, str]) -> None:
        name, mode, budget = item
        chosen = curves[(curves["set"] == name) & (curves["budget"] == budget)]
        for number, method in enumerate(methods):
            own = chosen[(chosen["method"] == method) & (chosen["mode"] == mode)]
            if own.empty:
                continue
            spread = own["nme_box_std"].fillna(0)
            style = series_style(number)
            axes.plot(own["images"], own["nme_box"], marker="o", markersize=4, label=method.replace("_", " "), **style)
            low, high = own["nme_box"] - spread, own["nme_box"] + spread
            axes.fill_between(own["images"], low, high, color=style["color"], alpha=0.12, linewidth=0)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_title(f"{name.replace('_', ' ')}: NME ({mode}, {budget} steps)")
        axes.set_xlabel("labelled faces")
        axes.set_ylabel("over sqrt(w h)")
        axes.legend(frameon=False, fontsize=8)

    panels = list(dict.fromkeys(zip(curves["set"], curves["mode"], curves["budget"], strict=True)))
    return draw("curves", panel, panels, panel_height=3.4)
