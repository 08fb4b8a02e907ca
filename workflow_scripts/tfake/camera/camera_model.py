"""What a camera is: the settings of one entry of the config's ``cameras``."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any


class Values(StrEnum):
    """What the pixels of a recorded image mean."""

    RADIOMETRIC = "radiometric"
    AGC_MINMAX = "agc_minmax"
    AGC_PERCENTILE = "agc_percentile"
    AGC_PLATEAU = "agc_plateau"


@dataclass(frozen=True)
class Camera:
    """A camera, and how it is pointed at a face.

    Attributes:
        native_pixels: (width, height) of the detector.
        output_pixels: (width, height) of the stored image; None is the detector's.
        face_pixels: least and greatest size of the face on the detector, sqrt(width * height) of the box around the 70
            points; None shows the whole source picture, as high as the detector.
        face_position: ``centre``, or ``anywhere`` in the frame.
        background: what is behind the person: ``ambient`` or ``indoor``.
        background_kelvin: standard deviation of the indoor field, K.
        blur_pixels: standard deviation of the optics' point spread, in pixels of the detector.
        netd_kelvin: standard deviation of the temporal noise, K.
        pixel_pattern_kelvin: standard deviation of the fixed pattern from pixel to pixel, K; rows, columns likewise.
        row_pattern_kelvin: from row to row, K.
        column_pattern_kelvin: from column to column, K.
        gain_drift: standard deviation of the gain's error from image to image, relative.
        offset_drift_kelvin: standard deviation of the offset from image to image, K.
        dead_share: fraction of the detector's pixels that do not answer to the scene.
        dead_pixels: ``replaced`` by their neighbours, or ``stuck``.
        values: what the stored pixels mean.
        agc_clip_percent: pixels at either end that ``agc_percentile`` saturates, percent.
        agc_plateau_percent: pixels that one step of 0.01 K may count for in ``agc_plateau``, percent.
        seed: of every random choice; another seed is another camera of the same make.
    """

    native_pixels: tuple[int, int]
    output_pixels: tuple[int, int] | None
    face_pixels: tuple[float, float] | None
    face_position: str
    background: str
    background_kelvin: float
    blur_pixels: float
    netd_kelvin: float
    pixel_pattern_kelvin: float
    row_pattern_kelvin: float
    column_pattern_kelvin: float
    gain_drift: float
    offset_drift_kelvin: float
    dead_share: float
    dead_pixels: str
    values: Values
    agc_clip_percent: float
    agc_plateau_percent: float
    seed: int

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> "Camera":
        """Take a camera from the config.

        Args:
            settings: every attribute by name, pairs as lists.

        Raises:
            ValueError: a key is missing or unknown, or ``face_pixels`` is not rising.
        """
        names = {field.name for field in fields(cls)}
        if settings.keys() != names:
            wrong = sorted(settings.keys() ^ names)
            raise ValueError(f"a camera has the keys {', '.join(sorted(names))}; missing or unknown: {wrong}")
        values = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
        camera = cls(**{**values, "values": Values(values["values"])})
        if camera.face_pixels and camera.face_pixels[0] > camera.face_pixels[1]:
            raise ValueError(f"face_pixels must be [least, greatest]; found {list(camera.face_pixels)}")
        return camera

    @property
    def image_pixels(self) -> tuple[int, int]:
        """(width, height) of the stored image."""
        return self.output_pixels or self.native_pixels

    @property
    def is_radiometric(self) -> bool:
        """Whether stored pixels are temperatures."""
        return self.values is Values.RADIOMETRIC
