"""Keys of the study of classes of faces."""

from typing import Annotated, Literal, Self

from annotated_types import Gt, Le, Lt, MinLen
from pydantic import model_validator

from tfake.config.keys import Name, Natural, Section, Text, Unique, conflict, key, with_default
from tfake.config.models_thermalizers import ThermalValues, Training
from tfake.core.ethics_note import ETHICS_NOTE

Attribute = Literal["expression", "apparent_sex"]
Regime = Literal["synthetic", "hybrid", "real"]
#: Names of the test sets and of the baselines that every study has: nothing else is called so.
OWN_SETS, BASELINES = ("other_people", "other_camera"), ("majority", "landmark_motion")
_Share = Annotated[float, Gt(0), Lt(1)]


class Classifier(Section):
    """A network that classifies clips."""

    backbone: Text = key(..., "Name of a timm model, which begins at random.")
    temporal: Literal["mean", "gru"] = key(
        ..., "What becomes of the frames' features: their mean, or the last state of a recurrent layer."
    )


class ExpressionClassification(Section):
    """Which expression a sequence shows."""

    classifiers: Annotated[dict[Name, Classifier], MinLen(1)] = key(..., "The networks, by name.")
    frames: int = key(8, "Frames of a clip, one of each of so many equal parts of the sequence.", unit="frames", ge=1)


class LabelledSet(Section):
    """A real set with an attribute of its people."""

    kind: Literal["table", "tufts", "carl", "sf_tl54", "charlotte"] = key(
        ..., "Which set it is, and so how it is laid out and where to ask for it; table is anybody's."
    )
    path: Text = key(..., "Its folder or zip.")
    labels: Text = key(
        ...,
        "A CSV of your own: subject, label (male or female) and, for table and carl, path.",
    )
    values: ThermalValues = key(..., "What its images of more than 8 bits hold, as for pairs.")


class SexClassification(Section):
    """Which sex a face was drawn as, as published; made only where the ethics note is accepted."""

    classifiers: Annotated[dict[Name, Classifier], MinLen(1)] = key(..., "The networks, by name.")
    regimes: Annotated[Unique[Regime], MinLen(1)] = key(
        ["synthetic"], "What networks learn from: sequences, labelled sets, or both."
    )
    sets: dict[Name, LabelledSet] = key(..., "Labelled sets, by name.")
    real_share: _Share = key(0.5, "Fraction of a hybrid batch that is real.")

    @model_validator(mode="after")
    def _sets_for_regimes(self) -> Self:
        if not self.sets and set(self.regimes) - {"synthetic"}:
            raise conflict("expected synthetic alone where sets are empty", "regimes")
        return self


class FaceClassification(Training):
    """Classes of faces in sequences, `snakemake face_classification`: expressions; apparent sex where asked for."""

    steps: int = with_default(Training, "steps", 300)
    learning_rate: float = with_default(Training, "learning_rate", 2e-3)
    weight_decay: float = with_default(Training, "weight_decay", 5e-3)
    clip_norm: float = with_default(Training, "clip_norm", 5.0)
    validate_every: int = with_default(Training, "validate_every", 30)
    patience: int = with_default(Training, "patience", 10)
    attributes: Annotated[Unique[Attribute], MinLen(1)] = key(["expression"], "What is classified.")
    accept_ethics_note: bool = key(
        False,
        "Whether you have read and accept the ethics note of docs/classification.md; apparent_sex is refused without.",
        neutral=True,
    )
    expression: ExpressionClassification
    apparent_sex: SexClassification
    repeats: int = key(1, "How often each network is trained, from seed, seed + 1 and so on.", unit="trainings", ge=1)
    validation_share: _Share = key(0.25, "Fraction of the people who choose the weights.")
    test_share: _Share = key(0.25, "Fraction of the people who are tested.")
    split_seed: Natural = key(4, "Seed of the division of people.")
    elsewhere: dict[Name, Text] = key(
        ...,
        "Folders of results of other runs, whose sequences of other people, in another room, say, are tested on.",
    )
    batch: int = key(8, "Clips per step.", unit="clips", ge=2)
    image_pixels: int = key(64, "Edge of a frame.", ge=32, multiple_of=32)
    crop_scale: Annotated[float, Gt(0), Le(4)] = key(1.4, "Edge of a crop over the longer side of the face's box.")
    thermal_strength: float = key(0.5, "How much crops are varied; 0 not at all, 1 as T-FAKE's training did.", ge=0)
    thermal_stretch: bool = key(
        True, "Whether each frame's contrast is stretched to the face; else 20 to 40 °C are black and white."
    )
    bootstrap_draws: int = key(2000, "How often people are drawn for the intervals.", unit="draws", ge=100)

    @model_validator(mode="after")
    def _can_be_run(self) -> Self:
        if "apparent_sex" in self.attributes and not self.accept_ethics_note:
            raise conflict("expected true where attributes name apparent_sex; " + ETHICS_NOTE, "accept_ethics_note")
        if self.validation_share + self.test_share >= 1:
            raise conflict("expected people left to learn from: less than 1 with validation_share", "test_share")
        if self.patience == 0 or self.validate_every == 0:
            raise conflict("expected more than 0: validation people choose the weights", "patience")
        for name in self.elsewhere:
            if name in (*OWN_SETS, *self.apparent_sex.sets):
                raise conflict(f"expected another name than {name!r}, which another test set has", "elsewhere")
        for section, about in (("expression", self.expression), ("apparent_sex", self.apparent_sex)):
            if taken := about.classifiers.keys() & {*BASELINES}:
                raise conflict(f"expected classifiers of another name than the baseline {min(taken)!r}", section)
        if taken := self.apparent_sex.sets.keys() & {*OWN_SETS}:
            raise conflict(f"expected sets of another name than the test set {min(taken)!r}", "apparent_sex")
        return self
