"""The arrays of ``faces.zarr`` that hold dense labels and their quality."""

import numpy as np

from tfake.codes import BLENDSHAPES, MESH_POINTS, Attempt, MeshStatus, PointState
from tfake.store.array_layout import UNUSED_CODE, ArrayLayout, describe_codes

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
