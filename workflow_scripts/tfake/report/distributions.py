"""How temperatures spread in each class, over samples of a variant, and what CHARLOTTE measured in such a room."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from tfake.classes import LABELLED_CLASSES, FaceClass
from tfake.report.variant_images import VariantImages
from tfake.thermalizer.foreground import fill_glasses
from tfake.thermalizer.prior_table import load_prior

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
    """The pixels of one class in the sampled images of one variant.

    Attributes:
        edges: (B + 1,) °C.
        share: (B,) of the class's pixels.
        low, median, high: 5th, 50th and 95th percentile in °C, to a bin.
        faces: images in which the class occurs.
    """

    edges: np.ndarray
    share: np.ndarray
    low: float
    median: float
    high: float
    faces: int


@dataclass(frozen=True)
class Measured:
    """What CHARLOTTE's people had on average: °C, and the standard deviation between them in K."""

    mean: float
    sd: float


def measure_distributions(variant: VariantImages, rows: Sequence[int]) -> dict[FaceClass, Distribution]:
    """Gather the temperatures of each class.

    Args:
        variant: a radiometric one.
        rows: the images to look at; rows without an image add nothing.

    Returns:
        The classes that occur, in the order of their ids. What a lens covers counts as glasses.
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
    """CHARLOTTE's class means at a room temperature, from its lines of temperature against ambient.

    Args:
        ambient_celsius: the room.

    Returns:
        The classes that its regions stand for; nothing for rooms it was not recorded in.
    """
    coldest, warmest = _MEASURED_ROOMS_CELSIUS
    if not coldest <= ambient_celsius <= warmest:
        return {}
    prior = load_prior("charlotte").at(ambient_celsius)
    return {c: Measured(float(prior.celsius[c]), float(prior.deviation_kelvin[c])) for c in _MEASURED}


def _describe(edges: np.ndarray, pixels: np.ndarray, faces: int) -> Distribution:
    share = pixels / pixels.sum()
    places = np.searchsorted(np.cumsum(share), (0.05, 0.5, 0.95))
    low, median, high = ((edges[:-1] + edges[1:]) / 2)[np.minimum(places, len(share) - 1)].tolist()
    return Distribution(edges, share, low, median, high, faces)
