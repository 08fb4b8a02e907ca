"""Keys of distillation: a visible-light teacher for thermal networks, those for small ones, and what is compared."""

from typing import Annotated, Literal

from annotated_types import Ge

from tfake.config.keys import Count, Name, Natural, Section, Text, Unique, key, optional_key

#: Names of the terms, as :data:`tfake.landmarks.distillation_terms.TERMS` has them.
Term = Literal["fd", "ld", "fi", "ri"]
Weight = Annotated[float, Ge(0)]


class Teacher(Section):
    """The teacher, which learns from RGB alone; what is not said here is as for `landmarks`."""

    backbone: Text = key("resnet18", "Name of a timm model.")
    image_pixels: int = key(128, "Edge of its crops.", ge=32, multiple_of=32)


class Student(Section):
    """A small network; what is not said here is as for `landmarks`."""

    backbone: Text = key(..., "Name of a timm model.")
    image_pixels: int = optional_key("Edge of its crops; without it as for landmarks.", ge=32, multiple_of=32)
    neck_channels: int = optional_key("Width of its neck; without it as for landmarks.", unit="channels", ge=1)


class DistillationArm(Section):
    """A way to teach."""

    terms: Unique[Term] = key(
        ...,
        "What is taught. fd: the teacher's features; ld: its answers; fi: its features, to the student's head; ri: the "
        "student's features, through its head. None is plain training.",
    )
    decay: Literal["linear", "none"] = optional_key(
        "How the weight of all terms fades over the run: linear, to 0, or not at all; linear without it."
    )
    head_share: float = optional_key(
        "Fraction of the steps, the last ones, in which the student's head learns alone, from the truth alone; 0 "
        "without it.",
        ge=0,
        lt=1,
    )


class Distillation(Section):
    """What an RGB network knows, taught to thermal ones, `snakemake distillation`, by pairs of the stores' images."""

    points: Literal[70, 478, 548] = key(70, "How many points all networks find.")
    steps: Count | None = key(None, "Optimiser steps of every network; null are those of landmarks.")
    teacher: Teacher
    students: dict[Name, Student] = key(..., "Small networks, by name.")
    weights: dict[Term, Weight] = key(
        ..., "Weight of each term against the likelihood of the truth, where an arm has it."
    )
    arms: dict[Name, DistillationArm] = key(
        ..., "What is compared, by name; the first is what the others are compared with.", min_length=1
    )
    student_arm: Name = key("dikd", "The arm by which small students are taught, and their thermal teacher was.")
    gradient_every: int = key(
        100,
        "Steps between two measurements of what each term pulls with; each costs some steps. 0 measures none.",
        ge=0,
    )
    seeds: Unique[Natural] = key([0, 1, 2], "Each network but the teacher is trained once per seed.", min_length=1)
