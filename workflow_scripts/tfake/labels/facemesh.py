"""The 478 points of MediaPipe FaceMesh on a full RGB image.

Detection runs on the image as the source has it: with the background blacked out FaceMesh finds fewer faces.
"""

import os

import numpy as np

# Read by MediaPipe's C++ logging when it is imported: its start-up chatter would drown the job's log.
os.environ.setdefault("GLOG_minloglevel", "2")

import mediapipe as mp

from tfake.labels.correspondence import mesh_error

#: Faces looked for in an image: the labelled one, and distractors that must not be taken in its place.
_MAX_FACES = 4


class FaceMesh:
    """One FaceMesh graph. It is not thread-safe: make one a process."""

    def __init__(self, min_detection_confidence: float):
        """Load the models that the mediapipe wheel carries.

        Args:
            min_detection_confidence: 0..1, threshold of the face detector.
        """
        # Static mode: otherwise the graph tracks from one image to the next and the result depends on their order.
        self._graph = mp.solutions.face_mesh.FaceMesh(
            static_image_mode=True,
            max_num_faces=_MAX_FACES,
            refine_landmarks=True,
            min_detection_confidence=min_detection_confidence,
        )

    def find(self, rgb: np.ndarray, landmarks_70: np.ndarray) -> np.ndarray | None:
        """Find the mesh of the face that the exact points belong to.

        Args:
            rgb: (H, W, 3) uint8.
            landmarks_70: (70, 2) exact points in pixels; they choose among several faces.

        Returns:
            (478, 3) float32 in pixels (pixel centres at integers; z relative depth on the scale of x), or None when
            no face is found.
        """
        faces = self._graph.process(rgb).multi_face_landmarks
        if not faces:
            return None
        height, width = rgb.shape[:2]
        meshes = [_pixels(face.landmark, height, width) for face in faces]
        return min(meshes, key=lambda mesh: mesh_error(mesh, landmarks_70))

    def __enter__(self) -> "FaceMesh":
        """Use as a context manager: the graph is closed at the end."""
        return self

    def __exit__(self, *_) -> None:
        """Close the graph."""
        self._graph.close()


def _pixels(landmarks, height: int, width: int) -> np.ndarray:
    points = np.array([(point.x, point.y, point.z) for point in landmarks], dtype=np.float64)
    # MediaPipe's 0..1 spans the image from edge to edge; pixel centres lie half a pixel inside.
    return (points * (width, height, width) - (0.5, 0.5, 0.0)).astype(np.float32)
