"""Mean temperature by class of a variant, beside the prior its thermalizer was pulled to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tfake.classes import LABELLED_CLASSES, FaceClass
from tfake.report.distributions import Distribution, Measured
from tfake.report.words import words_of


@dataclass(frozen=True)
class ClassTemperature:
    """One class of one variant."""

    face_class: FaceClass
    label: str
    pixels: int
    share: float  # of all pixels
    prior: float  # °C
    mean: float  # °C
    sd: float  # K, over all pixels of all images

    @property
    def difference(self) -> float:
        """How much warmer than the prior, in K."""
        return self.mean - self.prior


@dataclass(frozen=True)
class VariantTemperatures:
    """One variant: what it should be, what it is, and its error where the truth is known."""

    variant: str
    ambient_celsius: float
    classes: tuple[ClassTemperature, ...]
    errors: tuple[dict, ...]  # rows of evaluation.csv; empty without a truth
    distributions: Mapping[FaceClass, Distribution]  # over sampled faces
    measured: Mapping[FaceClass, Measured]  # by CHARLOTTE in such a room; empty outside its rooms


def prior_pull(config: Mapping[str, Any]) -> float | None:
    """How far the prior takes a class from the temperature that its pairs show to its own.

    Both terms weigh a class by its area, (T - pairs)^2 and w (T - prior)^2 / d^2, so that the least sum lies at a share
    w / (w + d^2) of the way; here for d = 1 K.

    Args:
        config: the effective configuration.

    Returns:
        The share; None where no condition has pairs whose temperatures are taken as they are.
    """
    pairs = [settings["pairs"] for name, settings in config["conditions"].items() if name not in config["thermalizers"]]
    if not any(pair["values"] == "celsius" and pair["supervision"] == "absolute" for pair in pairs):
        return None
    weight = config["thermalizer"]["weight_prior"]
    return weight / (1 + weight)


def class_temperatures(
    statistics: Mapping[str, Mapping[str, float]], prior: np.ndarray
) -> tuple[ClassTemperature, ...]:
    """Join a summary's statistics with the prior.

    Args:
        statistics: class name (lower case) to ``pixels``, ``mean`` (°C) and ``sd`` (K).
        prior: (19,) degrees Celsius; entry i is class i.

    Returns:
        The classes that occur, in the order of their ids.
    """
    total = sum(entry["pixels"] for entry in statistics.values())
    return tuple(
        ClassTemperature(
            face_class=face_class,
            label=words_of(face_class),
            pixels=entry["pixels"],
            share=entry["pixels"] / total,
            prior=float(prior[face_class]),
            mean=entry["mean"],
            sd=entry["sd"],
        )
        for face_class in LABELLED_CLASSES
        if (entry := statistics.get(face_class.name.lower()))
    )


def read_errors(path: str | None) -> tuple[dict, ...]:
    """Read a variant's ``evaluation.csv`` as rows, class names in words; nothing without a path."""
    if path is None:
        return ()
    table = pd.read_csv(path)
    table["class"] = table["class"].str.replace("_", " ")
    return tuple(table.to_dict("records"))
