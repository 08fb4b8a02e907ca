"""Temperature by class, gathered shard by shard so that no later step reads the images again."""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from tfake.core.classes import LABELLED_CLASSES
from tfake.core.radiometry import KELVIN_PER_COUNT, ZERO_CELSIUS_KELVIN

_CLASSES = len(LABELLED_CLASSES)
#: Counts are summed as distances from 20 °C, so that the squares of billions of pixels fit into 64 bits.
_ORIGIN = 29315


class CountStatistics:
    """Statistics by class of one image after the other, exact whatever the images' order and grouping.

    Sums of integers do not depend on their order. They are taken from a histogram of (class, count), which is several
    times faster than looking at each pixel's temperature.
    """

    def __init__(self) -> None:
        """Start without a pixel."""
        self._sums = np.zeros((3, _CLASSES), np.int64)

    @staticmethod
    def sums_of(counts: np.ndarray, classes: np.ndarray) -> np.ndarray:
        """Sums over one image, for :meth:`add`; may be called from any thread.

        Args:
            counts: uint16 array of any shape: temperatures, 0.01 K a count.
            classes: uint8 class ids of the same shape.

        Returns:
            (3, 19) int64: pixels, sum and sum of squares of the counts' distance from 20 °C, by class.
        """
        lowest = int(counts.min())
        span = int(counts.max()) - lowest + 1
        # One slot more than there are classes collects IGNORE and is dropped.
        places = np.minimum(classes, _CLASSES).astype(np.uint32)
        places *= span
        places += counts
        places -= lowest
        histogram = np.bincount(places.ravel(), minlength=(_CLASSES + 1) * span)
        histogram = histogram.reshape(-1, span)[:_CLASSES].astype(np.int64)
        values = np.arange(lowest, lowest + span, dtype=np.int64) - _ORIGIN
        return np.stack([histogram.sum(1), histogram @ values, histogram @ values**2])

    def add(self, sums: np.ndarray) -> None:
        """Add an image's sums."""
        self._sums += sums

    def as_mapping(self) -> dict[str, dict[str, float]]:
        """The statistics, in the form of :func:`class_statistics`."""
        found = {}
        for face_class in LABELLED_CLASSES:
            pixels, total, squares = (int(row[face_class]) for row in self._sums)
            if pixels:
                mean = (total / pixels + _ORIGIN) * KELVIN_PER_COUNT - ZERO_CELSIUS_KELVIN
                variance = (squares * pixels - total**2) / pixels**2
                found[face_class.name.lower()] = {
                    "pixels": pixels,
                    "mean": round(mean, 6),
                    "sd": round(math.sqrt(variance) * KELVIN_PER_COUNT, 6),
                }
        return found


def class_statistics(celsius: np.ndarray, classes: np.ndarray) -> dict[str, dict[str, float]]:
    """Mean and standard deviation of the temperature in each class.

    Args:
        celsius: float array of any shape, degrees Celsius; NaN pixels are left out.
        classes: uint8 class ids of the same shape.

    Returns:
        Class name (lower case) to ``pixels``, ``mean`` (°C) and ``sd`` (K); classes without a pixel are left out.
    """
    seen = np.isfinite(celsius)
    ids = classes[seen].astype(np.intp)
    values = celsius[seen].astype(np.float64)
    bins = max(256, len(LABELLED_CLASSES))
    pixels = np.bincount(ids, minlength=bins)
    sums = np.bincount(ids, values, minlength=bins)
    means = sums / np.maximum(pixels, 1)
    squares = np.bincount(ids, (values - means[ids]) ** 2, minlength=bins)
    return {
        face_class.name.lower(): {
            "pixels": int(pixels[face_class]),
            "mean": round(float(means[face_class]), 6),
            "sd": round(math.sqrt(squares[face_class] / pixels[face_class]), 6),
        }
        for face_class in LABELLED_CLASSES
        if pixels[face_class]
    }


def merge_statistics(parts: Iterable[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, float]]:
    """Pool statistics of disjoint sets of pixels (Chan, Golub, LeVeque 1979, eq. 2.1).

    Args:
        parts: results of :func:`class_statistics`.

    Returns:
        The statistics of all pixels together, in the same form.
    """
    merged: dict[str, dict[str, float]] = {}
    for part in parts:
        for name, new in part.items():
            old = merged.get(name, {"pixels": 0, "mean": 0.0, "sd": 0.0})
            pixels = old["pixels"] + new["pixels"]
            shift = new["mean"] - old["mean"]
            squares = old["pixels"] * old["sd"] ** 2 + new["pixels"] * new["sd"] ** 2
            squares += shift**2 * old["pixels"] * new["pixels"] / pixels
            merged[name] = {
                "pixels": pixels,
                "mean": old["mean"] + shift * new["pixels"] / pixels,
                "sd": math.sqrt(squares / pixels),
            }
    return merged
