"""A test set run through every method: each annotated face with what each method found, and its errors.

Annotators mean other places by the same names. So half of the subjects may teach a label adapter from what a method
found to what was annotated; it is used on the other half, and the other way round, so that nobody's own annotation
helps them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tfake.core.devices import limit_threads
from tfake.core.subject_splits import split_by_subject
from tfake.landmarks.adapter_training import AdapterSettings, PairedPoints, fit_adapter
from tfake.landmarks.adapters import plain_map
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.search import SearchSettings
from tfake.studies.landmark_errors import (
    DETECTION_COLUMNS,
    FACE_COLUMNS,
    NORMALISERS,
    match_boxes,
    normaliser,
    point_errors,
)
from tfake.studies.landmark_methods import BASELINES, Method, boxed_set, landmarker_methods
from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet, box_of

#: Fewer faces than this on one side teach an adapter nothing.
MIN_FACES = 40


@dataclass
class Predictions:
    """What the methods found in one test set.

    Attributes:
        rows: a dictionary of ``FACE_COLUMNS`` for each method and annotated face.
        detections: a dictionary of ``DETECTION_COLUMNS`` for each box that a searching method gave.
        points: (method, face's name) to the found points, in the method's own set.
        shapes: the face's name to its image's height and width.
    """

    rows: list[dict] = field(default_factory=list)
    detections: list[dict] = field(default_factory=list)
    points: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    shapes: dict[str, tuple[int, int]] = field(default_factory=dict)

    def face_table(self) -> pd.DataFrame:
        """``rows`` as a table."""
        return pd.DataFrame(self.rows, columns=list(FACE_COLUMNS))

    def detection_table(self) -> pd.DataFrame:
        """``detections`` as a table."""
        return pd.DataFrame(self.detections, columns=list(DETECTION_COLUMNS))


def score_set(
    test_set: AnnotatedSet,
    landmarkers: Mapping[str, str],
    baselines: Iterable[str] = (),
    *,
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
        baselines: keys of :data:`tfake.studies.landmark_methods.BASELINES`.
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
    networks = [method for name, landmarker in loaded.items() for method in landmarker_methods(name, landmarker)]
    with ExitStack() as stack:
        methods = [*networks, *(stack.enter_context(BASELINES[name]()) for name in baselines)]
        predictions = run_methods(test_set, methods, iou_threshold, most_images, progress)
    table = predictions.face_table()
    if adapt:
        # What a method found is as noisy as what the adapter will be given: no further jitter.
        errors = cross_fitted_errors(predictions, test_set.faces, networks, AdapterSettings(jitter=0.0))
        table = with_adapted_errors(table, errors)
    return table, predictions.detection_table()


def run_methods(
    test_set: AnnotatedSet,
    methods: Sequence[Method],
    iou_threshold: float,
    most_images: int | None = None,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Predictions:
    """Run every method on every image; the arguments are those of :func:`score_set`.

    Returns:
        What was found. Images that cannot be read are excluded in the set's log, and count for nobody.
    """
    by_image: dict[str, list[AnnotatedFace]] = {}
    for face in test_set.faces:
        by_image.setdefault(face.image, []).append(face)
    names = list(by_image)
    if most_images is not None and len(names) > most_images:
        names = [names[index] for index in np.linspace(0, len(names) - 1, most_images).round().astype(int)]
    predictions = Predictions()
    for name in progress(names):
        faces = by_image[name]
        try:
            image = test_set.read_image(name)
        except ValueError as error:
            for face in faces:
                test_set.read_log.exclude(face.name, "unreadable_image", str(error))
            continue
        predictions.shapes |= {face.name: image.shape[:2] for face in faces}
        for method in methods:
            _run(predictions, method, image, name, faces, iou_threshold)
    return predictions


def _run(
    predictions: Predictions,
    method: Method,
    image: np.ndarray,
    name: str,
    faces: list[AnnotatedFace],
    iou_threshold: float,
) -> None:
    detected = method.detect(image, faces)
    if method.uses_gt_boxes:
        matched = list(range(len(faces)))
    else:
        # Boxes that mean what the annotated ones mean: around the same points, or the whole face.
        wanted = boxed_set(faces[0].convention, method.landmark_set)
        boxes = [box_of(plain_map(points, method.landmark_set, wanted)) for points in detected.landmarks]
        matched = match_boxes(boxes, detected.score, [face.box for face in faces], iou_threshold)
        predictions.detections += [
            {"method": method.name, "image": name, "sigma": float(score), "right": place >= 0}
            for score, place in zip(detected.score, matched, strict=True)
        ]
    index_of = {place: index for index, place in enumerate(matched) if place >= 0}
    for place, face in enumerate(faces):
        index = index_of.get(place)
        row = {"method": method.name, "face": face.name, "size": face.size, "found": index is not None}
        row |= {"subject": face.groups.get("subject", ""), "view": face.groups.get("view", "")}
        row["sigma"], mapped = float("nan"), None
        if index is not None:
            points = predictions.points[method.name, face.name] = detected.landmarks[index]
            row["sigma"], mapped = float(detected.score[index]), plain_map(points, method.landmark_set, face.convention)
        predictions.rows.append(row | face_errors(mapped, face, image.shape[:2]))


def face_errors(mapped: np.ndarray | None, face: AnnotatedFace, image_shape: tuple[int, int]) -> dict[str, float]:
    """A face's mean error under every normaliser.

    Args:
        mapped: (n, 2) points in the face's own set; None: it was not found, and the errors are infinite.
        face: as annotated.
        image_shape: height and width of its image.

    Returns:
        ``nme_…`` by normaliser; NaN where the normaliser does not exist for the face, or nothing is annotated.
    """
    result = {}
    for name in NORMALISERS:
        length = normaliser(name, face.points, face.convention, face.box, image_shape)
        if not np.isfinite(length) or np.isnan(face.points).all():
            error = float("nan")
        elif mapped is None:
            error = float("inf")
        else:
            error = float(np.nanmean(point_errors(mapped, face.points, length)))
        result[f"nme_{name}"] = error
    return result


def cross_fitted_errors(
    predictions: Predictions, faces: Sequence[AnnotatedFace], methods: Sequence[Method], settings: AdapterSettings
) -> dict[tuple[str, str], dict[str, float]]:
    """Errors after adaptation.

    Args:
        predictions: what the methods found.
        faces: the annotated faces.
        methods: those to adapt; a baseline that saw nothing is left as it is.
        settings: of the adapters.

    Returns:
        (method, face's name) to errors as :func:`face_errors` gives them; faces of sets with one subject, or with fewer
        than ``MIN_FACES`` found on a side, are not in it.
    """
    errors: dict[tuple[str, str], dict[str, float]] = {}
    for method in methods:
        for landmark_set in dict.fromkeys(face.convention for face in faces):
            own = [f for f in faces if f.convention == landmark_set and (method.name, f.name) in predictions.points]
            errors |= _cross_fit(predictions, own, method, landmark_set, settings)
    return errors


def _cross_fit(
    predictions: Predictions,
    faces: list[AnnotatedFace],
    method: Method,
    landmark_set: str,
    settings: AdapterSettings,
) -> dict[tuple[str, str], dict[str, float]]:
    subjects = [face.groups.get("subject", "") for face in faces]
    halves = split_by_subject(subjects, 0.5, settings.seed)
    if len(set(subjects)) < 2 or min(map(len, halves)) < MIN_FACES:
        return {}
    found = np.stack([predictions.points[method.name, face.name] for face in faces]).astype(np.float64)
    annotated = np.stack([face.points for face in faces])
    pairs = PairedPoints(method.landmark_set, landmark_set, found, annotated, np.array(subjects))
    errors = {}
    for train, test in (halves, halves[::-1]):
        adapter = fit_adapter(pairs.subset(train), settings)
        for index, points in zip(test, adapter.adapt(found[test]), strict=True):
            face = faces[index]
            errors[method.name, face.name] = face_errors(points, face, predictions.shapes[face.name])
    return errors


def with_adapted_errors(rows: pd.DataFrame, adapted: Mapping[tuple[str, str], dict[str, float]]) -> pd.DataFrame:
    """Add rows of methods whose points went through a label adapter.

    Returns:
        The rows, followed by those of ``METHOD, adapted`` with the errors of :func:`cross_fitted_errors` in place of
        the plain mapping's; faces that were not found stay so.
    """
    parts = [rows]
    for method in dict.fromkeys(name for name, _ in adapted):
        own = rows[rows["method"] == method].copy()
        for index, row in own.iterrows():
            for column, value in adapted.get((method, row["face"]), {}).items():
                own.loc[index, column] = value
        own["method"] = f"{method}, adapted"
        parts.append(own)
    return pd.concat(parts, ignore_index=True)
