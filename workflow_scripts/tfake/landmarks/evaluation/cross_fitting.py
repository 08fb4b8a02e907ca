"""Label adapters for a test set, fitted on its own subjects and used on the others.

Annotators mean other places by the same names. Half of the subjects teach an adapter from what a method found to what
was annotated; it is used on the other half, and the other way round, so that nobody's own annotation helps them.
"""

from collections.abc import Sequence

import numpy as np

from tfake.evaluation_sets.faces import AnnotatedFace
from tfake.landmarks.adaptation.training import AdapterSettings, PairedPoints, fit_adapter
from tfake.landmarks.evaluation.methods import Method
from tfake.landmarks.evaluation.scoring import Answers, face_errors
from tfake.sources.splits import split_by_subject

#: Fewer faces than this on one side teach nothing.
LEAST_FACES = 40


def cross_fitted_errors(
    answers: Answers, faces: Sequence[AnnotatedFace], methods: Sequence[Method], settings: AdapterSettings
) -> dict[tuple[str, str], dict[str, float]]:
    """Errors after adaptation.

    Args:
        answers: what the methods found.
        faces: the annotated faces.
        methods: those to adapt; a baseline that saw nothing is left as it is.
        settings: of the adapters.

    Returns:
        (method, face's name) to errors as :func:`face_errors` gives them; faces of sets with one subject, or with fewer
        than ``LEAST_FACES`` found on a side, are not in it.
    """
    errors: dict[tuple[str, str], dict[str, float]] = {}
    for method in methods:
        for landmark_set in dict.fromkeys(face.convention for face in faces):
            own = [f for f in faces if f.convention == landmark_set and (method.name, f.name) in answers.points]
            errors |= _adapt(answers, own, method, landmark_set, settings)
    return errors


def _adapt(
    answers: Answers, own: list[AnnotatedFace], method: Method, landmark_set: str, settings: AdapterSettings
) -> dict[tuple[str, str], dict[str, float]]:
    subjects = [face.groups.get("subject", "") for face in own]
    halves = split_by_subject(subjects, 0.5, settings.seed)
    if len(set(subjects)) < 2 or min(map(len, halves)) < LEAST_FACES:
        return {}
    pairs = PairedPoints(
        method.landmark_set,
        landmark_set,
        np.stack([answers.points[method.name, face.name] for face in own]).astype(np.float64),
        np.stack([face.points for face in own]),
        np.array(subjects),
    )
    errors = {}
    for shown, others in (halves, halves[::-1]):
        adapter = fit_adapter(pairs.chosen(shown), settings)
        for index, points in zip(others, adapter.adapt(pairs.given[others]), strict=True):
            face = own[index]
            errors[method.name, face.name] = face_errors(points, face, answers.shapes[face.name])
    return errors
