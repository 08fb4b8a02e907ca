"""What a landmark backend gives, and the settings of dense labels."""

from dataclasses import dataclass

import numpy as np

BLENDSHAPES = 52
BACKENDS = ("facemesh", "face_landmarker")


@dataclass(frozen=True)
class Detection:
    """One face as a backend found it.

    Attributes:
        mesh: (478, 3) float32 pixels of the image, pixel centres at integers; z relative depth on the scale of x.
        blendshapes: (52,) float32 0..1 in the model's order, None where the backend has none.
        transform: (4, 4) float32 from MediaPipe's canonical face (cm) to its camera, None where the backend has none.
    """

    mesh: np.ndarray
    blendshapes: np.ndarray | None = None
    transform: np.ndarray | None = None


@dataclass(frozen=True)
class LabelSettings:
    """The ``labels`` block of the config.

    Attributes:
        backend: ``facemesh`` or ``face_landmarker``.
        model: the face landmarker's model file; None for FaceMesh, whose wheel carries its models.
        min_detection_confidence: 0..1, threshold of the face detector.
        min_presence_confidence: 0..1, how sure the network must be that what it sees is a face.
        retry_above: error above which the next attempt is made, share of sqrt(w h).
        reject_above: error above which a mesh is not this face's, share of sqrt(w h).
        fit_missing: whether a face shape fitted to the exact points stands in where no mesh agrees with them.
    """

    backend: str
    model: str | None
    min_detection_confidence: float
    min_presence_confidence: float
    retry_above: float
    reject_above: float
    fit_missing: bool

    def __post_init__(self):
        """Check what a schema cannot.

        Raises:
            ValueError: the backend is unknown, has no model, or meshes would be rejected without a second attempt.
        """
        if self.backend not in BACKENDS:
            raise ValueError(f"labels.backend must be one of {', '.join(BACKENDS)}; found {self.backend!r}")
        if self.backend == "face_landmarker" and self.model is None:
            raise ValueError("labels.backend face_landmarker needs a model file")
        if self.reject_above < self.retry_above:
            raise ValueError(
                f"labels.reject_above ({self.reject_above}) must not be below labels.retry_above ({self.retry_above})"
            )
