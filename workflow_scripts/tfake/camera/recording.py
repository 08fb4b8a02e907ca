"""Recording faces with a camera: view, optics, detector and display, with labels that fit every pixel.

The display's automatic gain control makes 8 bits of temperatures; the result is not a temperature. Three mappings that
cameras offer (FLIR, Camera Adjustments, application note 102-PS242-100-01, 2014): linear between the extremes, linear
between two percentiles ("tail rejection"), and plateau equalisation. Each maps an image's lowest count to 0, so that no
image, and no shard, is 255 throughout: 255 is the stores' fill value. A flat image is 0.
"""

from collections.abc import Collection
from dataclasses import dataclass

import cv2
import numpy as np

from tfake.camera.camera_model import Camera, Values
from tfake.camera.detector import Detector, RngStream, shot_rng
from tfake.camera.optics import (
    choose_view,
    image_scene,
    indoor_field,
    source_to_image,
    transform_classes,
    transform_points,
)
from tfake.core.classes import FaceClass
from tfake.core.codes import SampleStatus, decode_ids
from tfake.core.radiometry import NO_IMAGE, decode_counts, encode_celsius
from tfake.imaging.foreground import fill_glasses
from tfake.store.arrays import StoreGroup
from tfake.store.layouts import recorded_layout
from tfake.store.statistics import class_statistics, merge_statistics

_WHITE = 255


def stretch(counts: np.ndarray, low: float, high: float) -> np.ndarray:
    """Map ``low`` to 0 and ``high`` to 255, linearly, and saturate beyond.

    Args:
        counts: (H, W) uint16 counts of 0.01 K.
        low: count that becomes 0.
        high: count that becomes 255.

    Returns:
        (H, W) uint8; 0 throughout when ``high`` is not above ``low``.
    """
    if high <= low:
        return np.zeros(counts.shape, np.uint8)
    fraction = (counts.astype(np.float64) - low) / (high - low)
    return np.rint(np.clip(fraction, 0.0, 1.0) * _WHITE).astype(np.uint8)


def equalise(counts: np.ndarray, plateau_fraction: float) -> np.ndarray:
    """Plateau equalisation: a count is the brighter the more pixels are below it, none weighing above a plateau.

    A plateau of one pixel is linear over the counts that occur, one of all pixels is histogram equalisation.

    Args:
        counts: (H, W) uint16 counts of 0.01 K.
        plateau_fraction: fraction of the pixels that a single count may stand for; at least one pixel.

    Returns:
        (H, W) uint8; 0 throughout for a flat image.
    """
    low = int(counts.min())
    histogram = np.bincount(counts.ravel().astype(np.intp) - low)
    clipped = np.minimum(histogram, max(1.0, plateau_fraction * counts.size))
    below = np.cumsum(clipped) - clipped
    top = below[-1]
    grey = np.rint(below / top * _WHITE) if top > 0 else np.zeros_like(below)
    return grey.astype(np.uint8)[counts - low]


def display(counts: np.ndarray, camera: Camera) -> np.ndarray:
    """What the camera's 8-bit output shows of an image.

    Args:
        counts: (H, W) uint16 counts of 0.01 K.
        camera: its ``values`` and ``agc_`` settings.

    Returns:
        (H, W) uint8.
    """
    if camera.values is Values.AGC_PLATEAU:
        return equalise(counts, camera.agc_plateau_percent / 100)
    clip = camera.agc_clip_percent if camera.values is Values.AGC_PERCENTILE else 0.0
    return stretch(counts, *np.percentile(counts, [clip, 100 - clip], method="lower"))


@dataclass(frozen=True)
class Shot:
    """What a camera made of a face.

    Attributes:
        thermal: (h, w) uint16 counts of 0.01 K, or uint8 grey values of a camera with gain control.
        segmentation: (h, w) uint8 class ids.
        landmarks_70: (70, 2) float32 pixels.
        landmarks_478: (478, 3) float32 pixels.
        source_to_image: (2, 3) float32, from the source's pixels to this image's.
    """

    thermal: np.ndarray
    segmentation: np.ndarray
    landmarks_70: np.ndarray
    landmarks_478: np.ndarray
    source_to_image: np.ndarray


class Recorder:
    """A camera at an ambient temperature. A shot depends on the face, its id and the camera's seed alone."""

    def __init__(self, camera: Camera, ambient_celsius: float) -> None:
        """Set the camera up in surroundings of a temperature in °C."""
        self._camera = camera
        self._ambient_celsius = ambient_celsius
        self._detector = Detector(camera)

    def record(
        self,
        image_id: str,
        celsius: np.ndarray,
        classes: np.ndarray,
        landmarks_70: np.ndarray,
        landmarks_478: np.ndarray,
    ) -> Shot:
        """Take a shot.

        Args:
            image_id: id of the sample.
            celsius: (H, H) float32 °C.
            classes: (H, H) uint8 class ids.
            landmarks_70: (70, 2) pixels.
            landmarks_478: (478, 3) pixels, NaN where the face has none.

        Raises:
            ValueError: a temperature that cannot be stored (:func:`tfake.core.radiometry.encode_celsius`).
        """
        camera = self._camera
        view = choose_view(landmarks_70, len(classes), camera, shot_rng(camera.seed, RngStream.VIEW, image_id))
        scene = image_scene(
            celsius, classes, view, camera.native_pixels, camera.blur_pixels, self._surroundings(image_id)
        )
        read = self._detector.expose(scene, self._ambient_celsius, image_id)
        counts = encode_celsius(resize(read, camera.image_pixels))
        affine = source_to_image(view, camera)
        return Shot(
            thermal=counts if camera.is_radiometric else display(counts, camera),
            segmentation=transform_classes(classes, affine, camera.image_pixels),
            landmarks_70=transform_points(landmarks_70, affine),
            landmarks_478=transform_points(landmarks_478, affine),
            source_to_image=affine.astype(np.float32),
        )

    def _surroundings(self, image_id: str) -> np.ndarray:
        camera = self._camera
        ambient = np.full(camera.native_pixels[::-1], self._ambient_celsius, np.float32)
        if camera.background == "indoor" and camera.background_kelvin > 0:
            rng = shot_rng(camera.seed, RngStream.SURROUNDINGS, image_id)
            ambient += indoor_field(rng, camera.native_pixels, camera.background_kelvin)
        return ambient


def resize(celsius: np.ndarray, pixels: tuple[int, int]) -> np.ndarray:
    """Bring an image to the output's size, as a camera does: linearly upwards, by areas downwards.

    Args:
        celsius: (H, W) float32 °C.
        pixels: (width, height) of the output.

    Returns:
        (height, width) float32 °C; corners stay corners.
    """
    if celsius.shape[::-1] == tuple(pixels):
        return celsius
    shrinks = pixels[0] * pixels[1] < celsius.size
    return cv2.resize(celsius, pixels, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def record_rows(
    base: StoreGroup, faces: StoreGroup, rows: Collection[int], camera: Camera, ambient_celsius: float
) -> tuple[dict[str, np.ndarray], dict[str, dict[str, float]]]:
    """Record some rows.

    Args:
        base: the thermal store that the camera records.
        faces: the ``faces.zarr`` of the same source.
        rows: their numbers, in order.
        camera: the camera.
        ambient_celsius: the base's.

    Returns:
        Array name to the rows' values, as :func:`tfake.store.layouts.recorded_layout` says; and statistics of the
        values by class, as :func:`tfake.store.statistics.class_statistics` gives them: °C, or grey values. Rows without
        a usable sample hold no image (``NO_IMAGE``, or 0 where pixels are grey values), class IGNORE and NaN points.
    """
    recorder = Recorder(camera, ambient_celsius)
    values = _empty_rows(camera, len(rows))
    statistics = []
    for place, row in enumerate(rows):
        counts = base["thermal"][row]
        if faces["status"][row] != SampleStatus.OK or (counts == NO_IMAGE).all():
            continue
        (image_id,) = decode_ids(faces["image_id"][row : row + 1])
        shot = recorder.record(
            image_id,
            decode_counts(counts),
            faces["segmentation"][row],
            faces["landmarks_70"][row],
            faces["landmarks_478"][row],
        )
        for name, array in values.items():
            array[place] = getattr(shot, name)
        pixels = decode_counts(shot.thermal) if camera.is_radiometric else shot.thermal
        statistics.append(class_statistics(pixels, fill_glasses(shot.segmentation)))
    return values, merge_statistics(statistics)


def _empty_rows(camera: Camera, rows: int) -> dict[str, np.ndarray]:
    missing = {"thermal": NO_IMAGE if camera.is_radiometric else 0, "segmentation": FaceClass.IGNORE}
    return {
        array.name: np.full((rows, *array.row_shape), missing.get(array.name, np.nan), array.dtype)
        for array in recorded_layout(*camera.image_pixels[::-1], camera.values)
    }
