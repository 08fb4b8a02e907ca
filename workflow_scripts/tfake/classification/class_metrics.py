"""How good a classifier is: confusion matrix, accuracy, macro-F1, and how sure that is with so few people."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tfake.core.subject_bootstrap import subject_interval


@dataclass(frozen=True, eq=False)
class ClassScores:
    """What a classifier reached on a set.

    Attributes:
        clips: how many there are.
        subjects: how many people.
        accuracy: fraction of the clips that are classified right.
        accuracy_interval: its 95 % interval over people; NaN with fewer than two of them.
        macro_f1: mean F1 of the classes.
        macro_f1_interval: its 95 % interval.
        confusion: (K, K) int, truth by row and answer by column.
    """

    clips: int
    subjects: int
    accuracy: float
    accuracy_interval: tuple[float, float]
    macro_f1: float
    macro_f1_interval: tuple[float, float]
    confusion: np.ndarray


def confusion_matrix(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Count answers.

    Args:
        truth: (N,) int in 0..classes - 1.
        predicted: (N,) int, likewise.
        classes: how many there are.

    Returns:
        (K, K) int, truth by row and answer by column.

    Raises:
        ValueError: other shapes, or a class that is none.
    """
    if truth.shape != predicted.shape or truth.ndim != 1:
        raise ValueError(f"expected as many answers as truths, (N,) each; found {truth.shape} and {predicted.shape}")
    for name, values in (("truth", truth), ("answer", predicted)):
        if values.size and not (values.min() >= 0 and values.max() < classes):
            raise ValueError(f"expected classes 0 to {classes - 1}; found an {name} {values.min()} to {values.max()}")
    return np.bincount(truth * classes + predicted, minlength=classes**2).reshape(classes, classes)


def accuracy(confusion: np.ndarray) -> np.ndarray:
    """Fraction of right answers: (..., K, K) to (...); NaN where there are none."""
    right = np.trace(confusion, axis1=-2, axis2=-1)
    with np.errstate(invalid="ignore"):
        return right / confusion.sum(axis=(-2, -1))


def macro_f1(confusion: np.ndarray) -> np.ndarray:
    """Mean over the classes of F1 = 2 tp / (2 tp + fp + fn): (..., K, K) to (...).

    A class that neither is there nor was answered has no F1, and is left out of the mean.
    """
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    either = confusion.sum(axis=-1) + confusion.sum(axis=-2)
    there = either > 0
    f1 = np.divide(2 * right, either, out=np.zeros(either.shape), where=there)
    with np.errstate(invalid="ignore"):
        return f1.sum(axis=-1) / there.sum(axis=-1)


def score_classes(
    truth: np.ndarray, predicted: np.ndarray, subjects: Sequence[str], classes: int, draws: int, seed: int = 0
) -> ClassScores:
    """Score answers, with 95 % intervals by drawing as many people as there are, with replacement.

    Args:
        truth: (N,) int.
        predicted: (N,) int.
        subjects: (N,) who is seen.
        classes: how many there are.
        draws: how often people are drawn.
        seed: of the draws.

    Raises:
        ValueError: there is nothing to score, another number of subjects than of answers, or no draw.
    """
    if not len(truth) or len(subjects) != len(truth):
        raise ValueError(f"expected answers and as many subjects; found {len(truth)} and {len(subjects)}")
    whole = confusion_matrix(truth, predicted, classes)

    def interval(measure: Callable[[np.ndarray], np.ndarray]) -> tuple[float, float]:
        def of_rows(rows: np.ndarray) -> float:
            return float(measure(confusion_matrix(truth[rows], predicted[rows], classes)))

        return subject_interval(subjects, of_rows, draws, seed)

    return ClassScores(
        len(truth),
        len(set(subjects)),
        float(accuracy(whole)),
        interval(accuracy),
        float(macro_f1(whole)),
        interval(macro_f1),
        whole,
    )
