"""The arrays of a variant recorded by a camera: its images, and the labels that fit them."""

from dataclasses import replace

import numpy as np

from tfake.camera.settings import Camera
from tfake.store.array_layout import ArrayLayout
from tfake.store.label_layout import POINT_UNITS
from tfake.store.layout import faces_layout, thermal_layout

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
