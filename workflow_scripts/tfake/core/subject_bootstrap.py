"""Confidence intervals of measures of people: whole subjects are drawn with replacement, with all that is theirs.

Frames of one film are alike, and so are films of one person: drawn one by one they would make an interval far too
narrow (the cluster bootstrap; Davison and Hinkley, Bootstrap Methods and their Application, 1997, section 3.8).
"""

from collections.abc import Callable, Sequence

import numpy as np

#: Two-sided level of the intervals.
LEVEL = 0.95


def subject_interval(
    subjects: Sequence[str], measure: Callable[[np.ndarray], float], draws: int, seed: int
) -> tuple[float, float]:
    """The percentile interval of a measure over rows that belong to subjects.

    Args:
        subjects: (N,) whose each row is.
        measure: of some rows, by their places, each as often as its subject was drawn; NaN where they have none.
        draws: how often subjects are drawn.
        seed: the same seed draws the same.

    Returns:
        Its lower and upper end at ``LEVEL``; NaN with fewer than two subjects, or where no draw has a measure.

    Raises:
        ValueError: ``draws`` is below 1.
    """
    if draws < 1:
        raise ValueError(f"draws: expected 1 or more, found {draws}")
    _, owner = np.unique(np.asarray(subjects, str), return_inverse=True)
    people = int(owner.max()) + 1 if len(owner) else 0
    if people < 2:
        return float("nan"), float("nan")
    rows_of = [np.flatnonzero(owner == person) for person in range(people)]
    rng = np.random.default_rng(seed)
    values = np.array(
        [
            measure(np.concatenate([rows_of[person] for person in rng.integers(people, size=people)]))
            for _ in range(draws)
        ]
    )
    known = values[np.isfinite(values)]
    if not len(known):
        return float("nan"), float("nan")
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
