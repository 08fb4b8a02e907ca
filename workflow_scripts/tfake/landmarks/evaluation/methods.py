"""What is compared on a test set: landmarkers that search or are shown the box, FaceMesh, and the mean face."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tfake.labels.correspondence import MESH_POINTS
from tfake.landmarks.boxes import Box
from tfake.landmarks.conventions import convention, reference_face
from tfake.landmarks.landmarker import FoundFaces, ThermalLandmarker
from tfake.landmarks.reading import as_network_sees

_SETS = {70: "face70", MESH_POINTS: "mesh478"}


@dataclass(frozen=True)
class Method:
    """One way to landmarks.

    Attributes:
        name: as the tables show it.
        landmark_set: what its points mean.
        shown_boxes: whether it is told where the faces are; then its answers are in the order of the boxes.
        find: from an image and its faces' boxes to faces.
    """

    name: str
    landmark_set: str
    shown_boxes: bool
    find: Callable[[np.ndarray, list[Box]], FoundFaces]


def landmarker_methods(name: str, landmarker: ThermalLandmarker, mode: str = "auto") -> list[Method]:
    """A landmarker twice: searching by itself, and shown the annotated boxes.

    Args:
        name: of the landmarker.
        landmarker: 70 or 478 points.
        mode: how images are read.
    """
    points = _SETS[landmarker.n_landmarks]

    def search(image: np.ndarray, boxes: list[Box]) -> FoundFaces:
        return landmarker.process(image, sliding_window=True, multi=len(boxes) > 1, mode=mode)

    def look(image: np.ndarray, boxes: list[Box]) -> FoundFaces:
        return landmarker.process(image, mode=mode, boxes=boxes)

    return [Method(name, points, False, search), Method(f"{name}, box given", points, True, look)]


def mean_face_method() -> Method:
    """The mean face seen from the front, set into each box: what any landmarker must beat."""
    mean = (convention("face70").places @ reference_face())[:, :2]
    low, high = mean.min(axis=0), mean.max(axis=0)

    def place(image: np.ndarray, boxes: list[Box]) -> FoundFaces:
        edges = np.array(boxes, dtype=np.float64).reshape(-1, 2, 2)
        share = (mean - low) / (high - low)
        points = edges[:, None, 0] + share * (edges[:, None, 1] - edges[:, None, 0])
        unknown = np.full(points.shape[:2], np.nan, dtype=np.float32)
        return FoundFaces(points.astype(np.float32), unknown, unknown[:, 0])

    return Method("mean face, box given", "face70", True, place)


def facemesh_method(finder, mode: str = "auto") -> Method:
    """MediaPipe's FaceMesh on the thermal image as it is shown to networks.

    Args:
        finder: an open :class:`tfake.labels.facemesh.FaceMesh`.
        mode: how images are read.
    """

    def find(image: np.ndarray, boxes: list[Box]) -> FoundFaces:
        shown = (as_network_sees(image, mode) * 255).round().astype(np.uint8)
        meshes = [detection.mesh[:, :2] for detection in finder.find(shown, None)]
        points = np.array(meshes, dtype=np.float32).reshape(-1, MESH_POINTS, 2)
        # It says nothing of how sure it is.
        return FoundFaces(points, np.full(points.shape[:2], np.nan, np.float32), np.zeros(len(points), np.float32))

    return Method("FaceMesh", "mesh478", False, find)
