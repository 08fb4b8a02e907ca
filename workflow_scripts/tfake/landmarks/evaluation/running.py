"""A test set shown to landmarkers and baselines: everything that needs networks."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack

import pandas as pd

from tfake.devices import limit_threads
from tfake.evaluation_sets.faces import EvaluationSet
from tfake.labels.facemesh import FaceMesh
from tfake.landmarks.adaptation.training import AdapterSettings
from tfake.landmarks.evaluation.cross_fitting import cross_fitted_errors
from tfake.landmarks.evaluation.methods import facemesh_method, landmarker_methods, mean_face_method
from tfake.landmarks.evaluation.scoring import ask_methods, with_adapted_points
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.search import SearchSettings

#: FaceMesh's own default, for its detector and for its network.
_CONFIDENCE = 0.5


def score_set(
    test_set: EvaluationSet,
    landmarkers: Mapping[str, str],
    *,
    facemesh: bool,
    adapt: bool,
    most_images: int | None,
    smallest_share: float,
    least_overlap: float,
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
        smallest_share: edge of the smallest windows searched, over the image's shorter edge.
        least_overlap: intersection over union from which a face counts as found.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: CPU threads.
        progress: wraps the list of images.

    Returns:
        Rows of ``FACE_COLUMNS`` and of ``DETECTION_COLUMNS`` (:mod:`tfake.landmarks.evaluation.summary`).
    """
    limit_threads(threads)
    search = SearchSettings(smallest_share=smallest_share)
    loaded = {name: ThermalLandmarker(weights, device, search=search) for name, weights in landmarkers.items()}
    asked = [method for name, landmarker in loaded.items() for method in landmarker_methods(name, landmarker)]
    methods = [*asked, mean_face_method()]
    with ExitStack() as stack:
        if facemesh:
            methods.append(facemesh_method(stack.enter_context(FaceMesh(_CONFIDENCE, _CONFIDENCE))))
        answers = ask_methods(test_set, methods, least_overlap, most_images, progress)
    table = answers.face_table()
    if adapt:
        # What a method found is as noisy as what the adapter will be given: no further jitter.
        settings = AdapterSettings(jitter=0.0)
        table = with_adapted_points(table, cross_fitted_errors(answers, test_set.faces, asked, settings))
    return table, answers.detection_table()
