"""Finding faces by the network's own uncertainty: the most confident windows of a pyramid (Flotho et al., CVPR 2025).

A window costs little where windows share their convolutions: a level of the pyramid is encoded once, and each window
decodes its part of it. That is not the answer of a window looked at on its own, for a convolution pads a crop's border
and not a window's. So shared windows only nominate; the best of them are looked at on their own, and that answer
counts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from tfake.imaging.crops import box_overlap, crop_squares, square_around, to_image_coordinates
from tfake.landmarks.point_finder import PointFinder, predict

# The last window of a row ends within one of a network's coarsest cells from the end.
_COARSEST_STRIDE = 32


@dataclass(frozen=True)
class SearchSettings:
    """How an image is searched.

    Attributes:
        shrink: each level of the pyramid over the one before; T-FAKE's .75.
        stride_fraction: step from window to window over a window's edge, rounded to the network's stride; T-FAKE's 100
            of 224 pixels leave gaps that the refinement has to close, a third leaves few.
        min_window_fraction: edge of the smallest window over the image's shorter edge.
        nominated: windows that are looked at on their own. None: all, without sharing anything; what cannot share
            looks at all.
        refinements: how often the square around the found points is looked at again.
        overlap: intersection over the smaller of two boxes above which the less confident one is dropped: what
            a part of a face is taken for lies within it.
    """

    shrink: float = 0.75
    stride_fraction: float = 1 / 3
    min_window_fraction: float = 0.2
    nominated: int | None = 24
    refinements: int = 2
    overlap: float = 0.3


def find_windows(
    finder: PointFinder,
    image: np.ndarray,
    threshold: float,
    multi: bool,
    settings: SearchSettings | None = None,
    stretched: bool | None = None,
) -> np.ndarray:
    """Search an image for faces.

    Args:
        finder: the network.
        image: (H, W, 3) float32 in 0..1, as :func:`tfake.landmarks.preprocessing.preprocess` gives it.
        threshold: mean standard deviation, in crop widths, below which a window is a face.
        multi: all faces that do not overlap; otherwise the most confident one at most.
        settings: how to search; the defaults otherwise.
        stretched: as in :func:`tfake.landmarks.point_finder.predict`.

    Returns:
        (F, 3) float64 squares (left, top, edge) around the faces by descending confidence, refined: the network's
        answers on them are the faces' points.
    """
    settings = settings or SearchSettings()
    squares, found = score_windows(finder, image, settings, stretched)
    is_face = found[..., 2].mean(1) < threshold
    look = partial(predict, finder, stretched=stretched)
    pixels = finder.image_pixels
    squares, boxes, sigma = _refine(image, squares[is_face], found[is_face], look, pixels, settings.refinements)
    kept: list[int] = []
    for place in np.argsort(sigma, kind="stable"):
        if sigma[place] < threshold and all(box_overlap(boxes[place], boxes[k]) <= settings.overlap for k in kept):
            kept.append(int(place))
    return squares[kept if multi else kept[:1]]


def score_windows(
    finder: PointFinder, image: np.ndarray, settings: SearchSettings, stretched: bool | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The network's answers on windows at every place and size of an image (H, W, 3) float32 in 0..1.

    Where crops are stretched, the levels that nominate windows are stretched as a whole.

    Returns:
        (M, 3) squares and (M, L, 3) answers in crop widths: of the nominated windows, or of all.
    """
    pixels = finder.image_pixels
    step = max(finder.stride, round(settings.stride_fraction * pixels / finder.stride) * finder.stride)
    nominates = settings.nominated is not None and finder.shares_windows
    squares, sigmas, crops = [], [], []
    for level, scale in _pyramid(image, pixels, settings):
        corners = _corners(level.shape[:2], pixels, step)
        # A level's pixel i is centred at (i + 1/2) / scale - 1/2 in the image.
        squares.append(np.column_stack((corners / scale - 0.5, np.full(len(corners), pixels / scale))))
        planes = np.ascontiguousarray(level.transpose(2, 0, 1), dtype=np.float32)
        crops += [planes[:, top : top + pixels, left : left + pixels] for left, top in corners]
        if nominates:
            sigmas.append(finder.shared_sigma(planes, corners, stretched))
    windows = np.concatenate(squares)
    chosen = np.arange(len(windows))
    if nominates:
        chosen = np.argsort(np.concatenate(sigmas), kind="stable")[: settings.nominated]
    return windows[chosen], predict(finder, np.stack([crops[place] for place in chosen]), stretched)


def _pyramid(image: np.ndarray, pixels: int, settings: SearchSettings):
    """Levels of an image and their scale, from the one whose smallest windows are asked for to one window."""
    height, width = image.shape[:2]
    scale = pixels / (settings.min_window_fraction * min(height, width))
    last = pixels / max(height, width)
    while True:
        scale = max(scale, last)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        level = cv2.resize(image, size, interpolation=method)
        # Where the image is narrower than a window, what is beyond it is 0, as in a crop.
        below, beside = max(0, pixels - level.shape[0]), max(0, pixels - level.shape[1])
        yield np.pad(level, ((0, below), (0, beside), (0, 0))), scale
        if scale <= last:
            return
        scale *= settings.shrink


def _corners(shape: tuple[int, int], pixels: int, step: int) -> np.ndarray:
    """(M, 2) left and top of the windows of a level, the last of each row and column as near the end as they fit."""
    height, width = shape
    tops, lefts = (sorted({*range(0, edge - pixels + 1, step), _last(edge - pixels)}) for edge in (height, width))
    return np.array([(left, top) for top in tops for left in lefts])


def _last(slack: int) -> int:
    """The last corner that a shared window can have: the maps' cells are 8 or 32 pixels apart."""
    return slack // _COARSEST_STRIDE * _COARSEST_STRIDE


def _refine(
    image: np.ndarray,
    squares: np.ndarray,
    found: np.ndarray,
    look: Callable[[np.ndarray], np.ndarray],
    pixels: int,
    times: int,
) -> tuple[np.ndarray, list[tuple[float, ...]], np.ndarray]:
    """Look again at the squares around found points: squares, the boxes found in them, and their mean deviations."""
    for _ in range(times):
        points = to_image_coordinates(found, squares)[0]
        squares = np.array([square_around(_box(face)) for face in points]).reshape(-1, 3)
        found = look(crop_squares(image, squares, pixels))
    return squares, [_box(points) for points in to_image_coordinates(found, squares)[0]], found[..., 2].mean(1)


def _box(points: np.ndarray) -> tuple[float, ...]:
    return (*points.min(axis=0), *points.max(axis=0))
