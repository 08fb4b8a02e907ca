"""Landmarks of thermal images in one call: TFAN's calling form, with one kind of answer.

What is different from TFAN (thermal-face-alignment) on purpose: the answer is always a :class:`LandmarkDetections`,
with no face, one or several; temperatures are cut to 20..40 °C and not stretched to each scene; ``sigma`` is a standard
deviation and is called so; a device is named, and weights are a file.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tfake.core.devices import ForkGuard, resolve_device
from tfake.imaging.crops import crop_squares, square_around, square_around_image, to_image_coordinates
from tfake.landmarks.landmarker_file import load_landmark_network
from tfake.landmarks.preprocessing import preprocess
from tfake.landmarks.search import SearchSettings, find_windows, predict

if TYPE_CHECKING:
    from tfake.landmarks.tracking import TrackedFaces


@dataclass(frozen=True, eq=False)
class LandmarkDetections:
    """The faces of one image by descending confidence. ``landmarks, sigma = faces`` unpacks the two that matter most.

    Attributes:
        landmarks: (F, L, 2) float32 pixels, pixel centres at integers.
        sigma: (F, L) float32 pixels, the standard deviation of x and of y of each point.
        score: (F,) float32, mean standard deviation over the crop's edge: lower is more confident.
    """

    landmarks: np.ndarray
    sigma: np.ndarray
    score: np.ndarray

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


class ThermalLandmarker:
    """A landmark network that is ready for images.

    Several may live in one process, on one device or on several. Workers that were started by ``spawn`` take one along;
    in a fork, one on a CPU computes with one thread, and one on a GPU refuses.
    """

    def __init__(
        self,
        weights: str | Path,
        device: str = "auto",
        threshold: float | None = None,
        search: SearchSettings | None = None,
    ) -> None:
        """Load weights.

        Args:
            weights: a file of this workflow's training, or a state dict that TFAN released, 70 or 478 points.
            device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; a GPU that others use, too, is not waited for.
            threshold: mean standard deviation, in crop widths, below which a window is a face; None: the file's own,
                calibrated when it was trained.
            search: which windows ``sliding_window`` looks at; the defaults find faces of a fifth of the image.

        Raises:
            FileNotFoundError: no such file.
            ValueError: the file is no landmark network, or the device has no such name.
            RuntimeError: a GPU was asked for that torch does not see (:func:`tfake.core.devices.resolve_device`).
        """
        self._guard = ForkGuard()
        self.device = resolve_device(device)
        self.network, own_threshold = load_landmark_network(weights)
        self.network.to(self.device).eval()
        self.search = search
        self.threshold = own_threshold if threshold is None else threshold
        self.n_landmarks = self.network.architecture.landmarks

    def process(
        self,
        image: np.ndarray,
        sliding_window: bool = False,
        multi: bool = False,
        mode: str = "auto",
        boxes: Sequence[Sequence[float]] | np.ndarray | None = None,
        stretched: bool | None = None,
        mirrored: bool | None = None,
    ) -> LandmarkDetections:
        """Find landmarks in an image.

        Args:
            image: temperatures or pixels, as :func:`tfake.landmarks.preprocessing.preprocess` takes them.
            sliding_window: search the whole image, at every size, for windows with a low standard deviation. Without
                it, and without boxes, the image is taken for the picture of one face.
            multi: with ``sliding_window``, all faces below the threshold; without, the most confident one at most.
            mode: ``auto``, ``temperature``, ``pixel`` or ``relative``.
            boxes: (F, 4) left, top, right, bottom: faces that are known, each of which is answered, in their order.
            stretched: whether each crop's contrast is stretched to its face. None: that of pictures without colours,
                where the weights were trained so; a network that was not does better without.
            mirrored: whether the answer is averaged with that on the mirrored crop. None: for pictures without
                colours, where the weights' file says so.

        Returns:
            The faces found: none where no window is below the threshold.

        Raises:
            ValueError: the image or the mode is none of those.
            RuntimeError: the network is on a GPU, and this process is a fork of the one that loaded it.
        """
        picture = preprocess(image, mode)
        with self._guard.computing(self.device):
            return self._process(picture, sliding_window, multi, boxes, stretched, mirrored)

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

    def _process(
        self,
        picture: np.ndarray,
        sliding_window: bool,
        multi: bool,
        boxes: Sequence[Sequence[float]] | np.ndarray | None,
        stretched: bool | None,
        mirrored: bool | None,
    ) -> LandmarkDetections:
        if boxes is not None:
            squares = np.array([square_around(box) for box in boxes]).reshape(-1, 3)
        elif sliding_window:
            squares = find_windows(self.network, picture, self.threshold, multi, self.device, self.search, stretched)
        else:
            squares = square_around_image(picture.shape)[None]
            # Once to see where in the image the face is, and once more on it alone.
            points, _ = to_image_coordinates(self._predict(picture, squares, stretched), squares)
            squares = np.array([square_around((*found.min(axis=0), *found.max(axis=0))) for found in points])
        found = self._predict(picture, squares, stretched, mirrored)
        landmarks, sigma = to_image_coordinates(found, squares)
        score = found[..., 2].mean(axis=1)
        return LandmarkDetections(landmarks.astype(np.float32), sigma.astype(np.float32), score.astype(np.float32))

    def _predict(
        self, picture: np.ndarray, squares: np.ndarray, stretched: bool | None, mirrored: bool | None = False
    ) -> np.ndarray:
        """The network's answers on squares of a picture: (F, L, 3) float32."""
        crops = crop_squares(picture, squares, self.network.architecture.image_pixels)
        return predict(self.network, torch.from_numpy(crops), self.device, stretched, mirrored)
