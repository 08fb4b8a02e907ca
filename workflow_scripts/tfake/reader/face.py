"""One row of a dataset, and cutting a square out of it with its labels moved along."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from tfake.core.classes import FaceClass
from tfake.core.codes import MeshStatus, SampleStatus
from tfake.reader.presence import ImageStatus

#: What a row can be asked for, besides what is always there: id, row, statuses, error and pose.
FIELDS = ("thermal", "segmentation", "landmarks_70", "landmarks_478", "landmarks_478_visibility")
#: And on demand: what not every dataset has.
ON_DEMAND = ("rgb",)


@dataclass(frozen=True, eq=False, slots=True)
class ThermalFace:
    """A thermal face with its labels.

    Points are (x, y) pixels of ``thermal``, pixel centres at integers, origin at the upper left pixel. Left and right
    are the subject's. Fields that were not asked for are None (``thermal``: empty).
    """

    image_id: str  # in the source archive
    row: int  # axis 0 of every store
    status: SampleStatus  # of the source sample
    landmarks_478_status: MeshStatus  # how the dense points came about
    landmarks_478_error: float  # of the mesh as found, a fraction of sqrt(w h) of the face's box; NaN without a mesh
    head_pose: np.ndarray  # (3,) float32 degrees: yaw to the image's right, pitch upwards, roll clockwise; NaN without
    # Variant to (H, W) float32 °C, NaN without an image; uint8 grey values of a camera with automatic gain control.
    thermal: dict[str, np.ndarray] = field(default_factory=dict)
    segmentation: np.ndarray | None = None  # (H, W) uint8 tfake.core.classes.FaceClass
    landmarks_70: np.ndarray | None = None  # (70, 2) float32: iBUG-68, then the pupils (image left, image right)
    landmarks_478: np.ndarray | None = None  # (478, 2) float32: MediaPipe's mesh with irises; NaN without one
    landmarks_478_depth: np.ndarray | None = None  # (478,) float32 on the scale of x, smaller is nearer
    landmarks_478_visibility: np.ndarray | None = None  # (478,) uint8 tfake.core.codes.PointState
    thermal_status: dict[str, ImageStatus] = field(default_factory=dict)  # variant to whether it has an image here
    rgb: np.ndarray | None = None  # (H, W, 3) uint8, the source's image; 0 throughout without a usable sample


@dataclass(frozen=True)
class Square:
    """A square of the image: pixel coordinates (centres at integers) of its corner and its edge, in pixels."""

    left: float
    top: float
    edge: float


def face_square(landmarks_70: np.ndarray, margin: float) -> Square:
    """The square around a face.

    Args:
        landmarks_70: (70, 2) pixels.
        margin: the square's edge over the longer edge of the points' box; 1 touches the points.

    Returns:
        The square, which may reach beyond the image.
    """
    low, high = landmarks_70.min(axis=0).astype(np.float64), landmarks_70.max(axis=0).astype(np.float64)
    edge = float((high - low).max() * margin)
    left, top = (low + high) / 2 - edge / 2
    return Square(float(left), float(top), edge)


def crop_face(face: ThermalFace, square: Square, pixels: int) -> ThermalFace:
    """Cut a square out of a face and scale it.

    Temperatures are interpolated linearly, or averaged over a pixel's area where the square shrinks; classes are those
    of the nearest pixel. What lies outside the image is NaN, IGNORE in the class map, and black in RGB.

    Args:
        face: any fields.
        square: what to cut.
        pixels: edge of the result.

    Returns:
        The same face; points may lie outside the square.
    """
    zoom = pixels / square.edge
    corner = np.array([square.left, square.top])
    moved: dict[str, Any] = {}
    if face.landmarks_70 is not None:
        moved["landmarks_70"] = _move(face.landmarks_70, corner, zoom)
    if face.landmarks_478 is not None:
        moved["landmarks_478"] = _move(face.landmarks_478, corner, zoom)
    if face.landmarks_478_depth is not None:
        moved["landmarks_478_depth"] = (face.landmarks_478_depth * zoom).astype(np.float32)
    if face.segmentation is not None:
        moved["segmentation"] = _crop_classes(face.segmentation, square, pixels)
    if face.rgb is not None:
        moved["rgb"] = _crop_rgb(face.rgb, square, pixels)
    thermal = {name: _crop_celsius(celsius, square, pixels) for name, celsius in face.thermal.items()}
    return replace(face, thermal=thermal, **moved)


def around_face(pixels: int, margin: float = 1.6) -> Callable[[ThermalFace], ThermalFace]:
    """A crop for :func:`tfake.open_dataset`: the square around the 70 points.

    Args:
        pixels: edge of the crops.
        margin: edge of the square over the longer edge of the points' box.

    Returns:
        A function from face to cropped face; rows without points become a crop of the whole image.
    """
    return _AroundFace(pixels, margin)


@dataclass(frozen=True)
class _AroundFace:
    """A function that other processes can be sent."""

    pixels: int
    margin: float

    def __call__(self, face: ThermalFace) -> ThermalFace:
        if face.landmarks_70 is None:
            raise ValueError("a crop around the face needs the field landmarks_70")
        if np.isfinite(face.landmarks_70).all():
            return crop_face(face, face_square(face.landmarks_70, self.margin), self.pixels)
        images = [*face.thermal.values(), *([] if face.segmentation is None else [face.segmentation])]
        whole = max(images[0].shape) if images else self.pixels
        return crop_face(face, Square(-0.5, -0.5, float(whole)), self.pixels)


def _move(points: np.ndarray, corner: np.ndarray, zoom: float) -> np.ndarray:
    # Both frames have pixel centres at integers, so that a corner lies half a pixel before its first centre.
    return ((points.astype(np.float64) - corner) * zoom - 0.5).astype(np.float32)


def _crop_classes(classes: np.ndarray, square: Square, pixels: int) -> np.ndarray:
    y, x = (np.rint(_centres(start, square.edge, pixels)).astype(np.intp) for start in (square.top, square.left))
    height, width = classes.shape
    inside = ((y >= 0) & (y < height))[:, None] & ((x >= 0) & (x < width))
    nearest = classes[np.clip(y, 0, height - 1)[:, None], np.clip(x, 0, width - 1)]
    return np.where(inside, nearest, np.uint8(FaceClass.IGNORE))


def _crop_celsius(celsius: np.ndarray, square: Square, pixels: int) -> np.ndarray:
    height, width = celsius.shape
    # As two products: a crop along the axes is separable.
    rows = _weights(square.top, square.edge, pixels, height)
    columns = _weights(square.left, square.edge, pixels, width)
    return rows @ celsius @ columns.T


def _crop_rgb(rgb: np.ndarray, square: Square, pixels: int) -> np.ndarray:
    channels = [_crop_celsius(channel.astype(np.float32), square, pixels) for channel in np.moveaxis(rgb, -1, 0)]
    return np.rint(np.nan_to_num(np.stack(channels, axis=-1))).astype(np.uint8)


def _weights(start: float, edge: float, pixels: int, length: int) -> np.ndarray:
    """How much each source pixel counts in each pixel of the crop, along one axis: (pixels, length); NaN outside."""
    step = edge / pixels
    centres = _centres(start, edge, pixels)[:, None]
    if step <= 1:
        # Between the outermost centres and the image's edge there is nothing to interpolate with.
        weights = np.maximum(0.0, 1 - np.abs(np.clip(centres, 0, length - 1) - np.arange(length)))
        weights[(centres < -0.5)[:, 0] | (centres > length - 0.5)[:, 0]] = 0.0
    else:
        # A camera's pixel integrates over its area: the overlap of each with each.
        source = np.arange(length)
        overlap = np.minimum(centres + step / 2, source + 0.5) - np.maximum(centres - step / 2, source - 0.5)
        weights = np.maximum(0.0, overlap)
    total = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, total, out=np.full_like(weights, np.nan), where=total > 0).astype(np.float32)


def _centres(start: float, edge: float, pixels: int) -> np.ndarray:
    """Source coordinates of the crop's pixel centres along one axis: (pixels,)."""
    return start + (np.arange(pixels) + 0.5) * edge / pixels
