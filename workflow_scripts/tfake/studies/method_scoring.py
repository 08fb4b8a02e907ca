"""What is compared on a test set: landmarkers that search or are shown the box, FaceMesh, and the mean face.

Methods on a test set: every annotated face with what each method made of it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from tfake.labels.conventions import convention, reference_face, set_of_points
from tfake.labels.correspondence import MESH_POINTS
from tfake.landmarks.adapters import plain_map
from tfake.landmarks.landmarker import LandmarkDetections, ThermalLandmarker
from tfake.landmarks.preprocessing import preprocess
from tfake.studies.landmark_errors import (
    DETECTION_COLUMNS,
    FACE_COLUMNS,
    NORMALISERS,
    match_boxes,
    normaliser,
    point_errors,
)
from tfake.test_sets.annotated_faces import AnnotatedFace, AnnotatedSet


@dataclass(frozen=True)
class Method:
    """One way to landmarks.

    Attributes:
        name: as the tables show it.
        landmark_set: what its points mean.
        uses_gt_boxes: whether it is told where the faces are; then its answers are in their order.
        find: from an image and its annotated faces, of which nothing but box and landmark set may count, to faces.
    """

    name: str
    landmark_set: str
    uses_gt_boxes: bool
    find: Callable[[np.ndarray, Sequence[AnnotatedFace]], LandmarkDetections]


def landmarker_methods(name: str, landmarker: ThermalLandmarker, mode: str = "auto") -> list[Method]:
    """A landmarker twice: searching by itself, and shown the annotated boxes.

    Args:
        name: of the landmarker.
        landmarker: 70 or 478 points.
        mode: how images are read.
    """
    points = set_of_points(landmarker.n_landmarks)

    def search(image: np.ndarray, faces: Sequence[AnnotatedFace]) -> LandmarkDetections:
        return landmarker.process(image, sliding_window=True, multi=len(faces) > 1, mode=mode)

    def predict(image: np.ndarray, faces: Sequence[AnnotatedFace]) -> LandmarkDetections:
        return landmarker.process(image, mode=mode, boxes=[face.box for face in faces])

    return [Method(name, points, False, search), Method(f"{name}, box given", points, True, predict)]


def mean_face_method() -> Method:
    """The mean face seen from the front, set into each box: what any landmarker must beat."""
    reference = reference_face()[:, :2]

    def place(image: np.ndarray, faces: Sequence[AnnotatedFace]) -> LandmarkDetections:
        placed = []
        for face in faces:
            # Its box goes where the annotated box is, around the same points where the box is theirs.
            around = convention(boxed_set(face.convention, "face70")).places @ reference
            low, high = around.min(axis=0), around.max(axis=0)
            corner, extent = np.array(face.box[:2]), np.subtract(face.box[2:], face.box[:2])
            placed.append(corner + (convention("face70").places @ reference - low) / (high - low) * extent)
        return _unsure(np.array(placed, dtype=np.float32))

    return Method("mean face, box given", "face70", True, place)


def boxed_set(annotated: str, found: str) -> str:
    """The landmark set that an annotated box is around: its own, or any method's where few points stand for a face.

    Args:
        annotated: the annotation's landmark set.
        found: the method's.
    """
    return found if annotated in ("tfw5", "aflw19") else annotated


def facemesh_method(finder, mode: str = "auto") -> Method:
    """MediaPipe's FaceMesh on the thermal image as it is shown to networks.

    Args:
        finder: an open :class:`tfake.labels.facemesh.FaceMesh`.
        mode: how images are read.
    """

    def find(image: np.ndarray, faces: Sequence[AnnotatedFace]) -> LandmarkDetections:
        shown = (preprocess(image, mode) * 255).round().astype(np.uint8)
        meshes = [detection.mesh[:, :2] for detection in finder.find(shown, None)]
        points = np.array(meshes, dtype=np.float32).reshape(-1, MESH_POINTS, 2)
        return _unsure(points)

    return Method("FaceMesh", "mesh478", False, find)


def _unsure(points: np.ndarray) -> LandmarkDetections:
    """Faces of a method that says nothing of how sure it is."""
    unknown = np.full(points.shape[:2], np.nan, dtype=np.float32)
    return LandmarkDetections(points, unknown, unknown[:, 0])


@dataclass
class Predictions:
    """What the methods said about one test set.

    Attributes:
        rows: a dictionary of ``FACE_COLUMNS`` for each method and annotated face.
        detections: a dictionary of ``DETECTION_COLUMNS`` for each box that a searching method gave.
        points: (method, face's name) to the found points, in the method's own set.
        shapes: the face's name to its image's height and width.
        unreadable: images that could not be read, with the reason.
    """

    rows: list[dict] = field(default_factory=list)
    detections: list[dict] = field(default_factory=list)
    points: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)
    shapes: dict[str, tuple[int, int]] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    def face_table(self) -> pd.DataFrame:
        """``rows`` as a table."""
        return pd.DataFrame(self.rows, columns=list(FACE_COLUMNS))

    def detection_table(self) -> pd.DataFrame:
        """``detections`` as a table."""
        return pd.DataFrame(self.detections, columns=list(DETECTION_COLUMNS))


def run_methods(
    test_set: AnnotatedSet,
    methods: Sequence[Method],
    iou_threshold: float,
    most_images: int | None = None,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Predictions:
    """Show every image to every method.

    Args:
        test_set: the annotated faces.
        methods: what is compared.
        iou_threshold: intersection over union with the annotated box from which a face counts as found.
        most_images: take this many images at most, spread evenly; None: all.
        progress: wraps the list of images.

    Returns:
        The answers. Images that cannot be read are entered in the set's read_log, and count for nobody.
    """
    by_image: dict[str, list[AnnotatedFace]] = {}
    for face in test_set.faces:
        by_image.setdefault(face.image, []).append(face)
    names = list(by_image)
    if most_images is not None and len(names) > most_images:
        names = [names[index] for index in np.linspace(0, len(names) - 1, most_images).round().astype(int)]
    answers = Predictions()
    for name in progress(names):
        faces = by_image[name]
        try:
            image = test_set.read_image(name)
        except ValueError as error:
            answers.unreadable[name] = str(error)
            for face in faces:
                test_set.read_log.exclude(face.name, "unreadable_image", str(error))
            continue
        answers.shapes |= {face.name: image.shape[:2] for face in faces}
        for method in methods:
            _ask(answers, method, image, name, faces, iou_threshold)
    return answers


def _ask(
    answers: Predictions, method: Method, image: np.ndarray, name: str, faces: list[AnnotatedFace], iou_threshold: float
) -> None:
    found = method.find(image, faces)
    if method.uses_gt_boxes:
        places = list(range(len(faces)))
    else:
        boxes = [tuple(map(float, box)) for box in _comparable_boxes(found.landmarks, method.landmark_set, faces[0])]
        places = match_boxes(boxes, found.score, [face.box for face in faces], iou_threshold)
        answers.detections += [
            {"method": method.name, "image": name, "sigma": float(score), "right": place >= 0}
            for score, place in zip(found.score, places, strict=True)
        ]
    answer = {place: index for index, place in enumerate(places) if place >= 0}
    for place, face in enumerate(faces):
        index = answer.get(place)
        row = {"method": method.name, "face": face.name, "size": face.size, "found": index is not None}
        row |= {"subject": face.groups.get("subject", ""), "view": face.groups.get("view", "")}
        row["sigma"] = float(found.score[index]) if index is not None else float("nan")
        if index is not None:
            answers.points[method.name, face.name] = found.landmarks[index]
            mapped = plain_map(found.landmarks[index], method.landmark_set, face.convention)
        else:
            mapped = None
        answers.rows.append(row | face_errors(mapped, face, image.shape[:2]))


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
            result[f"nme_{name}"] = float("nan")
        elif mapped is None:
            result[f"nme_{name}"] = float("inf")
        else:
            result[f"nme_{name}"] = float(np.nanmean(point_errors(mapped, face.points, length)))
    return result


def _comparable_boxes(landmarks: np.ndarray, landmark_set: str, face: AnnotatedFace) -> list[np.ndarray]:
    """Boxes of found faces that mean what the annotated ones mean: around the same points, or the whole face."""
    wanted = boxed_set(face.convention, landmark_set)
    mapped = [plain_map(points, landmark_set, wanted) for points in landmarks]
    return [np.concatenate((points.min(axis=0), points.max(axis=0))) for points in mapped]


def with_adapted_points(rows: pd.DataFrame, adapted: Mapping[tuple[str, str], dict[str, float]]) -> pd.DataFrame:
    """Add rows of methods whose points went through a label adapter.

    Args:
        rows: ``FACE_COLUMNS``.
        adapted: (method, face) to the errors that replace the plain mapping's.

    Returns:
        The rows, followed by those of ``METHOD, adapted`` for every method that has any; faces that were not found
        stay so.
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
