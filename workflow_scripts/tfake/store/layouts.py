"""What the stores hold and say of themselves: one :class:`ArrayLayout` an array, axis 0 (image) shared by all.

Every array is laid out so that one shard job writes exactly one file of it. A store leaves out a file that holds only
its fill value, and then Snakemake would miss an output; so no fill value here can fill a whole shard: ``NEVER_WRITTEN``
counts, minus infinity for labels (missing labels are NaN), and codes above the legal ones.

Attributes tell where a store comes from, but never the time or the place of a run: stores are compared by bytes.
Planning a run imports this module where numpy is not installed.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, Literal

import tfake
from tfake.core.classes import LABELLED_CLASSES, FaceClass
from tfake.core.codes import (
    BLENDSHAPES,
    BODY_TEMPERATURES,
    EXPRESSION_PARAMETERS,
    IMAGE_ID_BYTES,
    LANDMARKS,
    MESH_POINTS,
    ApparentSex,
    Attempt,
    BodyState,
    ExpressionClass,
    MeshStatus,
    PointState,
    RetargetStatus,
    SampleStatus,
    ThermalOrigin,
)
from tfake.core.radiometry import KELVIN_PER_COUNT, NEVER_WRITTEN, NO_IMAGE, ZERO_CELSIUS_KELVIN


def store_attributes(title: str, license: str, source_sha256: str, **more) -> dict:
    """Attributes of a store's root.

    Args:
        title: what the store holds, for a reader.
        license: terms of the data.
        source_sha256: identity of the source samples (:func:`tfake.archive.index.build_index`).
        **more: further JSON values.
    """
    return {
        "Conventions": "CF-1.11",
        "title": title,
        "license": license,
        "source_sha256": source_sha256,
        "history": f"made by tfake-workflow {tfake.__version__}",
        **more,
    }


#: Fill value of arrays of codes: no row ever holds it.
UNUSED_CODE = 254
#: Fill value of grey values: no image of a camera with gain control is this throughout (:mod:`tfake.camera.recording`).
_NEVER_GREY = 255
_POINT_UNITS = {"units": "pixel", "coordinates": "pixel centres at integers, origin at the upper left pixel"}
_NORMALISED_ERROR: dict[str, Any] = {"units": "1", "normaliser": "sqrt(width * height) of the box around landmarks_70"}


@dataclass(frozen=True)
class ArrayLayout:
    """One array of a store: rows along axis 0; ``axes`` are those of a row, name to length."""

    name: str
    dtype: str
    axes: dict[str, int]
    fill_value: float
    attributes: dict[str, Any] = field(default_factory=dict)
    #: True: one chunk a row, gathered in one shard file. False: the shard's rows are one chunk, the file itself.
    chunk_per_row: bool = True
    #: Blosc's inner codec: ``zstd`` for what is kept for long, ``lz4`` for what is read more often than it is stored.
    codec: Literal["zstd", "lz4"] = "zstd"

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of a row."""
        return tuple(self.axes.values())

    @property
    def dimensions(self) -> tuple[str, ...]:
        """The names of all axes, that of the rows first."""
        return ("image", *self.axes)

    def shard_file(self, shard: int | str) -> str:
        """The path, relative to the store, of the one file that holds shard number ``shard`` of this array."""
        return "/".join([self.name, "c", str(shard), *("0" for _ in self.axes)])


def faces_layout(pixels: int) -> tuple[ArrayLayout, ...]:
    """The arrays of ``faces.zarr``: what does not depend on a variant.

    Args:
        pixels: height and width of the images.

    Returns:
        ``image_id`` (N, 32), ``status`` (N,), ``segmentation`` (N, H, W), ``landmarks_70`` (N, 70, 2);
        ``landmarks_478`` and ``landmarks_478_raw`` (N, 478, 3), ``landmarks_478_status``, ``landmarks_478_attempt``,
        ``landmarks_478_error`` and ``landmarks_478_left_out_error`` (N,), ``landmarks_478_visibility`` (N, 478),
        ``head_pose`` and ``openings`` (N, 3), ``blendshapes`` (N, 52), ``face_transform`` (N, 4, 4).
    """
    return (
        ArrayLayout(
            "image_id",
            "uint8",
            {"byte": IMAGE_ID_BYTES},
            fill_value=255,
            attributes={"long_name": "id in the source archive", "encoding": "ASCII, padded with NUL"},
            chunk_per_row=False,
        ),
        _codes("status", SampleStatus, "state of the source sample"),
        _segmentation(pixels, pixels),
        _landmarks_70(),
        _landmarks_478(),
        _mesh("landmarks_478_raw", "the mesh as MediaPipe gave it, agreeing or not; NaN where it gave none"),
        _codes("landmarks_478_status", MeshStatus, "how landmarks_478 came about"),
        _codes("landmarks_478_attempt", Attempt, "how the image was shown when landmarks_478_raw was found"),
        _numbers(
            "landmarks_478_error",
            long_name="mean distance of landmarks_478_raw to landmarks_70 over the 54 shared points",
            **_NORMALISED_ERROR,
        ),
        _numbers(
            "landmarks_478_left_out_error",
            long_name="the same after correction, at points that the correction was not shown",
            **_NORMALISED_ERROR,
        ),
        _codes(
            "landmarks_478_visibility",
            PointState,
            "whether each point of landmarks_478 can be seen, or what covers it",
            mesh_point=MESH_POINTS,
        ),
        _numbers(
            "head_pose",
            {"angle": 3},
            long_name="yaw to the image's right, pitch upwards, roll clockwise in the image, from landmarks_70",
            units="degree",
        ),
        _numbers(
            "openings",
            {"opening": 3},
            long_name="height over width of the subject's right eye, left eye and the gap between the lips",
            units="1",
        ),
        _numbers(
            "blendshapes",
            {"blendshape": BLENDSHAPES},
            long_name="MediaPipe's blendshape scores in its order; NaN with the backend facemesh",
            units="1",
        ),
        _numbers(
            "face_transform",
            {"row": 4, "column": 4},
            long_name="from MediaPipe's canonical face to its camera; NaN with the backend facemesh",
            units="cm",
        ),
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
            {"y": pixels, "x": pixels, "channel": 3},
            fill_value=UNUSED_CODE,
            attributes={
                "long_name": "the source's image: red, green, blue",
                "color_space": "sRGB",
                "missing": "rows without a usable sample are 0 throughout",
            },
            codec="lz4",
        ),
        _segmentation(pixels, pixels),
    )


def thermal_layout(pixels: int, width: int | None = None) -> tuple[ArrayLayout, ...]:
    """The one array of a thermalized variant: ``thermal`` (N, H, W) uint16, 0.01 K a count.

    Args:
        pixels: height of the images.
        width: their width; None: the height.
    """
    return (
        ArrayLayout(
            "thermal",
            "uint16",
            {"y": pixels, "x": width or pixels},
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


def recorded_layout(height: int, width: int | None = None, values: str = "radiometric") -> tuple[ArrayLayout, ...]:
    """The arrays of a variant that a camera records.

    Args:
        height: of the images.
        width: of the images; None: the height.
        values: what the pixels mean (:class:`tfake.camera.camera_model.Values`).

    Returns:
        ``thermal`` (N, H, W), uint16 counts of 0.01 K or uint8 grey values; ``segmentation`` (N, H, W);
        ``landmarks_70`` (N, 70, 2); ``landmarks_478`` (N, 478, 3); ``source_to_image`` (N, 2, 3).
    """
    width = width or height
    return (
        *(thermal_layout(height, width) if values == "radiometric" else (_grey(height, width, values),)),
        _segmentation(height, width),
        _landmarks_70(),
        _landmarks_478(),
        ArrayLayout(
            "source_to_image",
            "float32",
            {"row": 2, "column": 3},
            fill_value=-math.inf,
            attributes={
                "long_name": "affine map from pixels of the source to pixels of thermal",
                "missing": "NaN",
                **_POINT_UNITS,
            },
            chunk_per_row=False,
        ),
    )


def imported_layout(pixels: int) -> tuple[ArrayLayout, ...]:
    """The arrays of a variant published by others: ``thermal`` (N, H, W), and its points, ``landmarks_478``."""
    return (*thermal_layout(pixels), _landmarks_478())


def sequences_layout(pixels: int) -> tuple[ArrayLayout, ...]:
    """The arrays of ``sequences.zarr``: one row a frame, one shard a sequence.

    Args:
        pixels: height and width of the images.

    Returns:
        ``thermal`` (N, H, W) uint16 as of :func:`thermal_layout`, ``rgb`` (N, H, W, 3), ``segmentation`` (N, H, W);
        ``landmarks_70`` (N, 70, 2), ``landmarks_478`` (N, 478, 3), ``landmarks_478_visibility`` (N, 478);
        ``sequence_id`` and ``subject_id`` (N, 32), ``look``, ``frame``, ``time``, ``expression``, ``intensity`` (N,),
        ``expression_parameters`` (N, 16), ``head_pose`` and ``head_position`` (N, 3), ``gaze`` (N, 2), ``state`` (N,),
        ``body_temperature`` (N, 8), ``apparent_sex`` (N,).
    """
    mesh = "MediaPipe's face mesh with irises, exact: vertices of the rendered head, iris centres and edges"
    in_order: dict[str, Any] = {"columns": list(EXPRESSION_PARAMETERS)}
    body: dict[str, Any] = {"columns": list(BODY_TEMPERATURES)}
    return (
        *thermal_layout(pixels),
        images_layout(pixels)[0],
        _segmentation(pixels, pixels),
        _landmarks_70(),
        _mesh("landmarks_478", mesh),
        _codes(
            "landmarks_478_visibility",
            PointState,
            "whether each point of landmarks_478 can be seen, or what covers it",
            mesh_point=MESH_POINTS,
        ),
        _ids("sequence_id", "the sequence that the frame belongs to"),
        _ids("subject_id", "who is seen, whatever they wear"),
        _whole("look", "number of what the person wears"),
        _whole("frame", "number of the frame in its sequence"),
        _numbers("time", long_name="time since the sequence's first frame", units="s"),
        _codes("expression", ExpressionClass, "the expression that comes and goes in the sequence"),
        _numbers("intensity", long_name="of the expression at this moment", units="1"),
        _numbers(
            "expression_parameters",
            {"parameter": len(EXPRESSION_PARAMETERS)},
            long_name="strength of each movement of the face, 1 is strong; the jaw in degrees",
            **in_order,
        ),
        _numbers(
            "head_pose",
            {"angle": 3},
            long_name="yaw to the image's right, pitch upwards, roll clockwise in the image, exact",
            units="degree",
        ),
        _numbers(
            "head_position",
            {"axis": 3},
            long_name="middle of the face from the camera: right, up, towards the camera",
            units="cm",
        ),
        _numbers("gaze", {"angle": 2}, long_name="of the eyes against the head: right, up", units="degree"),
        _codes("state", BodyState, "what the body does to the temperatures in the sequence"),
        _numbers(
            "body_temperature",
            {"quantity": len(BODY_TEMPERATURES)},
            long_name="what the body does to the temperatures at this moment, and its rates",
            **body,
        ),
        _codes(
            "apparent_sex",
            (ApparentSex.MALE, ApparentSex.FEMALE),
            "of the synthetic person's shape; not to be used on people",
        ),
    )


def retargeted_layout(pixels: int) -> tuple[ArrayLayout, ...]:
    """The arrays of ``sequences.zarr`` of stills that were set in motion.

    Args:
        pixels: height and width of the images.

    Returns:
        The arrays of :func:`sequences_layout`, of which ``gaze``, ``head_position`` and ``body_temperature`` hold
        nothing, and beside them ``status``, ``thermal_origin`` and ``folded_triangles`` (N,), ``image_id`` (N, 32).
    """
    other = {
        "landmarks_478": "the still's mesh, taken along by the map that its pixels are",
        "landmarks_70": "the still's points, taken along by the map that its pixels are",
        "expression_parameters": "change of each movement from the still; the jaw in degrees, lids in their open gap",
        "head_pose": "yaw to the image's right, pitch upwards, roll clockwise: the still's, and exact turns of it",
    }
    alike = (
        replace(
            array, attributes={**array.attributes, "long_name": other.get(array.name, array.attributes["long_name"])}
        )
        for array in sequences_layout(pixels)
        if array.name != "apparent_sex"
    )
    return (
        *alike,
        _codes("apparent_sex", (ApparentSex.UNKNOWN,), "nobody has drawn the person's shape"),
        _codes("status", RetargetStatus, "whether the frame shows what was asked for"),
        _codes("thermal_origin", ThermalOrigin, "what thermal is; what a network repainted is not radiometric"),
        _whole("folded_triangles", "triangles that the motion asked for would fold; the frame then shows another"),
        _ids("image_id", "id of the still in the source archive"),
    )


def describe_codes(codes: Iterable[IntEnum]) -> dict[str, Any]:
    """CF-style description of an integer code (CF Conventions 3.5)."""
    codes = list(codes)
    return {
        "flag_values": [int(code) for code in codes],
        "flag_meanings": " ".join(code.name.lower() for code in codes),
    }


def _segmentation(height: int, width: int) -> ArrayLayout:
    return ArrayLayout(
        "segmentation",
        "uint8",
        {"y": height, "x": width},
        fill_value=UNUSED_CODE,
        attributes={
            "long_name": "FaceSynthetics class",
            **describe_codes((*LABELLED_CLASSES, FaceClass.IGNORE)),
            "missing": "rows without a usable sample are IGNORE throughout",
        },
    )


def _landmarks_70() -> ArrayLayout:
    return ArrayLayout(
        "landmarks_70",
        "float32",
        {"point": LANDMARKS, "xy": 2},
        fill_value=-math.inf,
        attributes={
            "long_name": "exact points of the source: iBUG-68, then the pupils (image left, image right)",
            **_POINT_UNITS,
        },
    )


def _landmarks_478() -> ArrayLayout:
    text = "MediaPipe's face mesh with irises, pulled to the exact points or fitted to them; NaN without a face"
    return _mesh("landmarks_478", text)


def _mesh(name: str, long_name: str) -> ArrayLayout:
    depth = "relative depth on the scale of x, smaller is nearer the camera"
    attributes = {"long_name": long_name, "z": depth, **_POINT_UNITS}
    return ArrayLayout(name, "float32", {"mesh_point": MESH_POINTS, "xyz": 3}, -math.inf, attributes)


def _numbers(name: str, axes: dict[str, int] | None = None, **attributes: Any) -> ArrayLayout:
    missing = {"missing": "NaN"}
    return ArrayLayout(name, "float32", axes or {}, -math.inf, {**attributes, **missing}, chunk_per_row=False)


def _codes(name: str, codes: Iterable[IntEnum], long_name: str, **axes: int) -> ArrayLayout:
    attributes = {"long_name": long_name, **describe_codes(codes)}
    return ArrayLayout(name, "uint8", axes, UNUSED_CODE, attributes, chunk_per_row=False)


def _ids(name: str, long_name: str) -> ArrayLayout:
    attributes = {"long_name": long_name, "encoding": "ASCII, padded with NUL"}
    return ArrayLayout(name, "uint8", {"byte": IMAGE_ID_BYTES}, 255, attributes, chunk_per_row=False)


def _whole(name: str, long_name: str) -> ArrayLayout:
    return ArrayLayout(name, "int32", {}, -1, {"long_name": long_name}, chunk_per_row=False)


def _grey(height: int, width: int, values: str) -> ArrayLayout:
    return ArrayLayout(
        "thermal",
        "uint8",
        {"y": height, "x": width},
        fill_value=_NEVER_GREY,
        attributes={
            "long_name": "grey value of an 8-bit display after automatic gain control; not a temperature",
            "units": "1",
            "values": str(values),
            "missing": "rows without a usable sample are 0 throughout",
        },
    )
