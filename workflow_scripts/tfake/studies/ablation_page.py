"""The ablation's page: each arm's scores with their spread over seeds, sample images, and what a step costs."""

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

import tfake
from tfake.pages.charts import ACCENT, INK, Drawing, draw, series_marker
from tfake.pages.template_environment import template_environment

#: A score's place is its file's: {faces}/{condition}/{arm}/{seed}.json.
PLACE = ("faces", "condition", "arm", "seed")
ARM_COLUMNS = ("faces", "condition", "arm", "score", "mean", "sd", "seeds")
#: Scores in the page's tables: name, heading, whether it needs a truth.
COLUMNS = (
    ("face_mae", "face MAE (K)", True),
    ("face_rmse", "face RMSE (K)", True),
    ("face_bias", "face bias (K)", True),
    ("ssim", "SSIM", True),
    ("nose_mae", "nose MAE (K)", True),
    ("hair_mae", "hair MAE (K)", True),
    ("headwear_mae", "headwear MAE (K)", True),
    ("clothing_mae", "clothing MAE (K)", True),
    ("prior_mean", "class means minus prior, mean (K)", False),
    ("prior_worst", "worst (K)", False),
    ("nose_minus_skin", "nose minus skin (K)", False),
    ("patch_w2", "patch W2 to real LWIR", False),
    ("scale_gap", "512 against 256 (K)", False),
    ("background_sd", "background SD (K)", False),
)
_CLASSES = ("skin", "nose", "right_eye", "left_brow", "top_lip", "mouth_interior", "neck", "hair", "beard", "clothing")
_CLASSES += ("glasses", "headwear", "facewear")


def gather_scores(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read the scores of every arm and seed: JSON files ``…/{faces}/{condition}/{arm}/{seed}.json``, name to value.

    Returns:
        One row a value: ``PLACE``, ``score``, ``value``; in the order of the paths.
    """
    rows = []
    for path in map(Path, paths):
        place = (*path.parts[-4:-1], int(path.stem))
        rows += [(*place, name, value) for name, value in json.loads(path.read_text()).items()]
    return pd.DataFrame(rows, columns=[*PLACE, "score", "value"])


def summarise_arms(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over the seeds: rows of ``ARM_COLUMNS``; sd is NaN of a single seed."""
    grouped = scores.groupby(["faces", "condition", "arm", "score"], sort=False)["value"]
    return grouped.agg(mean="mean", sd="std", seeds="count").reset_index()[list(ARM_COLUMNS)]


def gain(arms: pd.DataFrame, faces: str, condition: str, arm: str, baseline: str, score: str) -> float:
    """How much lower an arm's score is than the baseline's, as a fraction of it; negative where it is higher."""
    chosen = arms[(arms["faces"] == faces) & (arms["condition"] == condition) & (arms["score"] == score)]
    means = chosen.set_index("arm")["mean"]
    return float(1 - means[arm] / means[baseline])


def render_ablation(
    scores: pd.DataFrame,
    arms: pd.DataFrame,
    strips: Mapping[tuple[str, str, str], str | Path],
    costs: Mapping[str, Any],
    baseline: str,
    pairs_ambient_celsius: float,
) -> str:
    """Fill the template.

    Args:
        scores: every seed's scores, from ``gather_scores``.
        arms: their means, from ``summarise_arms``.
        strips: (faces, condition, arm) to the picture of one seed.
        costs: from ``measure_costs``.
        baseline: the arm that the others are compared with.
        pairs_ambient_celsius: ambient temperature of the pairs.

    Returns:
        The page: HTML that refers to nothing outside itself.
    """
    environment = template_environment()
    places = list(dict.fromkeys(zip(arms["faces"], arms["condition"], strict=True)))
    with_truth = [place for place in places if "face_mae" in set(_of(arms, *place)["score"])]
    return environment.get_template("ablation.html.jinja").render(
        tables=[_table(arms, *place, baseline) for place in places],
        drawing=draw_errors(scores, with_truth),
        class_drawing=draw_class_errors(arms, with_truth),
        strips={place: _encode(Path(path).read_bytes()) for place, path in strips.items()},
        places=places,
        names=list(dict.fromkeys(arms["arm"])),
        costs=costs,
        parts=[key.removesuffix("_share") for key in costs if key.endswith("_share")],
        baseline=baseline,
        pairs_ambient_celsius=pairs_ambient_celsius,
        seeds=int(arms["seeds"].max()),
        version=tfake.__version__,
    )


def draw_errors(scores: pd.DataFrame, places: Sequence[tuple[str, str]]) -> Drawing:
    """Face MAE of every arm, one panel a condition: a bar for the mean, a dot for each seed."""

    def panel(axes: Axes, place: tuple[str, str]) -> None:
        chosen = _of(scores, *place)
        chosen = chosen[chosen["score"] == "face_mae"]
        names = list(dict.fromkeys(chosen["arm"]))
        for number, name in enumerate(names):
            values = chosen[chosen["arm"] == name]["value"]
            axes.barh(number, values.mean(), color=ACCENT, alpha=0.35)
            axes.plot(values, [number] * len(values), "o", color=INK, markersize=4)
        axes.set_yticks(range(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        axes.set_title(f"{place[1]}: face MAE")
        axes.set_xlabel("K")

    return draw("arms", panel, places, panel_height=1.0 + 0.3 * scores["arm"].nunique(), share_x=True)


def draw_class_errors(arms: pd.DataFrame, places: Sequence[tuple[str, str]]) -> Drawing:
    """MAE by class, one panel a condition, one colour an arm."""

    def panel(axes: Axes, place: tuple[str, str]) -> None:
        chosen = _of(arms, *place).set_index(["arm", "score"])["mean"]
        names = list(dict.fromkeys(arms["arm"]))
        present = [name for name in _CLASSES if (names[0], f"{name}_mae") in chosen]
        for number, name in enumerate(names):
            values = [chosen[name, f"{entry}_mae"] for entry in present]
            axes.plot(values, range(len(present)), markersize=6, alpha=0.85, label=name, **series_marker(number))
        axes.set_yticks(range(len(present)), [entry.replace("_", " ") for entry in present])
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        axes.set_title(f"{place[1]}: MAE by class")
        axes.set_xlabel("K")
        # Below: beside eight arms' dots there is no free place.
        axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)

    return draw("classes", panel, places, panel_height=5.4, share_x=True)


def _of(table: pd.DataFrame, faces: str, condition: str) -> pd.DataFrame:
    return table[(table["faces"] == faces) & (table["condition"] == condition)]


def _table(arms: pd.DataFrame, faces: str, condition: str, baseline: str) -> dict[str, Any]:
    chosen = _of(arms, faces, condition)
    values = chosen.set_index(["arm", "score"])
    known = set(chosen["score"])
    shown = [(name, heading) for name, heading, _ in COLUMNS if name in known]
    names = list(dict.fromkeys(chosen["arm"]))
    gains = [gain(arms, faces, condition, arm, baseline, "face_mae") for arm in names if "face_mae" in known]
    return {
        "faces": faces,
        "condition": condition,
        "arms": names,
        "gains": gains,
        "rows": [(heading, [_cell(values.loc[(arm, name)]) for arm in names]) for name, heading in shown],
    }


def _cell(found: pd.Series) -> tuple[float, float | None]:
    """Mean and standard deviation over the seeds; of a single seed there is none."""
    return found["mean"], found["sd"] if found["seeds"] > 1 else None


def _encode(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
