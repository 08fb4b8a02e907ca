"""Scores of classifiers, with intervals over people, out of their answers."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from tfake.classification.class_metrics import ClassScores, score_classes

#: Test people as the store has them, and the same as a low-cost camera with gain control records them.
OTHER_PEOPLE, OTHER_CAMERA = "other_people", "other_camera"
#: The baselines.
MAJORITY, MOTION = "majority", "landmark_motion"
#: Columns of the table of answers.
COLUMNS = ("method", "regime", "seed", "set", "clip", "subject", "truth", "answer")
#: What tells one row of scores from another.
KEY = ("set", "method", "regime", "seed")
Key = tuple[str, str, str, int]


def score_answers(answers: pd.DataFrame, classes: Sequence[str], draws: int) -> dict[Key, ClassScores]:
    """Score every method on every set.

    Args:
        answers: a row an answer, with the columns of ``COLUMNS``.
        classes: names of the classes.
        draws: how often people are drawn for the intervals.

    Returns:
        ``KEY`` to scores, in the order of the answers.

    Raises:
        ValueError: an answer or a truth is none of the classes.
    """
    places = {name: place for place, name in enumerate(classes)}
    found = {}
    for key, group in answers.groupby(list(KEY), sort=False):
        coded = [group[column].map(places) for column in ("truth", "answer")]
        if any(column.isna().any() for column in coded):
            known = sorted({*group["truth"], *group["answer"]} - places.keys())
            raise ValueError(f"expected the classes {', '.join(classes)}; found {', '.join(map(str, known))}")
        truth, answer = (column.to_numpy(dtype=int) for column in coded)
        name, method, regime, seed = key
        found[name, method, regime, int(seed)] = score_classes(
            truth, answer, group["subject"].tolist(), len(classes), draws
        )
    return found


def tabulate_scores(attribute: str, scores: Mapping[Key, ClassScores]) -> list[dict[str, Any]]:
    """A row a method and set: ``attribute``, ``KEY``, counts, scores and ends of their intervals."""
    return [
        {
            "attribute": attribute,
            **dict(zip(KEY, key, strict=True)),
            "clips": found.clips,
            "subjects": found.subjects,
            "accuracy": found.accuracy,
            "accuracy_low": found.accuracy_interval[0],
            "accuracy_high": found.accuracy_interval[1],
            "macro_f1": found.macro_f1,
            "macro_f1_low": found.macro_f1_interval[0],
            "macro_f1_high": found.macro_f1_interval[1],
        }
        for key, found in scores.items()
    ]


def summarise_scores(
    scores: Mapping[str, Mapping[Key, ClassScores]],
    classes: Mapping[str, Sequence[str]],
    provenance: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """All scores as plain values that JSON takes; what is not known is null.

    Args:
        scores: attribute to scores of :func:`score_answers`.
        classes: attribute to names of its classes.
        provenance: of every network.

    Returns:
        Attribute to ``classes``, ``scores`` (rows of :func:`tabulate_scores` with ``confusion``) and ``networks``.
    """
    return {
        name: {
            "classes": list(classes[name]),
            "scores": [
                {key: None if value != value else value for key, value in row.items()}
                | {"confusion": own.confusion.tolist()}
                for row, own in zip(tabulate_scores(name, found), found.values(), strict=True)
            ],
            "networks": [
                {key: record[key] for key in ("regime", "settings", "parameters", "people", "clips", "validation")}
                for record in provenance
                if record["attribute"] == name
            ],
        }
        for name, found in scores.items()
    }
