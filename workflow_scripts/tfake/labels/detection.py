"""What a landmark backend is shown and what it gives: an image, or a levelled square of it; and detections."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np

from tfake.core.codes import Attempt
from tfake.labels.shape import mesh_partners

#: Outer corners of the eyes and pupils among the 70 points: the subject's right and left.
_RIGHT_EYE, _LEFT_EYE = [36, 68], [45, 69]
#: A box around the 70 points is lower than the mesh, which has a forehead: its height counts by this factor.
_FOREHEAD = 1.25
#: Edge of the square over that of the box. FaceMesh was trained on squares 1.5 times its mesh, forehead included.
_MARGINS = {Attempt.GUIDED: 1.4, Attempt.WIDE: 1.6, Attempt.MIRRORED: 1.45, Attempt.LIFTED: 1.5}
#: Upwards shift of the square, as a fraction of the box's height: half of the forehead that the 70 points lack.
_UPWARDS = 0.04
_LIFT_GAMMA = 0.5


@dataclass(frozen=True)
class View:
    """A square of the image, turned so that the eyes are level.

    Attributes:
        centre: (x, y) pixels.
        size: edge in pixels.
        roll: radians by which the face is turned clockwise in the image.
        mirrored: whether the image is shown mirrored.
        lifted: whether shadows are lifted.
    """

    centre: tuple[float, float]
    size: float
    roll: float
    mirrored: bool = False
    lifted: bool = False


def view_of(attempt: Attempt, landmarks_70: np.ndarray) -> View | None:
    """The view that an attempt takes of a face.

    Args:
        attempt: which; not NONE.
        landmarks_70: (70, 2) exact points, pixels.

    Returns:
        The view; None for the whole image.
    """
    if attempt is Attempt.FULL:
        return None
    points = landmarks_70.astype(np.float64)
    across = points[_LEFT_EYE].mean(axis=0) - points[_RIGHT_EYE].mean(axis=0)
    roll = float(np.arctan2(across[1], across[0]))
    to_image = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    level = points @ to_image.T
    low, high = level.min(axis=0), level.max(axis=0)
    width, height = high - low
    centre = ((low + high) / 2 - (0.0, _UPWARDS * height)) @ to_image
    return View(
        centre=(float(centre[0]), float(centre[1])),
        size=_MARGINS[attempt] * max(width, _FOREHEAD * height, 1.0),
        roll=roll,
        mirrored=attempt is Attempt.MIRRORED,
        lifted=attempt is Attempt.LIFTED,
    )


def lift_shadows(rgb: np.ndarray) -> np.ndarray:
    """Brighten the dark half of an image: (H, W, 3) uint8, by a gamma of one half."""
    levels = 255 * (np.arange(256) / 255) ** _LIFT_GAMMA
    return cv2.LUT(rgb, np.rint(levels).astype(np.uint8))


def mirror(view: View, width: int) -> View:
    """The same square in the image mirrored left to right, whose width is given in pixels."""
    x, y = view.centre
    return View((width - 1 - x, y), view.size, -view.roll, view.mirrored, view.lifted)


def mirror_mesh(mesh: np.ndarray, width: int, partners: np.ndarray) -> np.ndarray:
    """A mesh found in a mirrored image, in the image as it is.

    Args:
        mesh: (478, 3) pixels in the mirrored image.
        width: of the image, pixels.
        partners: (478,) the point that each point becomes in a mirror.
    """
    return np.column_stack([width - 1 - mesh[partners, 0], mesh[partners, 1:]]).astype(mesh.dtype)


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


class Backend(ABC):
    """A landmark backend. Its results depend on the image alone, never on those before; none is thread-safe.

    A context manager: what it holds is closed at the end.
    """

    #: The attempts worth making, in order.
    attempts: tuple[Attempt, ...]

    def find(self, rgb: np.ndarray, view: View | None) -> list[Detection]:
        """Find meshes.

        Args:
            rgb: (H, W, 3) uint8.
            view: the square that holds the face; None looks for faces in the whole image.

        Returns:
            The meshes in pixels of ``rgb``; mirrored views give nothing else, for a mirror swaps sides.
        """
        if view is None:
            return self._find_faces(rgb)
        shown = lift_shadows(rgb) if view.lifted else rgb
        if not view.mirrored:
            return self._find_in_view(shown, view)
        width = rgb.shape[1]
        found = self._find_in_view(np.ascontiguousarray(shown[:, ::-1]), mirror(view, width))
        return [Detection(mirror_mesh(face.mesh, width, mesh_partners())) for face in found]

    @abstractmethod
    def _find_faces(self, rgb: np.ndarray) -> list[Detection]:
        """Find the faces of an image."""

    @abstractmethod
    def _find_in_view(self, rgb: np.ndarray, view: View) -> list[Detection]:
        """Find the face in a square, whose flags are followed already."""

    @abstractmethod
    def close(self) -> None:
        """Give back what the backend holds."""

    def __enter__(self) -> Self:
        """Use as a context manager."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()


@dataclass(frozen=True)
class LabelSettings:
    """The ``labels`` block of the config.

    Attributes:
        backend: ``facemesh`` or ``face_landmarker``.
        model: the face landmarker's model file; None for FaceMesh, whose wheel carries its models.
        min_detection_confidence: 0..1, threshold of the face detector.
        min_presence_confidence: 0..1, how sure the network must be that what it sees is a face.
        retry_above: error above which the next attempt is made, over sqrt(w h).
        reject_above: error above which a mesh is not this face's, over sqrt(w h).
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
