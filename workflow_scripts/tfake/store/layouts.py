"""How one array of a store is laid out.

The arrays of ``faces.zarr`` that hold dense labels and their quality.

What the stores hold: one :class:`ArrayLayout` an array, axis 0 shared by all.

Every array is laid out so that one shard job writes exactly one file of it. A store leaves out a file that holds only
its fill value, and then Snakemake would miss an output; so no fill value here can fill a whole shard: ``NEVER_WRITTEN``
counts, minus infinity for labels (missing labels are NaN), and codes above the legal ones.

The arrays of a variant whose images were published by others.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Literal

import numpy as np

from tfake.core.classes import LABELLED_CLASSES, FaceClass
from tfake.core.codes import (
    BLENDSHAPES,
    IMAGE_ID_BYTES,
    LANDMARKS,
    MESH_POINTS,
    Attempt,
    MeshStatus,
    PointState,
    SampleStatus,
)
from tfake.core.radiometry import KELVIN_PER_COUNT, NEVER_WRITTEN, NO_IMAGE, ZERO_CELSIUS_KELVIN

#: Fill value of arrays of codes: no row ever holds it.
UNUSED_CODE = 254


@dataclass(frozen=True)
class ArrayLayout:
    """One array of a store: rows along axis 0, ``row_shape`` behind it."""

    name: str
    dtype: str
    row_shape: tuple[int, ...]
    dimensions: tuple[str, ...]
    fill_value: float
    attributes: dict[str, Any] = field(default_factory=dict)
    #: True: one chunk a row, gathered in one shard file. False: the shard's rows are one chunk, the file itself.
    chunk_per_row: bool = True
    #: Blosc's inner codec: ``zstd`` for what is kept for long, ``lz4`` for what is read more often than it is stored.
    codec: Literal["zstd", "lz4"] = "zstd"

    def shard_file(self, shard: int) -> str:
        """The path, relative to the store, of the one file that holds shard number ``shard`` of this array."""
        return "/".join([self.name, "c", str(shard), *("0" for _ in self.row_shape)])


def describe_codes(codes: Iterable[IntEnum]) -> dict[str, Any]:
    """CF-style description of an integer code (CF Conventions 3.5)."""
    codes = list(codes)
    return {
        "flag_values": [int(code) for code in codes],
        "flag_meanings": " ".join(code.name.lower() for code in codes),
    }


#: Attributes of every array of points.
POINT_UNITS = {"units": "pixel", "coordinates": "pixel centres at integers, origin at the upper left pixel"}
_DEPTH = {"z": "relative depth on the scale of x, smaller is nearer the camera"}
_SHARE = {"units": "1", "normaliser": "sqrt(width * height) of the box around landmarks_70"}


def dense_label_layout() -> tuple[ArrayLayout, ...]:
    """The dense labels of N faces.

    Returns:
        ``landmarks_478`` and ``landmarks_478_raw`` (N, 478, 3), ``landmarks_478_status``, ``landmarks_478_attempt``,
        ``landmarks_478_error`` and ``landmarks_478_left_out_error`` (N,), ``landmarks_478_visibility`` (N, 478),
        ``head_pose`` and ``openings`` (N, 3), ``blendshapes`` (N, 52), ``face_transform`` (N, 4, 4).
    """
    return (
        _points(
            "landmarks_478",
            "MediaPipe's face mesh with irises, pulled to the exact points or fitted to them; NaN without a face",
        ),
        _points("landmarks_478_raw", "the mesh as MediaPipe gave it, agreeing or not; NaN where it gave none"),
        _codes("landmarks_478_status", MeshStatus, "how landmarks_478 came about"),
        _codes("landmarks_478_attempt", Attempt, "how the image was shown when landmarks_478_raw was found"),
        _numbers(
            "landmarks_478_error",
            (),
            (),
            long_name="mean distance of landmarks_478_raw to landmarks_70 over the 54 shared points",
            **_SHARE,
        ),
        _numbers(
            "landmarks_478_left_out_error",
            (),
            (),
            long_name="the same after correction, at points that the correction was not shown",
            **_SHARE,
        ),
        _codes(
            "landmarks_478_visibility",
            PointState,
            "whether each point of landmarks_478 can be seen, or what covers it",
            (MESH_POINTS,),
            ("mesh_point",),
        ),
        _numbers(
            "head_pose",
            (3,),
            ("angle",),
            long_name="yaw to the image's right, pitch upwards, roll clockwise in the image, from landmarks_70",
            units="degree",
        ),
        _numbers(
            "openings",
            (3,),
            ("opening",),
            long_name="height over width of the subject's right eye, left eye and the gap between the lips",
            units="1",
        ),
        _numbers(
            "blendshapes",
            (BLENDSHAPES,),
            ("blendshape",),
            long_name="MediaPipe's blendshape scores in its order; NaN with the backend facemesh",
            units="1",
        ),
        _numbers(
            "face_transform",
            (4, 4),
            ("row", "column"),
            long_name="from MediaPipe's canonical face to its camera; NaN with the backend facemesh",
            units="cm",
        ),
    )


def _points(name: str, long_name: str) -> ArrayLayout:
    return ArrayLayout(
        name,
        "float32",
        (MESH_POINTS, 3),
        ("image", "mesh_point", "xyz"),
        fill_value=-np.inf,
        attributes={"long_name": long_name, **_DEPTH, **POINT_UNITS},
    )


def _numbers(name: str, row_shape: tuple[int, ...], dimensions: tuple[str, ...], **attributes) -> ArrayLayout:
    return ArrayLayout(
        name,
        "float32",
        row_shape,
        ("image", *dimensions),
        fill_value=-np.inf,
        attributes={**attributes, "missing": "NaN"},
        chunk_per_row=False,
    )


def _codes(
    name: str, codes, long_name: str, row_shape: tuple[int, ...] = (), dimensions: tuple[str, ...] = ()
) -> ArrayLayout:
    return ArrayLayout(
        name,
        "uint8",
        row_shape,
        ("image", *dimensions),
        fill_value=UNUSED_CODE,
        attributes={"long_name": long_name, **describe_codes(codes)},
        chunk_per_row=False,
    )


def faces_layout(pixels: int) -> tuple[ArrayLayout, ...]:
    """The arrays of ``faces.zarr``: what does not depend on a variant.

    Args:
        pixels: height and width of the images.

    Returns:
        ``image_id`` (N, 32), ``status`` (N,), ``segmentation`` (N, H, W), ``landmarks_70`` (N, 70, 2),
        and the dense labels of :func:`tfake.store.layouts.dense_label_layout`.
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


def import_layout(pixels: int) -> tuple[ArrayLayout, ...]:
    """What ``thermal.zarr`` holds: ``thermal`` (N, H, W), and ``landmarks_478`` (N, 478, 3), the published points."""
    labels = {array.name: array for array in faces_layout(pixels)}
    return (*thermal_layout(pixels), labels["landmarks_478"])
