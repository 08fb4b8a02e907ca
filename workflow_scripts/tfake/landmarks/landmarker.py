"""Landmarks of thermal images in one call: TFAN's calling form, with one kind of answer.

What is different from TFAN (thermal-face-alignment) on purpose: the answer is always a :class:`LandmarkDetections`,
with no face, one or several; temperatures are cut to 20..40 °C for networks that take brightness for a temperature, and
to the scene's own for those that stretch the contrast themselves; ``sigma`` is a standard deviation and is called so; a
device is named, and weights are a file. Whatever computes the networks, torch or ONNX
Runtime, the way from picture to points is this one, and torch is imported for its own files alone.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfake.core.codes import LANDMARKS
from tfake.core.extras import needs_extra
from tfake.detector.face_detector import LOOKS, OVERLAP, find_faces
from tfake.imaging.crops import (
    box_overlap,
    crop_squares,
    square_around,
    square_around_image,
    to_image_coordinates,
)
from tfake.landmarks.framing import to_whole_face
from tfake.landmarks.onnx_finder import is_onnx, load_onnx_finders
from tfake.landmarks.point_finder import SHIPPED, Finders, PointFinder, predict
from tfake.landmarks.preprocessing import preprocess
from tfake.landmarks.search import SearchSettings, find_windows

if TYPE_CHECKING:
    from tfake.landmarks.tracking import TrackedFaces

#: How ``sliding_window`` searches an image: by a detector where there is one, or by the network's own uncertainty.
METHODS = ("auto", "detector", "windows")
#: Of what a detector found, the network has to be this sure at least: its mean standard deviation over the threshold
#: that tells a face among all windows. Tiny and cut faces are less sure than those.
UNSURE = 2.5
#: The shipped detector's lamps and black bodies have up to this on real pictures, and next to no face has less.
CONFIDENCE = 0.6
#: Over sqrt(w h) of the face: of real points with a larger deviation most are more than .1 of the face away.
VALID_SIGMA = 0.1


@dataclass(frozen=True, eq=False)
class LandmarkDetections:
    """The faces of one image by descending confidence. ``landmarks, sigma = faces`` unpacks the two that matter most.

    Attributes:
        landmarks: (F, L, 2) float32 pixels, pixel centres at integers.
        sigma: (F, L) float32 pixels, the standard deviation of x and of y of each point.
        score: (F,) float32, mean standard deviation over the crop's edge: lower is more confident.
        confidence: (F,) float32, the probability that it is a face, by the detector; NaN where none was asked, which is
            what None stands for.
    """

    landmarks: np.ndarray
    sigma: np.ndarray
    score: np.ndarray
    confidence: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Give every face a confidence."""
        if self.confidence is None:
            object.__setattr__(self, "confidence", np.full(len(self.landmarks), np.nan, np.float32))

    def __len__(self) -> int:
        """How many faces."""
        return len(self.landmarks)

    def __iter__(self) -> Iterator[np.ndarray]:
        """``landmarks`` and ``sigma``."""
        return iter((self.landmarks, self.sigma))

    @property
    def boxes(self) -> np.ndarray:
        """(F, 4) left, top, right, bottom of each face's points."""
        if not len(self):
            return np.empty((0, 4), dtype=np.float32)
        return np.concatenate((self.landmarks.min(axis=1), self.landmarks.max(axis=1)), axis=1)

    @property
    def valid(self) -> np.ndarray:
        """(F, L) bool: which points the network is sure of; the others are hidden, cut off, or too blurred to tell."""
        boxes = self.boxes
        size = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
        return self.sigma < VALID_SIGMA * size[:, None]


class ThermalLandmarker:
    """A landmark network that is ready for images.

    Several may live in one process, on one device or on several. Workers that were started by ``spawn`` take one along;
    in a fork, one on a CPU computes with one thread, and one on a GPU refuses.
    """

    def __init__(
        self,
        weights: str | Path | None = None,
        device: str = "auto",
        threshold: float | None = None,
        search: SearchSettings | None = None,
        n_landmarks: int | None = None,
        detector: str | Path | Mapping[str, Any] | None = None,
        confidence: float = CONFIDENCE,
        looks: int | None = None,
    ) -> None:
        """Load weights.

        Args:
            weights: a file of this workflow's training or release, or a state dict that TFAN released, 70 or 478
                points; or a folder of :func:`tfake.landmarks.onnx_export.export_landmarker`, or its landmarks.onnx
                alone, which need no torch; None: those that come with the package, for 70 and 478 points.
            device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; a GPU that others use, too, is not waited for. ONNX
                Runtime computes on the CPU.
            threshold: mean standard deviation, in crop widths, below which a window is a face; None: the file's own,
                calibrated when it was trained.
            search: which windows ``sliding_window`` looks at; the defaults find faces of a fifth of the image.
            n_landmarks: 70 or 478. None: as many as the network finds, and 70 of one that finds both.
            detector: a face detector (:func:`tfake.detector.detector_file.load_detector`), by which ``sliding_window``
                then searches; None: the one in the weights' file or folder, where it has one.
            confidence: probability from which on what the detector finds is a face, above 0 and below 1.
            looks: how often the detector searches a picture, each time as one of
                :data:`tfake.detector.face_detector.LOOKS`: three find more of the hard faces of a cheap camera, with
                fewer that are none, at three times the cost. None: as often as the detector's file says, which is
                once where it says nothing.

        Raises:
            FileNotFoundError: no such file.
            ValueError: the file is no landmark network, or one of other points, the detector is none, the confidence is
                no probability, there are not so many looks, or nothing that looks, or the device has no such name.
            RuntimeError: a GPU was asked for that torch does not see (:func:`tfake.core.devices.resolve_device`).
            ModuleNotFoundError: torch or ONNX Runtime is not installed; with the extra that brings it.
        """
        self._guard = self._device = None
        self.search = search
        if not 0 < confidence < 1:
            raise ValueError(f"confidence must be above 0 and below 1; found {confidence!r}")
        self.confidence = confidence
        weights = SHIPPED if weights is None else weights
        if is_onnx(weights):
            finders = load_onnx_finders(weights, device, n_landmarks, detector)
        else:
            finders = self._load_torch(weights, device, n_landmarks, detector)
        self.finder, self._whole, self._face_finder, own_threshold, self.detector, self._scores = finders
        if looks is not None:
            if not isinstance(looks, int) or not 1 <= looks <= len(LOOKS):
                raise ValueError(f"looks must be a whole number from 1 to {len(LOOKS)}; found {looks!r}")
            if self.detector is None:
                raise ValueError(f"looks are a detector's, and {weights} has none: ThermalLandmarker(detector=...)")
            self.detector.search_looks = looks
        self.threshold = own_threshold if threshold is None else threshold
        self.n_landmarks = self.finder.landmarks

    def _load_torch(
        self,
        weights: str | Path,
        device: str,
        n_landmarks: int | None,
        detector: str | Path | Mapping[str, Any] | None,
    ) -> Finders:
        with needs_extra("landmarks", f"{weights}, which torch reads,"):
            from tfake.core.devices import ForkGuard, resolve_device
            from tfake.landmarks.network_finder import load_finders
        self._guard, self._device = ForkGuard(), resolve_device(device)
        return load_finders(weights, self._device, n_landmarks, detector)

    def _computing(self) -> AbstractContextManager:
        """Where torch computes, it has to be its own process; ONNX Runtime opens its files again in another one."""
        return nullcontext() if self._guard is None else self._guard.computing(self._device)

    def process(
        self,
        image: np.ndarray,
        sliding_window: bool = False,
        multi: bool = False,
        mode: str = "auto",
        boxes: Sequence[Sequence[float]] | np.ndarray | None = None,
        stretched: bool | None = None,
        mirrored: bool | None = None,
        method: str = "auto",
        window: str = "auto",
    ) -> LandmarkDetections:
        """Find landmarks in an image.

        Args:
            image: temperatures or pixels, as :func:`tfake.landmarks.preprocessing.preprocess` takes them.
            sliding_window: search the whole image, by the detector, or at every size for windows with a low standard
                deviation. Without it, and without boxes, the image is taken for the picture of one face.
            multi: with ``sliding_window``, all faces; without, the most confident one at most.
            mode: ``auto``, ``temperature``, ``pixel`` or ``relative``.
            boxes: (F, 4) left, top, right, bottom: faces that are known, each of which is answered, in their order.
            stretched: whether each crop's contrast is stretched to its face. None: that of pictures without colours,
                where the weights were trained so; a network that was not does better without.
            mirrored: whether the answer is averaged with that on the mirrored crop. None: for pictures without
                colours, where the weights' file says so.
            method: how ``sliding_window`` searches: ``detector``, ``windows``, or ``auto``, the detector where there is
                one.
            window: what temperatures are cut to (:func:`tfake.landmarks.preprocessing.preprocess`): ``fixed``,
                ``scene``, or ``auto``, the scene's where the weights were trained to stretch the contrast.

        Returns:
            The faces found: none where nothing is confident enough.

        Raises:
            ValueError: the image, the mode, the method or the window is none of those, or there is no detector.
            RuntimeError: the network is on a GPU, and this process is a fork of the one that loaded it.
        """
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}; found {method!r}")
        if method == "detector" and self.detector is None:
            raise ValueError("method 'detector' needs a detector: ThermalLandmarker(weights, detector=...)")
        own_window = "scene" if self.finder.thermal_stretch else "fixed"
        picture = preprocess(image, mode, own_window if window == "auto" else window)
        by_detector = self.detector is not None and method != "windows"
        with self._computing():
            return self._process(picture, sliding_window, multi, boxes, stretched, mirrored, by_detector)

    def process_video(self, frames: "str | Path | Iterable[np.ndarray]", **options: Any) -> "Iterator[TrackedFaces]":
        """Follow the faces of a video: frames of a file, images of a folder by name, or images that come one by one.

        Args:
            frames: a path, or images as ``process`` takes them.
            options: ``rate``, ``mode``, ``smoothing``, ``settings`` and ``search_every``, as
                :func:`tfake.landmarks.video.process_video` takes them.

        Returns:
            One :class:`tfake.landmarks.tracking.TrackedFaces` a frame.

        Raises:
            ValueError: what cannot be read or looked at, when its frame is asked for.
        """
        from tfake.landmarks.video import process_video

        return process_video(self, frames, **options)

    def to_whole_face(self, boxes: np.ndarray) -> np.ndarray:
        """Boxes (F, 4) of answered points to those that ``process`` looks best around, to look at the faces anew."""
        return to_whole_face(boxes, self.n_landmarks, self._whole.landmarks)

    def _process(
        self,
        picture: np.ndarray,
        sliding_window: bool,
        multi: bool,
        boxes: Sequence[Sequence[float]] | np.ndarray | None,
        stretched: bool | None,
        mirrored: bool | None,
        by_detector: bool,
    ) -> LandmarkDetections:
        confidence = None
        if boxes is not None:
            squares = _squares(boxes)
        elif sliding_window and by_detector:
            squares, confidence = self._detect(picture, multi, stretched)
        elif sliding_window:
            squares = find_windows(self._face_finder, picture, self.threshold, multi, self.search, stretched)
        else:
            # Once to see where in the image the face is, and once more on it alone.
            squares = self._look_closer(picture, square_around_image(picture.shape)[None], stretched)
        found = self._predict(self.finder, picture, squares, stretched, mirrored)
        landmarks, sigma = to_image_coordinates(found, squares)
        score = found[..., 2].mean(axis=1)
        return LandmarkDetections(
            *(part.astype(np.float32) for part in (landmarks, sigma, score)), confidence=confidence
        )

    def _detect(self, picture: np.ndarray, multi: bool, stretched: bool | None) -> tuple[np.ndarray, np.ndarray]:
        """Squares around the faces that the detector finds, looked at once by the network, and their probabilities."""
        found = find_faces(self.detector, picture, self._scores.logit_of(self.confidence))
        # The detector's boxes are those of 70 points.
        squares = _squares(to_whole_face(found.boxes, LANDMARKS, self._whole.landmarks))
        answers = self._predict(self._whole, picture, squares, stretched)
        # Faces are told by the points that the threshold is for: of a network for both sets the first 70.
        told = answers[:, : self._face_finder.landmarks]
        is_sure = told[..., 2].mean(axis=1) < UNSURE * self.threshold
        points, _ = to_image_coordinates(answers, squares)
        boxes = [(*face.min(axis=0), *face.max(axis=0)) for face in points]
        kept: list[int] = []
        for place in np.flatnonzero(is_sure).tolist():
            if all(box_overlap(boxes[place], boxes[other]) <= OVERLAP for other in kept):
                kept.append(place)
        kept = kept if multi else kept[:1]
        return _squares_around(points[kept]), self._scores.confidence(found.logits[kept])

    def _look_closer(self, picture: np.ndarray, squares: np.ndarray, stretched: bool | None) -> np.ndarray:
        """Squares (F, 3) around the faces that the network finds in squares (F, 3)."""
        answers = self._predict(self._whole, picture, squares, stretched)
        return _squares_around(to_image_coordinates(answers, squares)[0])

    def _predict(
        self,
        finder: PointFinder,
        picture: np.ndarray,
        squares: np.ndarray,
        stretched: bool | None,
        mirrored: bool | None = False,
    ) -> np.ndarray:
        """A network's answers on squares of a picture: (F, L, 3) float32."""
        return predict(finder, crop_squares(picture, squares, finder.image_pixels), stretched, mirrored)


def _squares(boxes: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
    return np.array([square_around(box) for box in boxes]).reshape(-1, 3)


def _squares_around(faces: np.ndarray) -> np.ndarray:
    """The squares (F, 3) to look closer at, around all points (F, L, 2) that a network learnt to find."""
    return _squares([(*points.min(axis=0), *points.max(axis=0)) for points in faces])
