"""The page of the realism study: figures against each real set, mean patterns, spectra, and faces side by side."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.tri import Triangulation

import tfake
from tfake.config.plan_studies import RealismPlan
from tfake.mesh.template import FACE_VERTICES, face_triangles, face_vertices
from tfake.pages.charts import Drawing, draw, series_style
from tfake.pages.page_images import photo_uri
from tfake.pages.template_environment import template_environment
from tfake.studies.realism_faces import FaceSet
from tfake.studies.skin_texture import BAND, RESOLVED
from tfake.thermal_io.scales import spread_evenly

#: Faces of a contact sheet.
_SHEET = 24
#: Range of the patterns' colours, standard deviations either way.
PATTERN_RANGE = 2.0
_PATTERN_COLOURS = "RdBu_r"

Figures = Mapping[str, Any]


def render_realism(
    found: Figures,
    faces: Sequence[FaceSet],
    trained: Mapping[str, Mapping[str, Figures]],
    missing: Sequence[str],
    tstr: bool,
) -> str:
    """The page: HTML that refers to nothing outside itself.

    Args:
        found: from :func:`tfake.studies.realism.measure_realism`.
        faces: every set in it.
        trained: variant to annotated set to the scores by method of the network trained on that variant.
        missing: annotated sets that are not there.
        tstr: whether such networks are wanted.
    """
    sets = found["sets"]
    shown = {own.title: own for own in faces if len(own)}
    return (
        template_environment()
        .get_template("realism.html.jinja")
        .render(
            sets=sets,
            real=[name for name, own in sets.items() if own["is_real"]],
            tables=[_table(found, name) for name in found["ceilings"]],
            places=list(next(iter(sets.values()))["spread"]) if sets else [],
            patterns=_draw_patterns(found, list(shown)) if shown else None,
            spectra=_draw_spectra(found, list(shown)) if shown else None,
            sheets={name: _sheet(own) for name, own in shown.items()},
            trained=trained,
            test_sets=list(dict.fromkeys(name for own in trained.values() for name in own)),
            missing=missing,
            network=RealismPlan.task,
            tstr=tstr,
            pattern_range=PATTERN_RANGE,
            version=tfake.__version__,
        )
    )


def _table(found: Figures, real: str) -> dict[str, Any]:
    """The rows of the table against one real set: its ceiling, other real sets, what was made."""
    pairs = [pair for pair in found["pairs"] if pair["real"] == real]
    pairs.sort(key=lambda pair: not found["sets"][pair["set"]]["is_real"])
    own = found["sets"][real]
    ceiling = {**found["ceilings"][real], "sd": own["sd"], "own": own["own"], "border": own["border"]}
    rows = [{**pair, "name": pair["set"], "is_real": found["sets"][pair["set"]]["is_real"]} for pair in pairs]
    return {"real": real, "own": own, "ceiling": ceiling, "rows": rows}


def _draw_patterns(found: Figures, names: Sequence[str]) -> Drawing:
    vertices, triangles = face_vertices()[:FACE_VERTICES], face_triangles()

    def panel(axes: Axes, name: str) -> None:
        values = np.array(found["sets"][name]["pattern"], dtype=float)[:FACE_VERTICES]
        known = np.isfinite(values)
        mesh = Triangulation(vertices[:, 0], vertices[:, 1], triangles, mask=~known[triangles].all(axis=1))
        limits = {"vmin": -PATTERN_RANGE, "vmax": PATTERN_RANGE}
        shown = np.where(known, values, 0)
        axes.tripcolor(mesh, shown, shading="gouraud", cmap=_PATTERN_COLOURS, rasterized=True, **limits)
        axes.set_aspect("equal")
        axes.set_axis_off()
        axes.set_title(name, loc="center")

    return draw("patterns", panel, names, panel_height=2.9, columns=(4, 2))


def _draw_spectra(found: Figures, names: Sequence[str]) -> Drawing:
    sets = found["sets"]
    base = next((name for name in names if sets[name]["is_real"]), None)
    curves = {name: np.array(sets[name]["log_spectrum"], dtype=float) for name in names}
    frequencies = np.arange(1, int(BAND[1]) + 1)

    def panel(axes: Axes, kind: str) -> None:
        for number, name in enumerate(names):
            resolved = frequencies <= RESOLVED * sets[name]["pixels"]
            if kind == "ratio":
                resolved &= frequencies <= RESOLVED * sets[base]["pixels"]
            values = curves[name] - (curves[base] if kind == "ratio" else 0)
            axes.plot(frequencies[resolved], values[resolved], label=name, **series_style(number))
        axes.set_xscale("log")
        axes.set_xticks((1, 2, 4, 8, 16, 32), ("1", "2", "4", "8", "16", "32"))
        axes.minorticks_off()
        axes.set_xlabel("cycles over the face's size")
        axes.set_title("log10 of the power" if kind == "power" else f"log10 of the power over that of {base}")
        if kind == "power":
            axes.legend(frameon=False, fontsize=8)

    return draw("spectra", panel, ("power", "ratio") if base else ("power",), panel_height=3.2)


def _sheet(faces: FaceSet) -> list[str]:
    """Pictures of a set's faces, spread evenly over it."""
    return [photo_uri(np.repeat(picture[..., None], 3, axis=2)) for picture in spread_evenly(faces.previews, _SHEET)]
