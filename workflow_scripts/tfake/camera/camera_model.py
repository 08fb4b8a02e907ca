"""What a camera is: the settings of one entry of the config's ``cameras``.

The arrays of a variant recorded by a camera: its images, and the labels that fit them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from typing import Any

import numpy as np

from tfake.store.layouts import POINT_UNITS, ArrayLayout, faces_layout, thermal_layout


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
        gain_drift: standard deviation of the gain's error from image to image, a share.
        offset_drift_kelvin: standard deviation of the offset from image to image, K.
        dead_share: share of the detector's pixels that do not answer to the scene.
        dead_pixels: ``replaced`` by their neighbours, or ``stuck``.
        values: what the stored pixels mean.
        agc_clip_percent: share of the pixels at either end that ``agc_percentile`` saturates, percent.
        agc_plateau_percent: share of the pixels that one step of 0.01 K may count for in ``agc_plateau``, percent.
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


#: No image of a gain-controlled camera is this throughout (:mod:`tfake.camera.display`).
_NEVER_GREY = 255


def camera_layout(camera: Camera) -> tuple[ArrayLayout, ...]:
    """What ``thermal.zarr`` holds for a camera whose images are h high and w wide.

    Returns:
        ``thermal`` (N, h, w), uint16 counts of 0.01 K or uint8 grey values; ``segmentation`` (N, h, w);
        ``landmarks_70`` (N, 70, 2); ``landmarks_478`` (N, 478, 3); ``source_to_image`` (N, 2, 3).
    """
    width, height = camera.image_pixels
    (thermal,) = thermal_layout(height)
    labels = {array.name: array for array in faces_layout(height)}
    return (
        replace(thermal, row_shape=(height, width)) if camera.is_radiometric else _grey(height, width, camera.values),
        replace(labels["segmentation"], row_shape=(height, width)),
        labels["landmarks_70"],
        labels["landmarks_478"],
        ArrayLayout(
            "source_to_image",
            "float32",
            (2, 3),
            ("image", "row", "column"),
            fill_value=-np.inf,
            attributes={
                "long_name": "affine map from pixels of the source to pixels of thermal",
                "missing": "NaN",
                **POINT_UNITS,
            },
            chunk_per_row=False,
        ),
    )


def _grey(height: int, width: int, values: str) -> ArrayLayout:
    return ArrayLayout(
        "thermal",
        "uint8",
        (height, width),
        ("image", "y", "x"),
        fill_value=_NEVER_GREY,
        attributes={
            "long_name": "grey value of an 8-bit display after automatic gain control; not a temperature",
            "units": "1",
            "values": values,
            "missing": "rows without a usable sample are 0 throughout",
        },
    )
