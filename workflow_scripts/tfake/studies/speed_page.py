"""The page of what landmark networks weigh and how fast they are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

import tfake
from tfake.pages.charts import Drawing, draw, series_marker
from tfake.pages.template_environment import template_environment
from tfake.pages.wording import plural

#: What is measured, in words.
RUNTIMES = {"torch": "torch", "onnx_float32": "ONNX Runtime", "onnx_int8": "ONNX Runtime, 8 bits"}
_PUBLISHED = Path(__file__).with_name("published_speed.csv")


def render_speed(found: Mapping[str, Any]) -> str:
    """The page: HTML that refers to nothing outside itself.

    Args:
        found: from :func:`tfake.studies.landmark_speed.measure_speed`, with ``threads_left_out``.
    """
    networks = sorted(found["networks"], key=lambda record: record["parameters"])
    order = {record["network"]: place for place, record in enumerate(networks)}
    speeds = sorted(found["speeds"], key=lambda row: order[row["network"]])
    machine = found["machine"]
    return (
        template_environment()
        .get_template("speed.html.jinja")
        .render(
            machine=machine,
            busy=max(machine["load_before"], machine["load_after"]) > machine["cores"],
            networks=networks,
            speeds=speeds,
            searches=found["searches"],
            threads_left_out=found["threads_left_out"],
            has_onnx=any(row["runtime"] != "torch" for row in speeds),
            runtimes=RUNTIMES,
            figure=_draw_latency(networks, speeds),
            published=pd.read_csv(_PUBLISHED, comment="#").to_dict("records"),
            version=tfake.__version__,
        )
    )


def _draw_latency(networks: Sequence[Mapping[str, Any]], speeds: Sequence[Mapping[str, Any]]) -> Drawing:
    """Milliseconds an image, one panel a number of crops: each network by its runtimes, with the fewest threads."""
    rows = pd.DataFrame(speeds)
    rows = rows[(rows["device"] == "cpu") & (rows["threads"] == rows["threads"].min())]
    names = [record["network"] for record in networks]

    def panel(axes: Axes, batch: int) -> None:
        for number, (runtime, words) in enumerate(RUNTIMES.items()):
            chosen = rows[(rows["batch"] == batch) & (rows["runtime"] == runtime)]
            if len(chosen):
                places = [names.index(name) for name in chosen["network"]]
                axes.plot(1e3 / chosen["images_per_second"], places, label=words, **series_marker(number))
        axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
        axes.set_xlim(left=0)
        axes.set_title(f"{plural(batch, 'crop')} at once, {plural(rows['threads'].min(), 'thread')}")
        axes.set_xlabel("milliseconds an image, median")
        axes.legend(frameon=False, fontsize=8)

    batches = sorted(rows["batch"].unique().tolist())
    return draw("latency", panel, batches, panel_height=1.4 + 0.35 * len(names))
