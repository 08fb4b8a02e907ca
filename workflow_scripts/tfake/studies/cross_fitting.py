"""Label adapters for a test set, fitted on its own subjects and used on the others.

Annotators mean other places by the same names. Half of the subjects teach an adapter from what a method found to what
was annotated; it is used on the other half, and the other way round, so that nobody's own annotation helps them.

A test set shown to landmarkers and baselines: everything that needs networks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack

import numpy as np
import pandas as pd

from tfake.core.devices import limit_threads
from tfake.core.subject_splits import split_by_subject
from tfake.labels.facemesh import FaceMesh
from tfake.landmarks.adapter_training import AdapterSettings, PairedPoints, fit_adapter
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.search import SearchSettings
from tfake.studies.method_scoring import (
    Method,
    Predictions,
    face_errors,
    facemesh_method,
    landmarker_methods,
    mean_face_method,
    run_methods,
    with_adapted_points,
)
from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet

#: Fewer faces than this on one side teach nothing.
LEAST_FACES = 40


def cross_fitted_errors(
    answers: Predictions, faces: Sequence[AnnotatedFace], methods: Sequence[Method], settings: AdapterSettings
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
    answers: Predictions, own: list[AnnotatedFace], method: Method, landmark_set: str, settings: AdapterSettings
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


#: FaceMesh's own default, for its detector and for its network.
_CONFIDENCE = 0.5


def score_set(
    test_set: AnnotatedSet,
    landmarkers: Mapping[str, str],
    *,
    facemesh: bool,
    adapt: bool,
    most_images: int | None,
    min_window_fraction: float,
    iou_threshold: float,
    device: str,
    threads: int,
    progress: Callable[[Iterable], Iterable] = iter,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score every method on every face.

    Args:
        test_set: the annotated faces.
        landmarkers: name to weights.
        facemesh: whether MediaPipe's FaceMesh is compared.
        adapt: whether label adapters are fitted, half of the subjects for the other half.
        most_images: images at most, spread evenly; None: all.
        min_window_fraction: edge of the smallest windows searched, over the image's shorter edge.
        iou_threshold: intersection over union from which a face counts as found.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: CPU threads.
        progress: wraps the list of images.

    Returns:
        Rows of ``FACE_COLUMNS`` and of ``DETECTION_COLUMNS`` (:mod:`tfake.studies.landmark_errors`).
    """
    limit_threads(threads)
    search = SearchSettings(min_window_fraction=min_window_fraction)
    loaded = {name: ThermalLandmarker(weights, device, search=search) for name, weights in landmarkers.items()}
    asked = [method for name, landmarker in loaded.items() for method in landmarker_methods(name, landmarker)]
    methods = [*asked, mean_face_method()]
    with ExitStack() as stack:
        if facemesh:
            methods.append(facemesh_method(stack.enter_context(FaceMesh(_CONFIDENCE, _CONFIDENCE))))
        answers = run_methods(test_set, methods, iou_threshold, most_images, progress)
    table = answers.face_table()
    if adapt:
        # What a method found is as noisy as what the adapter will be given: no further jitter.
        settings = AdapterSettings(jitter=0.0)
        table = with_adapted_points(table, cross_fitted_errors(answers, test_set.faces, asked, settings))
    return table, answers.detection_table()
