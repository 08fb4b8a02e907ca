"""Error against the number of labels: curves over draws and seeds, and how many labels a beginning saves."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

#: Errors are over sqrt(w h) of the face's box, and over the distance between the outer corners of the eyes.
ERRORS = ("nme_box", "nme_inter_ocular")
#: What tells one point of a curve from another, draws and seeds aside.
CURVE = ("set", "method", "mode", "budget")


def build_curves(scores: pd.DataFrame) -> pd.DataFrame:
    """Average draws and seeds.

    Args:
        scores: a row a run and set: ``CURVE``, ``labels``, ``images`` (how many are labelled), ``draw``, ``seed``,
            ``ERRORS`` and ``failures``.

    Returns:
        A row a point of a curve, by ``CURVE`` and rising ``images``: ``runs``, the means of errors and failures, and
        ``nme_box_std``, the standard deviation over draws and seeds (NaN of one run).
    """
    grouped = scores.groupby([*CURVE, "images"], sort=False)
    means = grouped[[*ERRORS, "failures"]].mean()
    means["nme_box_std"] = grouped["nme_box"].std(ddof=1)
    means["runs"] = grouped.size()
    found = means.reset_index()
    order = {name: place for place, name in enumerate(dict.fromkeys(scores["method"]))}
    found["_order"] = found["method"].map(order)
    return found.sort_values([*("set", "mode", "budget"), "_order", "images"], kind="stable").drop(columns="_order")


def labels_needed(images: Sequence[float], errors: Sequence[float], target: float) -> float | None:
    """How many labels a curve takes to reach an error, by the line between its points over log(images).

    Args:
        images: numbers of labelled images, rising.
        errors: the errors there.
        target: the error to reach.

    Returns:
        The first number at which the curve is at most the target; that of its first point if it begins there; None if
        it never is.
    """
    for place, (count, error) in enumerate(zip(images, errors, strict=True)):
        if error > target:
            continue
        if place == 0:
            return float(count)
        before, above = images[place - 1], errors[place - 1]
        part = (above - target) / (above - error)
        return float(np.exp(np.log(before) + part * (np.log(count) - np.log(before))))
    return None


def summarise(curves: pd.DataFrame, reference: str) -> pd.DataFrame:
    """What each method saves against a reference, in its own mode ``full`` where it has one, and in the same budget.

    Args:
        curves: from :func:`build_curves`.
        reference: the method that the others are compared with.

    Returns:
        A row a curve: ``CURVE``, ``fewest`` (labelled images of the first point), ``error_at_fewest``,
        ``saved_at_fewest`` (1 - its error over the reference's there), ``error_with_all``, ``needed`` (labelled images
        to reach the reference's error with all of its labels; NaN where never) and ``needed_share`` of all.
    """
    rows = []
    for key, curve in curves.groupby(list(CURVE), sort=False):
        about = dict(zip(CURVE, key, strict=True))
        base = curves[(curves["method"] == reference) & (curves["set"] == about["set"])]
        base = base[base["budget"] == about["budget"]]
        if base.empty:
            continue
        first, last = curve.iloc[0], curve.iloc[-1]
        needed = labels_needed(list(curve["images"]), list(curve["nme_box"]), float(base["nme_box"].iloc[-1]))
        rows.append(
            about
            | {
                "fewest": int(first["images"]),
                "error_at_fewest": float(first["nme_box"]),
                "saved_at_fewest": 1 - float(first["nme_box"]) / float(base["nme_box"].iloc[0]),
                "error_with_all": float(last["nme_box"]),
                "needed": np.nan if needed is None else needed,
                "needed_share": np.nan if needed is None else needed / float(base["images"].iloc[-1]),
            }
        )
    return pd.DataFrame(rows)


def saving_at(curves: pd.DataFrame, reference: str, images: int) -> dict[tuple[str, str], float]:
    """How much less error each method has than the reference at a number of labels, averaged over the sets.

    Returns:
        (method, mode) to 1 - its error over the reference's, mean over sets and budgets; without the reference.
    """
    at = curves[curves["images"] == images]
    base = at[at["method"] == reference].set_index(["set", "budget"])["nme_box"]
    savings: dict[tuple[str, str], list[float]] = {}
    for row in at[at["method"] != reference].itertuples():
        if (row.set, row.budget) in base.index:
            savings.setdefault((row.method, row.mode), []).append(1 - row.nme_box / base[row.set, row.budget])
    return {key: float(np.mean(values)) for key, values in savings.items()}


def best_saving(savings: Mapping[tuple[str, str], float], methods: Iterable[str]) -> tuple[str, float] | None:
    """The method with the largest saving among some; None where there is none of them."""
    wanted = set(methods)
    chosen = {key: value for key, value in savings.items() if key[0] in wanted}
    if not chosen:
        return None
    (method, mode), value = max(chosen.items(), key=lambda item: item[1])
    return f"{method}, {mode}", value
