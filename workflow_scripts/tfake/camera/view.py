"""Where a source picture lies on the detector, and the labels that follow: an axis-parallel scaling and a shift.

Coordinates: edges are pixel corners (a picture of width W spans 0 .. W), centres lie at integers as in the stores, so
``edge = centre + 0.5``.
"""

from dataclasses import dataclass

import numpy as np

from tfake.camera.settings import Camera
from tfake.classes import FaceClass
from tfake.labels.correspondence import face_size


@dataclass(frozen=True)
class View:
    """From edges of the source to edges of the detector: ``detector = scale * source + offset``.

    Attributes:
        scale: detector pixels a source pixel.
        offset: (x, y) detector pixels.
    """

    scale: float
    offset: tuple[float, float]


def choose_view(landmarks_70: np.ndarray, source_pixels: int, camera: Camera, rng: np.random.Generator) -> View:
    """Point the camera at a face.

    Sizes are drawn so that every distance between the nearest and the farthest is equally likely: a face's size on the
    detector is inverse to its distance.

    Args:
        landmarks_70: (70, 2) pixels of the source.
        source_pixels: height and width of the source picture.
        camera: its detector, ``face_pixels`` and ``face_position``.
        rng: source of randomness.

    Returns:
        The view; a face that fits into the frame lies in it whole.
    """
    frame = np.array(camera.native_pixels, float)
    distance, *place = rng.uniform(size=3)
    if camera.face_pixels is None:
        scale = frame[1] / source_pixels
        return View(scale, tuple((frame - scale * source_pixels) / 2))
    nearest, farthest = 1 / camera.face_pixels[1], 1 / camera.face_pixels[0]
    scale = 1 / (nearest + distance * (farthest - nearest)) / face_size(landmarks_70)
    low, high = ((extreme(landmarks_70, axis=0) + 0.5) * scale for extreme in (np.min, np.max))
    slack = np.maximum(frame - (high - low), 0.0)
    share = np.array(place) if camera.face_position == "anywhere" else 0.5
    # A face larger than the frame is centred in it.
    start = np.where(slack > 0, slack * share, (frame - (high - low)) / 2)
    return View(float(scale), tuple((start - low).tolist()))


def source_to_image(view: View, camera: Camera) -> np.ndarray:
    """The affine map from the source's pixels to the stored image's, both with centres at integers.

    Returns:
        (2, 3) float64: ``x' = m[0, 0] x + m[0, 2]``, ``y' = m[1, 1] y + m[1, 2]``; the other two entries are 0.
    """
    ratio = np.array(camera.image_pixels) / np.array(camera.native_pixels)
    scale = view.scale * ratio
    shift = np.array(view.offset) * ratio + 0.5 * scale - 0.5
    return np.array([[scale[0], 0.0, shift[0]], [0.0, scale[1], shift[1]]])


def transform_points(points: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """Move landmarks with the picture.

    Args:
        points: (L, 2) or (L, 3) source pixels; NaN stays NaN. A third column is depth on the scale of x.
        affine: (2, 3) of :func:`source_to_image`.

    Returns:
        float32, same shape, pixels of the stored image; points outside the frame keep their place there.
    """
    scales = np.array([affine[0, 0], affine[1, 1], affine[0, 0]])[: points.shape[1]]
    shifts = np.array([affine[0, 2], affine[1, 2], 0.0])[: points.shape[1]]
    return (points.astype(np.float64) * scales + shifts).astype(np.float32)


def transform_classes(classes: np.ndarray, affine: np.ndarray, image_pixels: tuple[int, int]) -> np.ndarray:
    """The class map as the stored image shows it: each pixel takes the class under its centre.

    Args:
        classes: (H, W) uint8.
        affine: (2, 3) of :func:`source_to_image`.
        image_pixels: (width, height).

    Returns:
        (height, width) uint8. Beside and above the source it is BACKGROUND; below it the body goes on, as in
        :func:`tfake.camera.optics.image_scene`.
    """
    height, width = classes.shape
    column, column_inside = _source_index(affine[0, 0], affine[0, 2], image_pixels[0], width)
    row, row_inside = _source_index(affine[1, 1], affine[1, 2], image_pixels[1], height)
    seen = classes[np.clip(row, 0, height - 1)][:, np.clip(column, 0, width - 1)]
    inside = (row_inside | (row >= height))[:, None] & column_inside
    return np.where(inside, seen, np.uint8(FaceClass.BACKGROUND))


def _source_index(scale: float, shift: float, pixels: int, source_pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """The source pixel under each centre of an axis, (pixels,) int, and whether the source has it."""
    index = np.floor((np.arange(pixels) - shift) / scale + 0.5).astype(int)
    return index, (index >= 0) & (index < source_pixels)
