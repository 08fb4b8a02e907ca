"""MediaPipe's face landmarker (Tasks API, mediapipe 1.0 and later): FaceMesh with blendshapes and a pose.

It cannot be given the square that holds the face, so a view is cut out of the image, with more around it than the
network will look at, and its own detector finds the face there.
"""

import os
from pathlib import Path

import cv2
import numpy as np

from tfake.core.codes import Attempt
from tfake.labels.detection import Backend, Detection, View

_MAX_FACES = 4
_CUT_PIXELS = 384
#: Edge of the cut-out over that of the view: the detector wants to see the head around the face.
_SURROUNDINGS = 1.5


class FaceLandmarker(Backend):
    """The face landmarker; its detections have blendshapes, and those of whole images a pose."""

    #: The whole image comes first: only there does the pose hold for the image's own camera.
    attempts = (Attempt.FULL, Attempt.GUIDED, Attempt.WIDE, Attempt.MIRRORED, Attempt.LIFTED)

    def __init__(self, model: str | Path, min_detection_confidence: float, min_presence_confidence: float):
        """Load the model.

        Args:
            model: ``face_landmarker.task``.
            min_detection_confidence: 0..1, threshold of the face detector.
            min_presence_confidence: 0..1, how sure the network must be that what it sees is a face.

        Raises:
            FileNotFoundError: the model file does not exist.
        """
        if not os.path.isfile(model):
            raise FileNotFoundError(f"the face landmarker's model {model} does not exist")
        import mediapipe as mp  # here: version 0.10, which the other backend needs, lacks parts of this API

        self._mp = mp
        vision = mp.tasks.vision
        options = vision.FaceLandmarkerOptions(
            base_options=mp.tasks.BaseOptions(model_asset_path=str(model)),
            # Images, not video: otherwise it tracks from one to the next and the result depends on their order.
            running_mode=vision.RunningMode.IMAGE,
            num_faces=_MAX_FACES,
            min_face_detection_confidence=min_detection_confidence,
            min_face_presence_confidence=min_presence_confidence,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        self._landmarker = vision.FaceLandmarker.create_from_options(options)

    def _find_faces(self, rgb: np.ndarray) -> list[Detection]:
        return detections(self._detect(rgb), np.eye(2, 3), *rgb.shape[:2])

    def _find_in_view(self, rgb: np.ndarray, view: View) -> list[Detection]:
        to_image = cut_to_image(view)
        cut = cv2.warpAffine(rgb, to_image, (_CUT_PIXELS, _CUT_PIXELS), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        found = detections(self._detect(cut), to_image, _CUT_PIXELS, _CUT_PIXELS)
        # Without the pose, which is that of a camera of the cut-out's own.
        return [Detection(face.mesh, face.blendshapes) for face in found]

    def _detect(self, rgb: np.ndarray):
        return self._landmarker.detect(self._mp.Image(image_format=self._mp.ImageFormat.SRGB, data=rgb))

    def close(self) -> None:
        """Close the landmarker."""
        self._landmarker.close()


def cut_to_image(view: View) -> np.ndarray:
    """The affine map (2, 3) from pixels of a view's cut-out to pixels of the image."""
    step = _SURROUNDINGS * view.size / _CUT_PIXELS
    linear = step * np.array([[np.cos(view.roll), -np.sin(view.roll)], [np.sin(view.roll), np.cos(view.roll)]])
    middle = (_CUT_PIXELS - 1) / 2
    return np.column_stack([linear, np.array(view.centre) - linear @ (middle, middle)])


def detections(result, to_image: np.ndarray, height: int, width: int) -> list[Detection]:
    """Read a ``FaceLandmarkerResult``.

    Args:
        result: with ``face_landmarks``, ``face_blendshapes`` and ``facial_transformation_matrixes``, one entry a face.
        to_image: (2, 3) affine map from pixels of what was shown to pixels of the image.
        height: of what was shown.
        width: of what was shown.

    Returns:
        One detection a face.
    """
    scale = np.sqrt(abs(np.linalg.det(to_image[:, :2])))
    found = []
    for number, face in enumerate(result.face_landmarks):
        points = np.array([(point.x, point.y, point.z) for point in face], dtype=np.float64)
        # 0..1 spans what was shown from edge to edge; pixel centres lie half a pixel inside.
        places = points[:, :2] * (width, height) - 0.5
        mesh = np.column_stack([places @ to_image[:, :2].T + to_image[:, 2], points[:, 2] * width * scale])
        shapes = result.face_blendshapes[number] if result.face_blendshapes else None
        transforms = result.facial_transformation_matrixes
        found.append(
            Detection(
                mesh=mesh.astype(np.float32),
                blendshapes=None if shapes is None else np.array([shape.score for shape in shapes], np.float32),
                transform=np.asarray(transforms[number], np.float32) if len(transforms) else None,
            )
        )
    return found
