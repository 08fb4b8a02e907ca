"""The terms of distillation: everything that tells one from another is one entry of ``TERMS``.

Losses, their table, gradient norms and figures read it. A term's weight is an entry of the settings' ``weights``.

Gradients go where a term says what is wrong, and nowhere else: the teacher is frozen, its features and answers are
constants. With f_t = B_t(thermal), f_r = B_r(rgb), A_up and A_down the maps between their channels:

    term  compares                                  and its gradient reaches
    fd    A_up f_t with f_r                         B_t, A_up
    ld    p_t = H_t(f_t) with p_r = H_r(f_r)        B_t, H_t
    fi    p_F = H_t(A_down f_r) with the truth      H_t, A_down
    ri    p_R = H_r(A_up f_t) with the truth        B_t, A_up
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from torch import Tensor

from tfake.landmarks.distillation_losses import feature_distance, gaussian_divergence
from tfake.landmarks.landmark_network import LandmarkNetwork, gaussian_nll, weighted_mean

Features = tuple[Tensor, ...]


@dataclass(frozen=True)
class Lesson:
    """What a step knows of student, teacher and truth.

    Attributes:
        found: (B, L, 3) the student's answers.
        raised: the student's features in the teacher's channels, A_up f_t; None where no term asks for them.
        injected: (B, L, 3) the student's head on the teacher's features, p_F; None where no term asks for it.
        taught_features: the teacher's features; constants.
        taught: (B, L, 3) the teacher's answers; constants.
        teacher: the teacher, frozen and in evaluation mode.
        body_precision: an autocast region for the teacher's head.
        points: (B, L, 2) the truth.
        weights: (B, L), 0 for the points of crops that the teacher could not see.
        is_seen: (B,) bool, which crops it could.
        beta: power of the deviation that likelihoods are weighted by.
    """

    found: Tensor
    raised: Features | None
    injected: Tensor | None
    taught_features: Features
    taught: Tensor
    teacher: LandmarkNetwork
    body_precision: Callable[[], AbstractContextManager]
    points: Tensor
    weights: Tensor
    is_seen: Tensor
    beta: float

    def likelihood(self, answers: Tensor) -> Tensor:
        """How unlikely the truth is under answers (B, L, 3): ()."""
        return weighted_mean(gaussian_nll(answers, self.points, self.beta), self.weights)


@dataclass(frozen=True)
class DistillationTerm:
    """One term.

    Attributes:
        name: its key among the weights, and its column in the table of losses.
        label: its name in figures and pages.
        loss: the lesson of a step to a () tensor.
        raises: whether it needs ``Lesson.raised``, hence A_up.
        injects: whether it needs ``Lesson.injected``, hence A_down.
    """

    name: str
    label: str
    loss: Callable[[Lesson], Tensor]
    raises: bool = False
    injects: bool = False


def feature_term(lesson: Lesson) -> Tensor:
    """FD: mean of ``feature_distance`` over the crops that the teacher saw; 0 where it saw none."""
    distances = feature_distance(lesson.raised, lesson.taught_features)
    return weighted_mean(distances, lesson.is_seen.float())


def logit_term(lesson: Lesson) -> Tensor:
    """LD: weighted mean of ``gaussian_divergence``."""
    return weighted_mean(gaussian_divergence(lesson.found, lesson.taught, lesson.beta), lesson.weights)


def forward_injection(lesson: Lesson) -> Tensor:
    """FI: the likelihood of the truth under what the student's head reads in the teacher's features."""
    return lesson.likelihood(lesson.injected)


def reverse_injection(lesson: Lesson) -> Tensor:
    """RI: the likelihood of the truth under what the teacher's frozen head reads in the student's features."""
    return lesson.likelihood(lesson.teacher.points_of(lesson.raised, lesson.body_precision()))


_ALL = (
    DistillationTerm("fd", "features", feature_term, raises=True),
    DistillationTerm("ld", "answers", logit_term),
    DistillationTerm("fi", "forward injection", forward_injection, injects=True),
    DistillationTerm("ri", "reverse injection", reverse_injection, raises=True),
)
#: Name to term, in the order in which they are summed, tabulated and drawn.
TERMS: dict[str, DistillationTerm] = {term.name: term for term in _ALL}
