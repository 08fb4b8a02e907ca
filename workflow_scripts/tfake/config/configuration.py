"""The whole configuration: its sections, in the order in which ``config.yaml`` has them."""

from typing import Annotated, Literal

from annotated_types import Len

from tfake.config.keys import Name, Section, Text, key
from tfake.config.models_classification import FaceClassification
from tfake.config.models_detector import DetectorTraining
from tfake.config.models_diffusion import Diffusion
from tfake.config.models_diffusion_thermalizer import DiffusionTraining
from tfake.config.models_distillation import Distillation
from tfake.config.models_heat import Heat
from tfake.config.models_label_efficiency import LabelEfficiency
from tfake.config.models_pretraining import Pretraining
from tfake.config.models_products import Forecast, Publication, Report, Store
from tfake.config.models_retargeting import Retargeting
from tfake.config.models_sequences import Sequences, SequenceTasks
from tfake.config.models_source import Labels, Procedural, Source
from tfake.config.models_studies import (
    Ablation,
    Adapters,
    Evaluation,
    LandmarkSpeed,
    LandmarkStudy,
    LandmarkTraining,
    Realism,
)
from tfake.config.models_thermalizers import Condition, ReleasedWeights, ThermalizerTraining
from tfake.config.models_variants import Camera, Variant


class Configuration(Section):
    """Configuration of the thermal face workflow. A misspelt key is refused at every level, before any job."""

    source: Source
    procedural: Procedural
    conditions: dict[Name, Condition] = key(..., "What a thermalizer is trained for, by name.", min_length=1)
    thermalizers: dict[Name, ReleasedWeights] = key(..., "Weights to take instead of training, by condition.")
    thermalizer: ThermalizerTraining
    diffusion_thermalizer: DiffusionTraining
    heat: Heat
    variants: dict[Name, Variant] = key(
        ...,
        "Products by name; each is a folder of results/variants. {ambient_celsius}: made by the temperature model "
        "alone, without any training; {condition, ambient_celsius}: made by a thermalizer; {of, camera}: recorded from "
        "another variant; {files, points, license, condition, ambient_celsius}: published by others. heat changes, for "
        "one variant, keys of heat; images is a slice of any.",
        min_length=1,
    )
    cameras: dict[Name, Camera] = key(
        ..., "Cameras by name, complete or as changes to a preset: {preset: one of these, and the keys that differ}."
    )
    ablation: Ablation
    landmarks: LandmarkTraining
    detector: DetectorTraining
    pretraining: Pretraining
    landmark_study: LandmarkStudy
    distillation: Distillation
    landmark_speed: LandmarkSpeed
    label_efficiency: LabelEfficiency
    labels: Labels
    compare: Annotated[list[Text], Len(2, 2)] | None = key(
        None, "Two datasets for `snakemake compare`, folders of results or published ones.", neutral=True
    )
    diffusion: Diffusion
    adapters: Adapters
    evaluation: Evaluation
    realism: Realism
    sequences: Sequences
    face_classification: FaceClassification
    retargeting: Retargeting
    sequence_tasks: SequenceTasks
    store: Store
    report: Report
    publication: Publication
    forecast: Forecast
    device: Literal["auto", "cpu", "cuda"] = key(
        "auto", "Where networks run: auto takes a GPU if torch sees one.", neutral=True
    )
    inference_precision: Literal["auto", "float32", "bfloat16"] = key(
        "auto",
        "Number format of the thermalizers' bodies when they make variants; auto is bfloat16 where the device computes "
        "in it.",
    )
