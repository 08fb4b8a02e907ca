"""What the stores hold: one :class:`ArrayLayout` an array, axis 0 shared by all.

Every array is laid out so that one shard job writes exactly one file of it. A store leaves out a file that holds only
its fill value, and then Snakemake would miss an output; so no fill value here can fill a whole shard: ``NEVER_WRITTEN``
counts, minus infinity for labels (missing labels are NaN), and codes above the legal ones.
"""

import numpy as np

from tfake.classes import LABELLED_CLASSES, FaceClass
from tfake.codes import IMAGE_ID_BYTES, LANDMARKS, SampleStatus
from tfake.radiometry import KELVIN_PER_COUNT, NEVER_WRITTEN, NO_IMAGE, ZERO_CELSIUS_KELVIN
from tfake.store.array_layout import UNUSED_CODE, ArrayLayout, describe_codes
from tfake.store.label_layout import POINT_UNITS, dense_label_layout


def faces_layout(pixels: int) -> tuple[ArrayLayout, ...]:
    """The arrays of ``faces.zarr``: what does not depend on a variant.

    Args:
        pixels: height and width of the images.

    Returns:
        ``image_id`` (N, 32), ``status`` (N,), ``segmentation`` (N, H, W), ``landmarks_70`` (N, 70, 2),
        and the dense labels of :func:`tfake.store.label_layout.dense_label_layout`.
    """
    return (
        ArrayLayout(
            "image_id",
            "uint8",
            (IMAGE_ID_BYTES,),
            ("image", "byte"),
            fill_value=255,
            attributes={"long_name": "id in the source archive", "encoding": "ASCII, padded with NUL"},
            chunk_per_row=False,
        ),
        ArrayLayout(
            "status",
            "uint8",
            (),
            ("image",),
            fill_value=UNUSED_CODE,
            attributes={"long_name": "state of the source sample", **describe_codes(SampleStatus)},
            chunk_per_row=False,
        ),
        ArrayLayout(
            "segmentation",
            "uint8",
            (pixels, pixels),
            ("image", "y", "x"),
            fill_value=UNUSED_CODE,
            attributes={
                "long_name": "FaceSynthetics class",
                **describe_codes((*LABELLED_CLASSES, FaceClass.IGNORE)),
                "missing": "rows without a usable sample are IGNORE throughout",
            },
        ),
        ArrayLayout(
            "landmarks_70",
            "float32",
            (LANDMARKS, 2),
            ("image", "point", "xy"),
            fill_value=-np.inf,
            attributes={
                "long_name": "exact points of the source: iBUG-68, then the pupils (image left, image right)",
                **POINT_UNITS,
            },
        ),
        *dense_label_layout(),
    )


def images_layout(pixels: int) -> tuple[ArrayLayout, ...]:
    """The arrays of ``images.zarr``, the source's images decoded.

    Returns:
        ``rgb`` (N, H, W, 3) uint8, and ``segmentation`` (N, H, W) as in :func:`faces_layout`.
    """
    return (
        ArrayLayout(
            "rgb",
            "uint8",
            (pixels, pixels, 3),
            ("image", "y", "x", "channel"),
            fill_value=UNUSED_CODE,
            attributes={
                "long_name": "the source's image: red, green, blue",
                "color_space": "sRGB",
                "missing": "rows without a usable sample are 0 throughout",
            },
            codec="lz4",
        ),
        *(array for array in faces_layout(pixels) if array.name == "segmentation"),
    )


def thermal_layout(pixels: int) -> tuple[ArrayLayout, ...]:
    """The one array of a variant's ``thermal.zarr``: ``thermal`` (N, H, W) uint16, 0.01 K a count."""
    return (
        ArrayLayout(
            "thermal",
            "uint16",
            (pixels, pixels),
            ("image", "y", "x"),
            fill_value=NEVER_WRITTEN,
            attributes={
                "long_name": "apparent temperature",
                "units": "degree_Celsius",
                "scale_factor": KELVIN_PER_COUNT,
                "add_offset": -ZERO_CELSIUS_KELVIN,
                "missing_value": NO_IMAGE,
            },
        ),
    )
