"""Keys of the study of few labels."""

from typing import Annotated, Literal

from annotated_types import Gt, Le, MinLen

from tfake.config.keys import Count, Name, Natural, Section, Text, Unique, key

Share = Annotated[float, Gt(0), Le(1)]


class LabelEfficiency(Section):
    """How many labels a beginning saves, `snakemake label_efficiency`; the networks are those of `landmarks`."""

    task: Literal["thermal_70", "joint_70"] = key("thermal_70", "The landmark network that is trained.")
    methods: dict[Name, Text] = key(
        ...,
        "What networks begin with, by name: random, or anything that landmarks.initial_weights takes. The first is "
        "what the others are compared with.",
        min_length=1,
    )
    fractions: Unique[Share] = key(
        [0.01, 0.05, 0.1, 0.2, 1.0], "Fractions of the training faces that are labelled; 1 is always among them."
    )
    counts: Unique[Count] = key([10, 50], "Numbers of faces that are labelled.")
    draws: int = key(3, "How often labelled people are drawn; sets of one draw are nested.", ge=1)
    seeds: Annotated[Unique[Natural], MinLen(1)] = key([0], "Each network is trained once per seed and draw.")
    modes: Annotated[Unique[Literal["full", "frozen"]], MinLen(1)] = key(
        ["full"], "What learns: full is all of the network, frozen what stands on the backbone alone."
    )
    budgets: Annotated[Unique[Literal["equal", "tuned"]], MinLen(1)] = key(
        ["equal"],
        "How long: equal is the same steps for all; tuned goes on at a constant rate, four times as long at most, and "
        "keeps the weights of the best validation, whose faces are labelled, too.",
    )
    steps: int = key(300, "Optimiser steps of equal.", ge=4)
    learning_rate: float = key(4e-3, "Peak of the learning rate.", gt=0)
    failure_above: float = key(
        0.1, "Error over sqrt(w h) of the box above which a face counts as failed.", unit="fraction", gt=0
    )
    sets: Unique[Name] = key(
        [], "Annotated sets of evaluation.sets that networks are scored on, too, given the faces' boxes."
    )
