"""The two landmark backends behind one function."""

from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np

from tfake.codes import Attempt
from tfake.labels.detection import Detection, LabelSettings
from tfake.labels.views import View


class Finder(Protocol):
    """A backend that is ready to be shown images. Its results depend on the image alone, never on those before."""

    #: The attempts worth making, in order.
    attempts: tuple[Attempt, ...]

    def find(self, rgb: np.ndarray, view: View | None) -> list[Detection]:
        """Find meshes in (H, W, 3) uint8: in the whole image, or in the square of it that a view shows."""


def open_finder(settings: LabelSettings) -> AbstractContextManager[Finder]:
    """Load the backend that the settings name. Make one a process: none of them is thread-safe.

    Raises:
        FileNotFoundError: the model file does not exist.
    """
    # Imported here: the two need different versions of mediapipe, so that only one of them can be imported at all.
    if settings.backend == "facemesh":
        from tfake.labels.facemesh import FaceMesh

        return FaceMesh(settings.min_detection_confidence, settings.min_presence_confidence)
    from tfake.labels.face_landmarker import FaceLandmarker

    return FaceLandmarker(settings.model, settings.min_detection_confidence, settings.min_presence_confidence)
