"""What the two stores hold: one :class:`ArrayLayout` an array, axis 0 shared by all.

Every array is laid out so that one shard job writes exactly one file of it. A store leaves out a file that holds only
its fill value, and then Snakemake would miss an output; so no fill value here can fill a whole shard: ``NEVER_WRITTEN``
counts, minus infinity for labels (missing labels are NaN), and codes above the legal ones.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tfake.classes import LABELLED_CLASSES, FaceClass
from tfake.labels.status import MeshStatus
from tfake.radiometry import KELVIN_PER_COUNT, NEVER_WRITTEN, NO_IMAGE, ZERO_CELSIUS_KELVIN
from tfake.sources.index import IMAGE_ID_BYTES
from tfake.sources.samples import LANDMARKS, SampleStatus

MESH_POINTS = 478
_UNUSED_CODE = 254


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

    def shard_file(self, shard: int) -> str:
        """The path, relative to the store, of the one file that holds shard number ``shard`` of this array."""
        return "/".join([self.name, "c", str(shard), *("0" for _ in self.row_shape)])


def faces_layout(pixels: int) -> tuple[ArrayLayout, ...]:
    """The arrays of ``faces.zarr``: what does not depend on a variant.

    Args:
        pixels: height and width of the images.

    Returns:
        ``image_id`` (N, 32), ``status`` (N,), ``segmentation`` (N, H, W), ``landmarks_70`` (N, 70, 2),
        ``landmarks_478`` (N, 478, 3), ``landmarks_478_status`` (N,).
    """
    points = {"units": "pixel", "coordinates": "pixel centres at integers, origin at the upper left pixel"}
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
            fill_value=_UNUSED_CODE,
            attributes={"long_name": "state of the source sample", **_flags(SampleStatus)},
            chunk_per_row=False,
        ),
        ArrayLayout(
            "segmentation",
            "uint8",
            (pixels, pixels),
            ("image", "y", "x"),
            fill_value=_UNUSED_CODE,
            attributes={
                "long_name": "FaceSynthetics class",
                **_flags((*LABELLED_CLASSES, FaceClass.IGNORE)),
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
                **points,
            },
        ),
        ArrayLayout(
            "landmarks_478",
            "float32",
            (MESH_POINTS, 3),
            ("image", "mesh_point", "xyz"),
            fill_value=-np.inf,
            attributes={
                "long_name": "MediaPipe FaceMesh points with irises; NaN where no face was found",
                "z": "relative depth on the scale of x, smaller is nearer the camera",
                **points,
            },
        ),
        ArrayLayout(
            "landmarks_478_status",
            "uint8",
            (),
            ("image",),
            fill_value=_UNUSED_CODE,
            attributes={"long_name": "how landmarks_478 came about", **_flags(MeshStatus)},
            chunk_per_row=False,
        ),
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


def _flags(codes) -> dict[str, Any]:
    """CF-style description of an integer code (CF Conventions 3.5)."""
    return {
        "flag_values": [int(code) for code in codes],
        "flag_meanings": " ".join(code.name.lower() for code in codes),
    }
