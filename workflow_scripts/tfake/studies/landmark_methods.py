"""The methods that are compared on test sets: landmarkers that search or are given the box, and baselines.

A baseline is one function with one entry in ``BASELINES``, from which evaluations take all that are there.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import numpy as np

from tfake.core.codes import MESH_POINTS
from tfake.labels.conventions import convention, reference_face, set_of_points
from tfake.labels.facemesh import FaceMesh
from tfake.landmarks.landmarker import LandmarkDetections, ThermalLandmarker
from tfake.landmarks.preprocessing import preprocess
from tfake.test_sets.annotated_faces import AnnotatedFace

#: FaceMesh's own default, for its detector and for its network.
_CONFIDENCE = 0.5


@dataclass(frozen=True)
class Method:
    """One way to landmarks.

    Attributes:
        name: as the tables show it.
        landmark_set: what its points mean.
        uses_gt_boxes: whether it is told where the faces are; then its answers are in their order.
        detect: from an image and its annotated faces, of which nothing but box and landmark set may count, to faces.
    """

    name: str
    landmark_set: str
    uses_gt_boxes: bool
    detect: Callable[[np.ndarray, Sequence[AnnotatedFace]], LandmarkDetections]


def landmarker_methods(name: str, landmarker: ThermalLandmarker) -> list[Method]:
    """A landmarker of 70 or 478 points twice: searching by itself, and given the annotated boxes."""
    points = set_of_points(landmarker.n_landmarks)

    def search(image: np.ndarray, faces: Sequence[AnnotatedFace]) -> LandmarkDetections:
        return landmarker.process(image, sliding_window=True, multi=len(faces) > 1)

    def in_boxes(image: np.ndarray, faces: Sequence[AnnotatedFace]) -> LandmarkDetections:
        return landmarker.process(image, boxes=[face.box for face in faces])

    return [Method(name, points, False, search), Method(f"{name}, box given", points, True, in_boxes)]


@contextmanager
def mean_face() -> Iterator[Method]:
    """The mean face seen from the front, set into each box: what any landmarker must beat."""
    reference = reference_face()[:, :2]

    def detect(image: np.ndarray, faces: Sequence[AnnotatedFace]) -> LandmarkDetections:
        placed = []
        for face in faces:
            # Its box goes where the annotated box is, around the same points where the box is theirs.
            around = convention(boxed_set(face.convention, "face70")).places @ reference
            low, high = around.min(axis=0), around.max(axis=0)
            corner, extent = np.array(face.box[:2]), np.subtract(face.box[2:], face.box[:2])
            placed.append(corner + (convention("face70").places @ reference - low) / (high - low) * extent)
        return _without_sigma(np.array(placed, dtype=np.float32))

    yield Method("mean face, box given", "face70", True, detect)


@contextmanager
def facemesh() -> Iterator[Method]:
    """MediaPipe's FaceMesh on the thermal image as networks get it."""
    with FaceMesh(_CONFIDENCE, _CONFIDENCE) as finder:

        def detect(image: np.ndarray, faces: Sequence[AnnotatedFace]) -> LandmarkDetections:
            pixels = (preprocess(image) * 255).round().astype(np.uint8)
            meshes = [detection.mesh[:, :2] for detection in finder.find(pixels, None)]
            return _without_sigma(np.array(meshes, dtype=np.float32).reshape(-1, MESH_POINTS, 2))

        yield Method("FaceMesh", "mesh478", False, detect)


#: Methods that need no weights, in the tables' order: name to what opens one.
BASELINES: dict[str, Callable[[], AbstractContextManager[Method]]] = {"mean_face": mean_face, "facemesh": facemesh}


def boxed_set(annotated: str, found: str) -> str:
    """The landmark set that an annotated box is around: its own, or the found one where few points stand for a face."""
    return found if annotated in ("tfw5", "aflw19") else annotated


def _without_sigma(points: np.ndarray) -> LandmarkDetections:
    """Faces of a method that gives no uncertainty."""
    unknown = np.full(points.shape[:2], np.nan, dtype=np.float32)
    return LandmarkDetections(points, unknown, unknown[:, 0])
