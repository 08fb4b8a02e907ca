"""Keys of what everything is made from: the source's images, the procedural people, and the dense landmarks."""

import re
from typing import Annotated, Literal, Self

from annotated_types import MinLen
from pydantic import model_validator

from tfake.config.keys import Fraction, Section, Sha256, Text, conflict, key


class Source(Section):
    """The RGB faces with labels."""

    archive: Text | Annotated[list[Text], MinLen(1)] | None = key(
        None,
        "One FaceSynthetics zip, or all its raw split parts in order, as paths or URLs; or a published release by "
        "name: dataset_100, dataset_1000, dataset_100000 or dataset_100000_parts. null renders procedural faces.",
    )
    download: Literal["whole", "first_samples"] = key(
        "whole",
        "What is fetched of a release or of URLs: whole files, or the first samples, read out of the remote archive "
        "without the rest of it.",
    )
    accept_license: bool = key(
        False,
        "Whether you have read the terms of what is downloaded and agree to them; nothing is downloaded before.",
        neutral=True,
    )
    images: int = key(96, "How many samples to take, in order of their ids.", unit="images", ge=1)
    image_pixels: int = key(
        512,
        "Height and width that every image of the source has; a multiple of 32, the networks' stride.",
        ge=64,
        multiple_of=32,
    )
    license: Text = key(
        "CC0-1.0", "Terms of the source, written into every store made from it; R-UDA-1.0 for FaceSynthetics."
    )

    @model_validator(mode="after")
    def _release_has_the_images(self) -> Self:
        release = re.fullmatch(r"dataset_(\d+)(_parts)?", str(self.archive))
        if release and self.images > int(release[1]):
            raise conflict(f"{release[0]} has {int(release[1])}", "images")
        return self


class Procedural(Section):
    """The procedural source; only read where source.archive or a condition's pairs are null."""

    seed: int = key(1, "Seed; every face is drawn from (seed, id).", ge=0)
    lab_pairs: int = key(48, "Training pairs (RGB, temperature) of the lab set, per condition.", unit="images", ge=1)


class LandmarkerModel(Section):
    """The model of the backend face_landmarker."""

    path: Text | None = key(None, "A local model file; null fetches it.")
    url: str = key(
        "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/face_landmarker.task",
        "Where the model is fetched from.",
        neutral=True,
        pattern="^https://",
    )
    sha256: Sha256 = key(
        "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff", "SHA-256 that the fetched model must have."
    )


class Labels(Section):
    """The 478 dense landmarks and their quality."""

    backend: Literal["facemesh", "face_landmarker"] = key(
        "facemesh",
        "facemesh (mediapipe 0.10.21, models in its wheel) or face_landmarker (mediapipe 1.x, with blendshapes and a "
        "pose).",
    )
    face_landmarker: LandmarkerModel
    min_detection_confidence: Fraction = key(0.5, "Threshold of the face detector.", unit="probability")
    min_presence_confidence: Fraction = key(
        0.5, "How sure the network must be that what it is shown is a face.", unit="probability"
    )
    retry_above: float = key(
        0.04,
        "Error against the exact points, over sqrt(w h) of their box, above which another attempt is made.",
        unit="fraction",
        ge=0,
    )
    reject_above: float = key(
        0.06, "Error above which a mesh is not taken for this face's; not below retry_above.", unit="fraction", gt=0
    )
    fit_missing: bool = key(
        True,
        "Whether a mean face fitted to the exact points stands in where no mesh agrees with them (status fitted); "
        "otherwise the row has no dense points.",
    )

    @model_validator(mode="after")
    def _thresholds_rise(self) -> Self:
        if self.reject_above < self.retry_above:
            raise conflict(f"expected at least labels.retry_above, {self.retry_above}", "reject_above")
        return self
