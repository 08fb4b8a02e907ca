"""Landmarks of thermal images in one call: TFAN's calling form, with one kind of answer.

What is different from TFAN (thermal-face-alignment) on purpose: the answer is always a :class:`LandmarkDetections`,
with no face, one or several; temperatures are cut to 20..40 °C and not stretched to each scene; ``sigma`` is a standard
deviation and is called so; a device is named, and weights are a file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

from tfake.core.codes import BOTH_POINTS, LANDMARKS
from tfake.core.devices import ForkGuard, resolve_device
from tfake.imaging.crops import crop_squares, square_around, square_around_image, to_image_coordinates
from tfake.landmarks.networks import load_landmark_network
from tfake.landmarks.preprocessing import preprocess
from tfake.landmarks.release import SHIPPED
from tfake.landmarks.search import SearchSettings, find_windows, predict


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
        weights: str | Path | None = None,
        device: str = "auto",
        threshold: float | None = None,
        search: SearchSettings | None = None,
        n_landmarks: int | None = None,
    ) -> None:
        """Load weights.

        Args:
            weights: a file of this workflow's training or release, or a state dict that TFAN released, 70 or 478
                points; None: those that come with the package, for 70 and 478 points.
            device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; a GPU that others use, too, is not waited for.
            threshold: mean standard deviation, in crop widths, below which a window is a face; None: the file's own,
                calibrated when it was trained.
            search: which windows ``sliding_window`` looks at; the defaults find faces of a fifth of the image.
            n_landmarks: 70 or 478. None: as many as the network finds, and 70 of one that finds both.

        Raises:
            FileNotFoundError: no such file.
            ValueError: the file is no landmark network, or one of other points, or the device has no such name.
            RuntimeError: a GPU was asked for that torch does not see (:func:`tfake.core.devices.resolve_device`).
        """
        self._guard = ForkGuard()
        self.device = resolve_device(device)
        network, own_threshold = load_landmark_network(SHIPPED if weights is None else weights)
        found = network.architecture.landmarks
        finds_both = found == BOTH_POINTS
        wanted = n_landmarks or (LANDMARKS if finds_both else found)
        if wanted != found and not finds_both:
            raise ValueError(f"{weights}: expected a network for {wanted} points, found one for {found}")
        self.network = (network.select(wanted) if finds_both else network).to(self.device).eval()
        # Where both are known, faces are told by the 70, whose threshold the file has.
        self._finder = network.select(LANDMARKS).to(self.device).eval() if finds_both else self.network
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
            squares = find_windows(self._finder, picture, self.threshold, multi, self.device, self.search, stretched)
        else:
            squares = square_around_image(picture.shape)[None]
            # Once to see where in the image the face is, and once more on it alone.
            points, _ = to_image_coordinates(self._predict(self._finder, picture, squares, stretched), squares)
            squares = np.array([square_around((*found.min(axis=0), *found.max(axis=0))) for found in points])
        found = self._predict(self.network, picture, squares, stretched, mirrored)
        landmarks, sigma = to_image_coordinates(found, squares)
        score = found[..., 2].mean(axis=1)
        return LandmarkDetections(landmarks.astype(np.float32), sigma.astype(np.float32), score.astype(np.float32))

    def _predict(
        self,
        network: nn.Module,
        picture: np.ndarray,
        squares: np.ndarray,
        stretched: bool | None,
        mirrored: bool | None = False,
    ) -> np.ndarray:
        """A network's answers on squares of a picture: (F, L, 3) float32."""
        crops = crop_squares(picture, squares, network.architecture.image_pixels)
        return predict(network, torch.from_numpy(crops), self.device, stretched, mirrored)
