"""Keys of the variants, which are the products, and of the cameras that record them."""

from typing import Annotated, Literal

from annotated_types import Ge
from pydantic import ConfigDict

from tfake.config.keys import Celsius, Fraction, Name, Natural, Pair, Positive, Range, Section, Text, optional_key
from tfake.config.models_heat import HeatChanges

Frame = Pair[Annotated[int, Ge(16)]]


class Variant(Section):
    """A product: made by the temperature model, thermalized, recorded by a camera, or published by others."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [
                {
                    "required": ["ambient_celsius"],
                    "not": {"anyOf": [{"required": [name]} for name in ("condition", "of", "files")]},
                },
                {"required": ["condition", "ambient_celsius"], "not": {"required": ["files"]}},
                {"required": ["of", "camera"]},
                {"required": ["files", "points", "license", "condition", "ambient_celsius"]},
            ]
        }
    )

    kind: Literal["modelled", "thermalized", "recorded", "imported"] = optional_key(
        "How it is made; not stated, its keys tell."
    )
    condition: Name = optional_key("The condition whose thermalizer makes this variant, or that published images show.")
    ambient_celsius: Celsius | None = optional_key(
        "Temperature of the room; null is the condition's, which must then be one number."
    )
    heat: HeatChanges = optional_key("What differs for this variant from the section heat.")
    of: Name = optional_key(
        "The variant that a camera records; its thermal images are taken, nothing is thermalized again."
    )
    camera: Name = optional_key("The camera that records it, one of cameras.")
    files: Text = optional_key(
        "A folder or zip of thermal images that others published, {id}_thermal.png for 20 to 40 °C."
    )
    points: Text | None = optional_key(
        "Their dense points, a pickle as T-FAKE publishes it; null takes this workflow's."
    )
    license: Text = optional_key("Terms of the published images, recorded beside the source's.")
    images: Pair[Natural] = optional_key(
        "First row and stop (exclusive) of a slice, whole shards; every row without it.", unit="rows"
    )


class CompleteCamera(Section):
    """A camera with all of its settings."""

    native_pixels: Frame = optional_key("Width and height of the detector.")
    output_pixels: Frame | None = optional_key("Width and height of the stored image; null is the detector's.")
    face_pixels: Range[Positive] | None = optional_key(
        "Least and greatest size of the face on the detector, sqrt(w h) of the 70 points' box, every distance between "
        "equally likely; null shows the whole source picture."
    )
    face_position: Literal["centre", "anywhere"] = optional_key("Where the face is in the frame.")
    background: Literal["ambient", "indoor"] = optional_key("What is behind the person.")
    background_kelvin: float = optional_key(
        "Standard deviation of the indoor scene around the room's temperature.", ge=0, le=100
    )
    blur_pixels: float = optional_key(
        "Standard deviation of the optics' Gaussian point spread, in detector pixels.", ge=0, le=100
    )
    netd_kelvin: float = optional_key("Standard deviation of the temporal noise.", ge=0, le=100)
    pixel_pattern_kelvin: float = optional_key(
        "Standard deviation of the fixed pattern from pixel to pixel.", ge=0, le=100
    )
    row_pattern_kelvin: float = optional_key("Standard deviation of the fixed pattern from row to row.", ge=0, le=100)
    column_pattern_kelvin: float = optional_key(
        "Standard deviation of the fixed pattern from column to column.", ge=0, le=100
    )
    gain_drift: Fraction = optional_key(
        "Standard deviation of the gain's relative error from image to image, about the room's temperature.",
        unit="fraction",
    )
    offset_drift_kelvin: float = optional_key("Standard deviation of the offset from image to image.", ge=0, le=100)
    dead_share: float = optional_key("Fraction of the detector's pixels that do not answer to the scene.", ge=0, le=0.5)
    dead_pixels: Literal["replaced", "stuck"] = optional_key(
        "Whether those are replaced by their neighbours' mean or show a value of their own."
    )
    values: Literal["radiometric", "agc_minmax", "agc_percentile", "agc_plateau"] = optional_key(
        "Temperatures (0.01 K per count), or 8-bit grey values after an automatic gain control."
    )
    agc_clip_percent: float = optional_key("Pixels that agc_percentile saturates at either end.", ge=0, lt=50)
    agc_plateau_percent: float = optional_key(
        "Pixels that one count of 0.01 K may weigh in agc_plateau at most.", gt=0, le=100
    )
    seed: Natural = optional_key("Seed of every random choice of the camera; another is another camera of the make.")


class Camera(CompleteCamera):
    """A camera, complete or as changes to a preset."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["preset"]}, {"required": list(CompleteCamera.model_fields)}]}
    )

    preset: Name = optional_key("A complete camera whose settings hold where this one has none.")
