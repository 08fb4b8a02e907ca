"""What is compared on a test set: landmarkers that search or are shown the box, FaceMesh, and the mean face."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tfake.evaluation_sets.faces import AnnotatedFace
from tfake.labels.correspondence import MESH_POINTS
from tfake.landmarks.conventions import convention, reference_face, set_of_points
from tfake.landmarks.landmarker import FoundFaces, ThermalLandmarker
from tfake.landmarks.reading import as_network_sees


@dataclass(frozen=True)
class Method:
    """One way to landmarks.

    Attributes:
        name: as the tables show it.
        landmark_set: what its points mean.
        shown_boxes: whether it is told where the faces are; then its answers are in their order.
        find: from an image and its annotated faces, of which nothing but box and landmark set may count, to faces.
    """

    name: str
    landmark_set: str
    shown_boxes: bool
    find: Callable[[np.ndarray, Sequence[AnnotatedFace]], FoundFaces]


def landmarker_methods(name: str, landmarker: ThermalLandmarker, mode: str = "auto") -> list[Method]:
    """A landmarker twice: searching by itself, and shown the annotated boxes.

    Args:
        name: of the landmarker.
        landmarker: 70 or 478 points.
        mode: how images are read.
    """
    points = set_of_points(landmarker.n_landmarks)

    def search(image: np.ndarray, faces: Sequence[AnnotatedFace]) -> FoundFaces:
        return landmarker.process(image, sliding_window=True, multi=len(faces) > 1, mode=mode)

    def look(image: np.ndarray, faces: Sequence[AnnotatedFace]) -> FoundFaces:
        return landmarker.process(image, mode=mode, boxes=[face.box for face in faces])

    return [Method(name, points, False, search), Method(f"{name}, box given", points, True, look)]


def mean_face_method() -> Method:
    """The mean face seen from the front, set into each box: what any landmarker must beat."""
    reference = reference_face()[:, :2]

    def place(image: np.ndarray, faces: Sequence[AnnotatedFace]) -> FoundFaces:
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

    def find(image: np.ndarray, faces: Sequence[AnnotatedFace]) -> FoundFaces:
        shown = (as_network_sees(image, mode) * 255).round().astype(np.uint8)
        meshes = [detection.mesh[:, :2] for detection in finder.find(shown, None)]
        points = np.array(meshes, dtype=np.float32).reshape(-1, MESH_POINTS, 2)
        return _unsure(points)

    return Method("FaceMesh", "mesh478", False, find)


def _unsure(points: np.ndarray) -> FoundFaces:
    """Faces of a method that says nothing of how sure it is."""
    unknown = np.full(points.shape[:2], np.nan, dtype=np.float32)
    return FoundFaces(points, unknown, unknown[:, 0])
