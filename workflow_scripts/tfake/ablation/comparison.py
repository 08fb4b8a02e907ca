"""The arms side by side: scores of every seed gathered into one table, and each arm against the first."""

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

#: A score's place is its file's: {faces}/{condition}/{arm}/{seed}.json.
PLACE = ("faces", "condition", "arm", "seed")
ARM_COLUMNS = ("faces", "condition", "arm", "score", "mean", "sd", "seeds")


def gather_scores(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read the scores of every arm and seed.

    Args:
        paths: JSON files ``…/{faces}/{condition}/{arm}/{seed}.json``, name to value.

    Returns:
        One row a value: ``PLACE``, ``score``, ``value``; in the order of the paths.
    """
    rows = []
    for path in map(Path, paths):
        place = (*path.parts[-4:-1], int(path.stem))
        rows += [(*place, name, value) for name, value in json.loads(path.read_text()).items()]
    return pd.DataFrame(rows, columns=[*PLACE, "score", "value"])


def summarise_arms(scores: pd.DataFrame) -> pd.DataFrame:
    """Mean and spread over the seeds.

    Args:
        scores: from ``gather_scores``.

    Returns:
        Rows of ``ARM_COLUMNS``, in the order in which they first came; sd is NaN of a single seed.
    """
    grouped = scores.groupby(["faces", "condition", "arm", "score"], sort=False)["value"]
    return grouped.agg(mean="mean", sd="std", seeds="count").reset_index()[list(ARM_COLUMNS)]


def gain(arms: pd.DataFrame, faces: str, condition: str, arm: str, baseline: str, score: str) -> float:
    """How much lower an arm's score is than the baseline's, as a share of it; negative where it is higher."""
    chosen = arms[(arms["faces"] == faces) & (arms["condition"] == condition) & (arms["score"] == score)]
    means = chosen.set_index("arm")["mean"]
    return float(1 - means[arm] / means[baseline])
