"""The optics: where a source image lies on the detector, what is behind the person, what each detector pixel gathers.

Geometry is an axis-parallel scaling and a shift, which the labels follow. Edges are pixel corners (an image of width W
spans 0 .. W), centres lie at integers as in the stores, so ``edge = centre + 0.5``. Temperatures are gathered instead
of radiances: over the 15 K between skin and surroundings they differ by less than .1 K.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.special import ndtr

from tfake.camera.camera_model import Camera
from tfake.core.classes import FaceClass
from tfake.core.sensor import blur
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
    fraction = np.array(place) if camera.face_position == "anywhere" else 0.5
    # A face larger than the frame is centred in it.
    start = np.where(slack > 0, slack * fraction, (frame - (high - low)) / 2)
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


def indoor_field(rng: np.random.Generator, pixels: tuple[int, int], spread_kelvin: float) -> np.ndarray:
    """How much an indoor scene differs from the ambient temperature: warm above, furniture, a window, a lamp.

    The ingredients' relative sizes are a judgement; the whole has mean 0 and the given spread.

    Args:
        rng: source of randomness.
        pixels: (width, height).
        spread_kelvin: standard deviation over the picture, K.

    Returns:
        (height, width) float32 K.
    """
    width, height = pixels
    # Air is layered: the wall under the ceiling is warmer than the one above the floor.
    field = np.repeat(np.linspace(rng.uniform(0.2, 0.8), 0.0, height, dtype=np.float32)[:, None], width, axis=1)
    for _ in range(rng.integers(4, 10)):
        _paint(field, rng, (0.08, 0.5), rng.normal(0.0, 0.6))
    window, lamp = rng.uniform(size=2)
    if window < 0.4:
        _paint(field, rng, (0.2, 0.5), -rng.uniform(1.0, 3.0))
    if lamp < 0.4:
        _paint(field, rng, (0.04, 0.12), rng.uniform(2.0, 6.0))
    drafts = rng.standard_normal((6, 8)).astype(np.float32)
    field += 0.3 * cv2.resize(drafts, pixels, interpolation=cv2.INTER_CUBIC)
    # The scene behind a face in focus is out of focus.
    field = blur(field, 0.01 * width).astype(np.float64)
    field -= field.mean()
    return (field * (spread_kelvin / field.std())).astype(np.float32)


def _paint(field: np.ndarray, rng: np.random.Generator, sides: tuple[float, float], kelvin: float) -> None:
    """Add a rectangle with sides between two fractions of the image's width."""
    height, width = field.shape
    extent = rng.uniform(*sides, size=2) * width
    x, y = rng.uniform(-0.1, 0.9, size=2) * (width, height)
    left, top = max(0, round(x)), max(0, round(y))
    field[top : max(0, round(y + extent[1])), left : max(0, round(x + extent[0]))] += np.float32(kelvin)


#: Fraction of the source's height whose mean goes on below it: single rows at the edge of a network's image err.
_EDGE_FRACTION = 1 / 32


def gather_weights(
    pixels: int, source_pixels: int, scale: float, offset: float, blur_pixels: float, continues: bool = False
) -> np.ndarray:
    """How much of each source pixel each detector pixel gathers along one axis.

    The scene is constant over a source pixel. The weight is the integral of the Gaussian point spread G over both
    pixels' extents, divided by the detector pixel's: with F(z) = z Phi(z / s) + s phi(z / s), whose second derivative
    is G, it is a difference of four values of F. It is exact for any scale, so nothing aliases.

    Args:
        pixels: detector pixels, N.
        source_pixels: source pixels, M.
        scale: detector pixels a source pixel.
        offset: where the source's first edge lies on the detector, pixels.
        blur_pixels: standard deviation of the point spread, detector pixels.
        continues: whether the last source pixel goes on for ever.

    Returns:
        (N, M) float64; a row sums to the fraction of the pixel's light that comes from the source.
    """
    edges = np.arange(pixels + 1)[:, None] - (scale * np.arange(source_pixels + 1) + offset)
    if blur_pixels > 0:
        z = edges / blur_pixels
        second_integral = edges * ndtr(z) + blur_pixels * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    else:
        second_integral = np.maximum(edges, 0.0)
    if continues:
        second_integral[:, -1] = 0.0
    return -np.diff(np.diff(second_integral, axis=0), axis=1)


def image_scene(
    celsius: np.ndarray,
    classes: np.ndarray,
    view: View,
    native_pixels: tuple[int, int],
    blur_pixels: float,
    surroundings: np.ndarray,
) -> np.ndarray:
    """What falls on the detector: the person in front of the surroundings, mixed where a pixel sees both.

    Beside and above the source picture there are the surroundings. Below it the person of the last row goes on, so that
    a torso does not end in mid-air, each column as warm as its person is just above the edge.

    Args:
        celsius: (H, W) float32 °C of the source.
        classes: (H, W) uint8; BACKGROUND is replaced by the surroundings.
        view: where the source lies on the detector.
        native_pixels: (width, height) of the detector.
        blur_pixels: standard deviation of the point spread, detector pixels.
        surroundings: (height, width) float32 °C, what the detector would see without the person.

    Returns:
        (height, width) float32 °C.
    """
    height, width = classes.shape
    across = gather_weights(native_pixels[0], width, view.scale, view.offset[0], blur_pixels)
    down = gather_weights(native_pixels[1], height + 1, view.scale, view.offset[1], blur_pixels, continues=True)
    person = (classes != FaceClass.BACKGROUND).astype(np.float64)
    edge = slice(height - max(1, round(_EDGE_FRACTION * height)), height)
    # Where the last row shows the person, at least one row does.
    below = (celsius * person)[edge].sum(axis=0) / np.maximum(person[edge].sum(axis=0), 1.0)
    celsius, person = np.vstack([celsius, below]), np.vstack([person, person[-1:]])
    warmth = down @ (celsius * person) @ across.T
    cover = down @ person @ across.T
    return (warmth + (1.0 - cover) * surroundings).astype(np.float32)
