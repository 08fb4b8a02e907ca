"""The heat fields of a training's crops: what is kept of a face, and its field in a crop's room.

A pair's is the mean person's in the room that the pair was recorded in: what is left to the thermal image is what the
picture tells. A source's is that of a person drawn anew for each crop, in the crop's room; the surface is kept, and
coarser than the image where crops are much coarser, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tfake.heat.face_heat import unknown_field
from tfake.heat.field import heat_field
from tfake.heat.registration import register_face
from tfake.heat.subject import Subject, draw_subject
from tfake.heat.surface import HeatSurface
from tfake.imaging.crops import build_pyramid, warp_linear
from tfake.thermalizer.heat_input import TABLES

#: No spread counts as less: where people hardly differ, the field is no surer than this (K).
LEAST_SPREAD_KELVIN = 0.3
#: A kept surface has this many pixels a side at least, and is so much finer than crops of the whole image.
_LEAST_PIXELS, _FINER = 256, 1.5


@dataclass(frozen=True)
class FieldCrop:
    """The field in one crop.

    Attributes:
        celsius: (P, P) float32 °C; NaN throughout where it is not known.
        spread_kelvin: (P, P) float32, between people, ``LEAST_SPREAD_KELVIN`` at least.
        pixels_per_cm: scale of the crop at the face; 1 where it is not known.
    """

    celsius: np.ndarray
    spread_kelvin: np.ndarray
    pixels_per_cm: float

    @classmethod
    def unknown(cls, pixels: int) -> "FieldCrop":
        """The field of a face without a mesh."""
        nothing = unknown_field((pixels, pixels))
        return cls(nothing, np.full_like(nothing, LEAST_SPREAD_KELVIN), 1.0)


class FaceSurface:
    """One source's surface, small enough to be kept."""

    def __init__(self, points: np.ndarray, classes: np.ndarray, rgb: np.ndarray, crop_pixels: int) -> None:
        """Register a face; arguments are as of :func:`tfake.heat.registration.register_face`.

        ``crop_pixels`` is the edge of the crops that its field is for.
        """
        self._shape = classes.shape
        reduction = max(1, int(min(self._shape) / max(_LEAST_PIXELS, _FINER * crop_pixels)))
        if reduction > 1:
            size = (self._shape[1] // reduction, self._shape[0] // reduction)
            scale = np.array([size[0] / self._shape[1], size[1] / self._shape[0]])
            points = points.copy()
            # Integer coordinates are pixel centres.
            points[:, :2] = (points[:, :2] + 0.5) * scale - 0.5
            points[:, 2] *= scale[0]
            classes = cv2.resize(classes, size, interpolation=cv2.INTER_NEAREST)
            rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
        self._surface = register_face(points, classes, rgb, TABLES)
        self.nbytes = _bytes_of(self._surface)

    def crop(self, matrix: np.ndarray, pixels: int, ambient_celsius: float, subject: Subject | None) -> FieldCrop:
        """The field of a person in a crop that :func:`tfake.imaging.crops.draw_crop` drew on the whole image."""
        field = heat_field(self._surface, ambient_celsius, subject, TABLES)
        celsius, spread = (
            warp_linear(build_pyramid(values), matrix, pixels, self._shape)
            for values in (field.celsius, field.spread_kelvin)
        )
        image_per_crop_pixel = np.sqrt(abs(np.linalg.det(matrix[:, :2])))
        cm_per_image_pixel = self._surface.cm_per_pixel * self._surface.solid.shape[0] / self._shape[0]
        per_cm = float(1 / (image_per_crop_pixel * cm_per_image_pixel))
        return FieldCrop(celsius, np.maximum(spread, np.float32(LEAST_SPREAD_KELVIN)), per_cm)


def draw_person(rng: np.random.Generator) -> Subject:
    """A person for one crop."""
    return draw_subject(int(rng.integers(1 << 32)), 0)


def mean_field(
    points: np.ndarray | None, classes: np.ndarray | None, rgb: np.ndarray, ambient_celsius: float
) -> tuple[np.ndarray, ...] | None:
    """The mean person's field of a pair as a pyramid; None without a mesh or a class map."""
    if points is None or classes is None:
        return None
    return build_pyramid(heat_field(register_face(points, classes, rgb, TABLES), ambient_celsius, None, TABLES).celsius)


def _bytes_of(surface: HeatSurface) -> int:
    # Asked for now, since it stays with the surface from its first room on.
    parts: Sequence[np.ndarray] = [surface.control_weights(TABLES), surface.inside, surface.inside_places]
    parts = [*parts, surface.marks.warmth, surface.marks.breath, *surface.weights.values()]
    parts = [*parts, *(value for value in vars(surface).values() if isinstance(value, np.ndarray))]
    return sum({id(part): part.nbytes for part in parts}.values())
