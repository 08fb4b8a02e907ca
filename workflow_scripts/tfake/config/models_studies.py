"""Keys of the studies: the ablation, landmark networks, label adapters, landmarks against annotations, and realism."""

import re
from typing import Annotated, Literal, Self

from annotated_types import MinLen
from pydantic import AfterValidator, StringConstraints, model_validator

from tfake.config.keys import (
    Celsius,
    Count,
    Name,
    Natural,
    Positive,
    Range,
    Section,
    Text,
    Unique,
    conflict,
    key,
    optional_key,
    with_default,
)
from tfake.config.models_thermalizers import Offsets, Supervision, ThermalValues, Training

Names = Annotated[Unique[Name], MinLen(1)]
_SETS = "face70|ibug68|mesh478|sf_tl54|charlotte73|charlotte43|tfw5|aflw19"
Adapter = Annotated[str, StringConstraints(pattern=f"^({_SETS})_to_({_SETS})$")]


class Arm(Section):
    """What an arm of the ablation changes."""

    weight_wasserstein: float = key(..., "Weight of the patch Wasserstein term.", ge=0)
    weight_prior: float = key(..., "Weight of the temperature prior.", ge=0)
    supervision: Supervision = key(..., "What the pairs are trusted for, as conditions.*.pairs.supervision.")
    prior_offsets_kelvin: Offsets = key(..., "Class name to what makes the arm's prior wrong.")
    every_room: bool = key(..., "Whether one thermalizer is trained for the rooms of all conditions.")


class RealFaces(Section):
    """Real faces without a truth, scored against the prior alone."""

    archive: Annotated[list[Text], MinLen(1)] | None = key(
        None, "A FaceSynthetics archive that no arm is trained on; null leaves these scores out."
    )
    images: int = key(60, "How many of its samples are scored.", unit="images", ge=1)


class Ablation(Section):
    """The study of the loss's terms, `snakemake ablation`; its pairs and faces are procedural."""

    conditions: Names | None = key(
        None, "Which conditions are scored, null all; those trained for several rooms are left out."
    )
    pairs_ambient_celsius: Celsius = key(23.0, "Room that the study's pairs are recorded in.")
    bank_images: int = key(48, "Thermal images of each condition's room, without partners.", ge=1)
    heldout_images: int = key(
        48, "Faces with known truth that arms are scored on; their people are in no other set.", ge=1
    )
    seeds: Unique[Natural] = key([0, 1, 2], "Each arm is trained once per seed.", min_length=1)
    arms: dict[Name, Arm] = key(
        ..., "What is compared, by name; the first is what the others are compared with.", min_length=1
    )
    lwir_faces: Text | None = key(
        None, "Folder or zip of real long-wave infrared faces, 8 bit; null leaves the patch distance out."
    )
    real: RealFaces
    cost_steps: int = key(60, "Steps over which a training step's cost is measured against a naive one.", ge=1)


class RealPictures(Section):
    """A folder of real thermal pictures that a landmark network learns from, with points that FaceMesh is sure of."""

    path: Text = key(..., "A folder or zip of thermal pictures, of any format that is read.")
    values: ThermalValues = key(..., "What they hold, as for pairs; relative for 8-bit pictures.")
    partners: Literal["stems", "tfake", "speakingfaces", "folders"] | None = optional_key(
        "How they and their registered visible partners are named, as for pairs; without it there are none. FaceMesh "
        "is asked about the partner then."
    )
    boxes: Text | None = optional_key(
        "A JSON of picture to [[left, top, right, bottom], ...] of its faces; without it they are looked for."
    )
    subjects: Text | None = optional_key(
        "A regular expression whose first group is who is on a picture, by its name; without it what partners tell, or "
        "each file is one of its own."
    )


class OtherRun(Section):
    """A folder of results of another run of this workflow, whose faces a landmark network learns from, too."""

    results: Text = key(..., "The folder `results` of that run.")
    archive: Annotated[list[Text], MinLen(1)] = key(
        ..., "Its source: one zip, or all its raw split parts in order; results/source/faces.zip of a procedural one."
    )
    variants: Names = key(..., "Which of its thermal variants.")


class LandmarkTraining(Training):
    """How landmark networks are trained, `snakemake landmarks`. The defaults take minutes on two cores."""

    steps: int = with_default(Training, "steps", 3000)
    learning_rate: float = with_default(Training, "learning_rate", 4e-3)
    weight_decay: float = with_default(Training, "weight_decay", 5e-5)
    clip_norm: float = with_default(Training, "clip_norm", 1.0)
    validate_every: int = with_default(Training, "validate_every", 500)
    variants: Names | None = key(
        None,
        "Thermal variants to learn from, null all that are thermalized or modelled; they share the source's geometry.",
    )
    backbone: str = key("regnetx_002", "Name of a timm model.")
    pretrained: bool = key(False, "Whether timm's ImageNet weights are fetched for it.")
    initial_weights: Text | None = key(
        None,
        "Weights that trainings begin with, of the same backbone and head: one of pretraining.pretexts; package, the "
        "landmarker of the library; or a file of an encoder, of a landmark network (results/landmarks/*/weights.pt), "
        "or of a landmarker as it is shipped. null begins at random.",
    )
    head: Literal["heatmap", "pooled"] = key(
        "heatmap", "How points are read off the backbone's features; pooled is T-FAKE's."
    )
    neck_channels: int = key(
        64,
        "Width of what joins the backbone's scales, of the head heatmap; small backbones need less.",
        unit="channels",
        ge=1,
    )
    image_pixels: int = key(64, "Edge of the crops.", ge=32, multiple_of=32)
    crop_scale: Range[Positive] = key(
        [1.0, 1.9], "Least and largest edge of a crop over the longer side of the face's box."
    )
    shift: float = key(
        0.05, "Standard deviation of a crop's centre from the face's, over the crop's edge.", unit="fraction", ge=0
    )
    rotation_degrees: float = key(20.0, "Largest rotation of a crop, either way.", ge=0)
    shear_degrees: float = key(4.0, "Largest shear of a crop, either way.", ge=0)
    batch: int = key(48, "Crops per step.", unit="images", ge=1)
    texture_share: float = key(0.1, "Fraction of the crops that are textures without a face.", ge=0, lt=1)
    thermal_share: float = key(0.5, "Fraction of the face crops that are thermal.", ge=0, le=1)
    background_share: float = key(0.3, "Fraction of the face crops whose background is a texture.", ge=0, le=1)
    photometric_strength: float = key(
        0.4, "How much colours and light of RGB crops are varied; 0 not at all, 1 as T-FAKE's training did.", ge=0
    )
    thermal_strength: float = key(
        0.6, "How much thermal crops are varied; 0 not at all, 1 as T-FAKE's training did.", ge=0
    )
    others: dict[Name, OtherRun] = key(
        ...,
        "Other runs of this workflow to learn from beside this one's faces, by name, such as one on FaceSynthetics "
        "beside procedural people; what is validated and calibrated on are this one's.",
    )
    others_share: float = key(0.33, "Fraction of the face crops that are those runs', where there are any.", ge=0, lt=1)
    real: dict[Name, RealPictures] = key(
        ..., "Folders of real thermal pictures to learn from beside the stores, by name; they need no annotations."
    )
    real_share: float = key(
        0.25, "Fraction of the face crops that are cut out of real pictures, where there are any.", ge=0, lt=1
    )
    real_validation_share: float = key(
        0.2, "Fraction of each folder's subjects that are held out, for an error on real faces.", ge=0, lt=1
    )
    teacher_disagreement: float = key(
        0.03,
        "Distance between FaceMesh's points on a picture and on its mirror image, over sqrt(w h) of their box, above "
        "which they are not believed.",
        unit="fraction",
        gt=0,
    )
    teacher_least_pixels: float = key(
        16.0, "Size, sqrt(w h) of the points' box, below which a real face is left out.", gt=0
    )
    real_world_strength: float = key(
        1.0,
        "How often thermal crops have what real pictures have and rendered ones lack (lamps, hands, scarves, warm "
        "walls, blur, faces of 12 to 30 pixels, saturation, digits), and how often any crop is rolled to 45 degrees or "
        "cuts the face; 0 never.",
        ge=0,
    )
    thermal_stretch: bool = key(
        True,
        "Whether the contrast of thermal crops is stretched between percentiles of the face, in training and ever "
        "after; the weights file says so.",
    )
    thermal_mirror: bool = key(
        True, "Whether answers on thermal crops are averaged with those on their mirror images; the file says so."
    )
    sigma_factor: float = key(
        1.0,
        "Factor on the standard deviations of the packed landmarker: how much larger errors are on cameras that "
        "nothing was learnt from than on the validation faces that they were calibrated on.",
        gt=0,
    )
    covered_weight: float = key(0.0, "Weight of occluded dense points, against 1 of others.", ge=0, le=1)
    nll_beta: float = key(
        0.5,
        "Power of the standard deviation that each point's likelihood is weighted by; 0 is the Gaussian likelihood.",
        ge=0,
        le=1,
    )

    @model_validator(mode="after")
    def _begins_once(self) -> Self:
        if self.pretrained and self.initial_weights is not None:
            raise conflict("expected null where pretrained weights are fetched", "initial_weights")
        return self


class LandmarkStudy(Section):
    """What joint training is worth, `snakemake landmark_study`; its faces are procedural."""

    tasks: Unique[Literal["joint_70", "rgb_70", "thermal_70", "joint_478", "rgb_478", "thermal_478"]] = key(
        ["joint_70", "rgb_70", "thermal_70", "joint_478"],
        "Networks to compare: the images that each learns from, and its number of points.",
        min_length=1,
    )
    people: int = key(64, "Procedural faces of other people that they are scored on.", ge=2)
    ambient_celsius: Celsius = key(23.0, "Room of those people.")
    pictures: dict[Name, str] = key(
        ..., "Folders of real pictures without labels, by name, which each network searches for a face."
    )


class SpeedNetwork(Section):
    """A landmark network that is measured untrained."""

    backbone: Text = key(..., "Name of a timm model.")
    head: Literal["heatmap", "pooled"] = key("heatmap", "As landmarks.head.")
    neck_channels: int = key(64, "As landmarks.neck_channels.", unit="channels", ge=1)
    image_pixels: int = key(96, "Edge of the crops.", ge=32, multiple_of=32)
    points: Literal[70, 478, 548] = key(70, "Number of points.")


class LandmarkSpeed(Section):
    """What landmark networks weigh and how fast they are on this machine, `snakemake landmark_speed`."""

    networks: dict[Name, SpeedNetwork] = key(..., "Networks that are measured untrained, by name.")
    weights: dict[Name, Text] = key(
        ...,
        "Files of trained landmark networks that are measured, too, by name; package is the landmarker that comes with "
        "the library.",
    )
    calibration: Text | None = key(
        None,
        "Thermal pictures of faces, or a folder of results, that 8-bit arithmetic of trained networks is calibrated on "
        "and held to; null takes textures, and says nothing of how far points move.",
    )
    threads: Unique[Count] = key([1, 2], "Numbers of threads that compute, as far as there are cores.", min_length=1)
    batches: Unique[Count] = key([1, 32], "Numbers of crops at once.", unit="images", min_length=1)
    seconds: float = key(2.0, "How long each way is measured, at least.", unit="s", gt=0)
    search_pixels: int = key(512, "Edge of the image that is searched with trained networks.", ge=64)


class Adapters(Section):
    """Label adapters, networks from one landmark set to another, for `snakemake landmark_evaluation`."""

    train: Unique[Adapter] = key(
        [
            "face70_to_ibug68",
            "face70_to_sf_tl54",
            "face70_to_charlotte73",
            "face70_to_charlotte43",
            "face70_to_mesh478",
            "mesh478_to_face70",
            "mesh478_to_ibug68",
            "ibug68_to_face70",
            "ibug68_to_mesh478",
            "sf_tl54_to_face70",
            "charlotte73_to_face70",
            "charlotte43_to_face70",
        ],
        f"Which are trained, SOURCE_to_TARGET, out of {', '.join(_SETS.split('|'))}.",
    )
    width: int = key(256, "Width of the four inner layers.", unit="channels", ge=1)
    steps: int = key(800, "Optimiser steps.", ge=2)
    batch: int = key(256, "Faces per step.", unit="faces", ge=1)
    learning_rate: float = key(2e-3, "Peak of AdamW's learning rate.", gt=0)
    weight_decay: float = key(1e-2, "AdamW's weight decay.", ge=0)
    jitter: float = key(
        0.01, "Noise on the given points, over the face's root mean square radius.", unit="fraction", ge=0
    )
    validation_share: float = key(0.2, "Fraction of the faces that errors are measured on.", gt=0, lt=1)
    seed: int = key(0, "Seed of every random choice of the training.", ge=0)


class EvaluationSet(Section):
    """A test set."""

    kind: Literal["charlotte", "aachen", "sf_tl54", "tfw", "point_files", "variant_70", "variant_478"] = key(
        ..., "How the set is laid out; variant_70 and variant_478 are the workflow's own."
    )
    path: Text | None = key(
        ...,
        "Its folder or zip, or the variant's name; null where it is not there (the page says where to ask for it), or "
        "the first variant.",
    )
    values: ThermalValues = optional_key("What its images of more than 8 bits hold, as for pairs; celsius without it.")


class Evaluation(Section):
    """Landmarks against annotations, `snakemake landmark_evaluation`."""

    sets: dict[Name, EvaluationSet] = key(..., "Test sets by name.")
    landmarkers: dict[Name, Text] = key(
        ...,
        "Landmark networks to compare, name to weights: this workflow's, trained where they are missing, or TFAN's "
        "released state dicts.",
    )
    facemesh: bool = key(True, "Whether MediaPipe's FaceMesh is compared.")
    adapt: bool = key(True, "Whether label adapters are fitted on one half of a set's subjects for the other.")
    most_images: Count | None = key(None, "Images per set at most, spread evenly; null takes all.")
    smallest_share: float = key(
        0.2, "Edge of the smallest windows searched, over the image's shorter edge.", gt=0, le=1
    )
    least_overlap: float = key(
        0.5,
        "Intersection over union of found and annotated box from which a face counts as found.",
        unit="fraction",
        gt=0,
        le=1,
    )
    failure_above: float = key(
        0.1, "Error over sqrt(w h) of the box above which a face counts as failed.", unit="fraction", gt=0
    )
    high_above_pixels: Positive | None = key(
        None, "Face size, sqrt(w h), above which a face counts as High; null takes the set's median."
    )


def _finds_a_person(pattern: str) -> str:
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise conflict(f"expected a regular expression: {error}") from error
    if groups != 1:
        raise conflict(f"expected a regular expression with one group in parentheses, the person; found {groups}")
    return pattern


class RealSet(Section):
    """A folder of real thermal faces."""

    path: Text = key(..., "The folder; folders in it are looked through.")
    values: ThermalValues = key(..., "What its images hold, as for pairs; relative for pictures of 8 bits.")
    points: Text | None = key(
        None,
        "JSON file of each image's name to its 478 points [x, y] in pixels; null looks for them with FaceMesh, and "
        "leaves out the images in which it finds none.",
    )
    background: float | None = key(
        None, "The value as stored of pixels that show nothing; null where every pixel shows something."
    )
    subject_pattern: Annotated[str, AfterValidator(_finds_a_person)] | None = key(
        None,
        "Regular expression whose group is the person in an image's name, such as ^(S[0-9]+)_; null where every image "
        "shows somebody else.",
    )


class Realism(Section):
    """Thermal variants judged by real thermal images, `snakemake realism`."""

    variants: Names | None = key(
        None, "Variants that are judged, null all that share the source's geometry; a camera's do not."
    )
    real: dict[Name, RealSet] = key(..., "Folders of real faces, by name.")
    reference: Text | None = key(
        None,
        "A folder of published synthetic images, {id}_thermal.png for 20 to 40 °C, judged beside the variants; null "
        "leaves them out.",
    )
    tstr: bool = key(
        True,
        "Whether the network joint_70 is trained on each variant alone and scored on the test sets of evaluation.sets "
        "that are there.",
    )
    most_faces: int = key(400, "Images of a set at most, spread evenly.", unit="images", ge=1)
    seed: int = key(0, "Seed of halves, folds and noise.", ge=0)
