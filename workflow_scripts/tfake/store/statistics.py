"""Temperature by class, gathered shard by shard so that no later step reads the images again."""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from tfake.classes import LABELLED_CLASSES


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
