"""Temperatures by class, against the prior and what CHARLOTTE measured, and the losses of training; as drawings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from tqdm import tqdm

from tfake.core.classes import LABELLED_CLASSES, FaceClass
from tfake.imaging.foreground import fill_glasses
from tfake.pages.charts import ACCENT, INK, SECOND, Drawing, draw, series_style
from tfake.pages.page_images import class_colour
from tfake.pages.wording import words_of
from tfake.products.report.image_sources import VariantImages
from tfake.thermalizer.prior_table import load_prior
from tfake.thermalizer.thermalizer_kinds import all_column_labels

#: Faces whose pixels are looked at: enough for a shape, however large the dataset.
SAMPLED_FACES = 200
_BIN_KELVIN = 0.1
_RANGE_CELSIUS = (-20.0, 60.0)
#: The classes that CHARLOTTE's regions stand for in the table ``charlotte`` (skin: forehead, cheek and chin).
_MEASURED = (
    FaceClass.SKIN,
    FaceClass.NOSE,
    FaceClass.RIGHT_EYE,
    FaceClass.LEFT_EYE,
    FaceClass.TOP_LIP,
    FaceClass.BOTTOM_LIP,
)
#: The rooms that CHARLOTTE was recorded in.
_MEASURED_ROOMS_CELSIUS = (19.0, 29.0)


@dataclass(frozen=True)
class Distribution:
    """The pixels of one class in the sampled images of one variant."""

    edges: np.ndarray  # (B + 1,) °C
    fractions: np.ndarray  # (B,) of the class's pixels
    low: float  # 5th percentile in °C, to a bin
    median: float
    high: float  # 95th percentile
    faces: int  # images in which the class occurs


@dataclass(frozen=True)
class Measured:
    """What CHARLOTTE's people had on average: °C, and the standard deviation between them in K."""

    mean: float
    sd: float


def measure_distributions(variant: VariantImages, rows: Sequence[int]) -> dict[FaceClass, Distribution]:
    """Gather the temperatures of each class that occurs in some images of a radiometric variant, in the order of ids.

    What a lens covers counts as glasses; rows without an image add nothing.
    """
    low, high = _RANGE_CELSIUS
    bins = round((high - low) / _BIN_KELVIN)
    pixels = np.zeros((len(LABELLED_CLASSES), bins), dtype=np.int64)
    faces = np.zeros(len(LABELLED_CLASSES), dtype=np.int64)
    for row in tqdm(rows, f"measure temperatures of {variant.name}"):
        celsius, classes = variant.values(row), fill_glasses(variant.segmentation[row])
        known = np.isfinite(celsius) & (classes < len(LABELLED_CLASSES))
        # A nudge of a hundredth of a bin: stored values lie on the edges, and rounding must not scatter them.
        place = np.clip((celsius[known] - low) / _BIN_KELVIN + 0.01, 0, bins - 1).astype(np.int64)
        found = np.bincount(classes[known].astype(np.int64) * bins + place, minlength=pixels.size)
        found = found.reshape(pixels.shape)
        pixels += found
        faces += found.any(axis=1)
    edges = low + _BIN_KELVIN * np.arange(bins + 1)
    return {c: _describe(edges, pixels[c], int(faces[c])) for c in LABELLED_CLASSES if pixels[c].any()}


def measured_by_charlotte(ambient_celsius: float) -> Mapping[FaceClass, Measured]:
    """CHARLOTTE's class means in a room, from its lines of temperature against ambient; none beyond its own rooms."""
    coldest, warmest = _MEASURED_ROOMS_CELSIUS
    if not coldest <= ambient_celsius <= warmest:
        return {}
    prior = load_prior("charlotte").at(ambient_celsius)
    return {c: Measured(float(prior.celsius[c]), float(prior.std_kelvin[c])) for c in _MEASURED}


def _describe(edges: np.ndarray, pixels: np.ndarray, faces: int) -> Distribution:
    fractions = pixels / pixels.sum()
    places = np.searchsorted(np.cumsum(fractions), (0.05, 0.5, 0.95))
    low, median, high = ((edges[:-1] + edges[1:]) / 2)[np.minimum(places, len(fractions) - 1)].tolist()
    return Distribution(edges, fractions, low, median, high, faces)


@dataclass(frozen=True)
class ClassTemperature:
    """One class of one variant."""

    face_class: FaceClass
    label: str
    pixels: int
    fraction: float  # of all pixels
    prior: float | None  # °C; None where nothing pulled it
    mean: float  # °C
    sd: float  # K, over all pixels of all images

    @property
    def difference(self) -> float | None:
        """How much warmer than the prior, in K."""
        return None if self.prior is None else self.mean - self.prior


@dataclass(frozen=True)
class VariantTemperatures:
    """One variant: what it should be, what it is, and its error where the truth is known."""

    variant: str
    ambient_celsius: float
    classes: tuple[ClassTemperature, ...]
    errors: tuple[dict, ...]  # rows of evaluation.csv; empty without a truth
    distributions: Mapping[FaceClass, Distribution]  # over sampled faces
    measured: Mapping[FaceClass, Measured]  # by CHARLOTTE in such a room; empty outside its rooms

    @property
    def has_prior(self) -> bool:
        """Whether a prior pulled its classes."""
        return any(entry.prior is not None for entry in self.classes)


def prior_pull(config: Mapping[str, Any]) -> float | None:
    """How far the prior takes a class from the temperature that its pairs show to its own, 0 to 1.

    Both terms weigh a class by its area, (T - pairs)^2 and w (T - prior)^2 / d^2, so that the least sum lies at the
    fraction w / (w + d^2) of the way; here for d = 1 K. Skin that is held to a heat field is not.

    Args:
        config: the effective configuration.

    Returns:
        The fraction; None where no condition has pairs whose temperatures are taken as they are, and class means that
        hold its skin.
    """
    with_field = config["thermalizer"].get("heat_field", False)
    pairs = [
        settings["pairs"]
        for name, settings in config["conditions"].items()
        if name not in config["thermalizers"]
        # What a diffusion draws is no compromise between the two.
        and settings.get("kind", "unet") == "unet"
        and not (with_field and settings["prior"]["per_pixel"])
    ]
    if not any(pair["values"] == "celsius" and pair["supervision"] == "absolute" for pair in pairs):
        return None
    weight = config["thermalizer"]["weight_prior"]
    return weight / (1 + weight)


def class_temperatures(
    statistics: Mapping[str, Mapping[str, float]], prior: np.ndarray | None
) -> tuple[ClassTemperature, ...]:
    """Join a summary's statistics with the prior, for the classes that occur, in the order of their ids.

    Args:
        statistics: class name (lower case) to ``pixels``, ``mean`` (°C) and ``sd`` (K).
        prior: (19,) degrees Celsius; entry i is class i. None for a variant that no prior pulled.
    """
    total = sum(entry["pixels"] for entry in statistics.values())
    return tuple(
        ClassTemperature(
            face_class=face_class,
            label=words_of(face_class),
            pixels=entry["pixels"],
            fraction=entry["pixels"] / total,
            prior=None if prior is None else float(prior[face_class]),
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


# In lines: half a shape's height, and how far below it CHARLOTTE's marks lie. Bins below a fraction are not drawn.
_HALF_HEIGHT, _BESIDE, _INVISIBLE = 0.33, 0.38, 0.002


def draw_temperatures(variants: Sequence[VariantTemperatures]) -> Drawing:
    """Draw how temperatures spread in each class, against the prior and CHARLOTTE, one panel per variant.

    Args:
        variants: at least one; a class that occurs in none of them gets no line.

    Returns:
        The drawing, °C: shapes are the pixels of the sampled faces, ticks their median, dots the mean of all pixels,
        hollow diamonds the prior, squares with bars CHARLOTTE's mean and standard deviation between people.
    """
    present = {entry.face_class: entry.label for variant in variants for entry in variant.classes}
    order = sorted(present)
    labels = [present[face_class] for face_class in order]

    def panel(axes: Axes, variant: VariantTemperatures) -> None:
        for entry in variant.classes:
            place, colour = order.index(entry.face_class), class_colour(entry.face_class)
            if entry.face_class in variant.distributions:
                _draw_shape(axes, place, variant.distributions[entry.face_class], colour)
            axes.plot(entry.mean, place, "o", color=colour, markeredgecolor=INK, markersize=6, zorder=4)
            if entry.prior is not None:
                axes.plot(entry.prior, place, "D", color="none", markeredgecolor=ACCENT, markeredgewidth=1.8, zorder=5)
            if entry.face_class in variant.measured:
                found = variant.measured[entry.face_class]
                ends = [found.mean - found.sd, found.mean + found.sd]
                axes.plot(ends, [place + _BESIDE] * 2, color=SECOND, linewidth=1.6, zorder=4)
                axes.plot(found.mean, place + _BESIDE, "s", color=SECOND, markersize=4.5, zorder=5)
        axes.axvline(variant.ambient_celsius, color=SECOND, linewidth=1, linestyle=(0, (4, 3)))
        axes.set_title(f"{variant.variant}: ambient {variant.ambient_celsius:g} °C")
        axes.set_xlabel("temperature (°C)")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)

    return draw("temperatures", panel, variants, panel_height=0.7 + 0.34 * len(labels), share_x=True)


def _draw_shape(axes: Axes, place: int, found: Distribution, colour: str) -> None:
    """The histogram of one class around its line, and its median; roots of the fractions, or no tail would show."""
    shown = np.flatnonzero(found.fractions > _INVISIBLE * found.fractions.max())
    # One empty bin at each end closes the shape where a class has but one temperature.
    chosen = slice(max(0, shown[0] - 1), shown[-1] + 2)
    middles = ((found.edges[:-1] + found.edges[1:]) / 2)[chosen]
    half = _HALF_HEIGHT * np.sqrt(found.fractions[chosen] / found.fractions.max())
    axes.fill_between(middles, place - half, place + half, color=colour, edgecolor=INK, linewidth=0.4, zorder=3)
    axes.plot([found.median] * 2, [place - _HALF_HEIGHT, place + _HALF_HEIGHT], color=INK, linewidth=1.2, zorder=4)


def draw_losses(losses: Mapping[str, pd.DataFrame]) -> Drawing:
    """Loss curves, one panel a term, one colour a condition; the thick line is a running mean.

    Args:
        losses: condition to its ``losses.csv``: ``step``, the terms in K^2, not weighted, and the validation error in
            K at the steps where it was measured.

    Returns:
        The drawing; a term that is positive throughout has a logarithmic axis.
    """
    labels = {**all_column_labels(), "validation": "error on held-out pairs"}
    terms = [term for term in labels if any(term in table and table[term].any() for table in losses.values())]

    def panel(axes: Axes, term: str) -> None:
        for number, (condition, table) in enumerate(losses.items()):
            style = series_style(number)
            if term not in table:
                continue
            if term == "validation":
                measured = table[table[term].notna()]
                axes.plot(measured["step"], measured[term], marker="o", markersize=4, label=condition, **style)
                continue
            window = max(1, len(table) // 25)
            running = table[term].rolling(window, center=True, min_periods=1).mean()
            axes.plot(table["step"], table[term], color=style["color"], linewidth=0.6, alpha=0.35)
            axes.plot(table["step"], running, linewidth=1.8, label=condition, **style)
        positive = all((table[term].dropna() > 0).all() for table in losses.values() if term in table)
        if positive:
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_title(labels[term])
        axes.set_xlabel("step")
        axes.set_ylabel("K" if term == "validation" else "K²")
        axes.legend(frameon=False)

    return draw("losses", panel, terms, panel_height=2.6)
