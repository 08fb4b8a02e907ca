"""Pixels of two variants, image by image: found by id, so that the datasets need not have the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfake.codes import decode_ids
from tfake.comparison.datasets import Dataset
from tfake.radiometry import decode_counts
from tfake.store.opening import open_store


@dataclass(frozen=True)
class PixelDifference:
    """A variant's images in two datasets.

    Attributes:
        variant: ``variants/NAME``.
        images: how many were compared.
        equal: how many of them are equal in every pixel.
        bias: mean of second minus first, K or grey values.
        mean_absolute: mean of the absolute difference.
        largest: the largest absolute difference.
        reason: why nothing was compared; empty otherwise.
    """

    variant: str
    images: int = 0
    equal: int = 0
    bias: float = 0.0
    mean_absolute: float = 0.0
    largest: float = 0.0
    reason: str = ""


def compare_pixels(first: Dataset, second: Dataset, images: int) -> tuple[PixelDifference, ...]:
    """Compare the variants that both have.

    Args:
        first: a dataset with its faces store.
        second: likewise.
        images: how many to read, spread evenly over those that both have.

    Returns:
        One entry a variant.

    Raises:
        FileNotFoundError: a dataset has no faces store, which names the rows.
    """
    rows = _shared_rows(first, second, images)
    shared = [name for name in first.stores if name.startswith("variants/") and name in second.stores]
    return tuple(_compare(name, first.stores[name].path, second.stores[name].path, rows) for name in shared)


def _shared_rows(first: Dataset, second: Dataset, images: int) -> list[tuple[int, int]]:
    places: list[Mapping[str, int]] = []
    for dataset in (first, second):
        if "faces" not in dataset.stores:
            raise FileNotFoundError(f"{dataset.folder}: no sealed faces store; pixels are compared by its ids")
        ids = decode_ids(open_store(dataset.stores["faces"].path)["image_id"][:])
        places.append({image_id: row for row, image_id in enumerate(ids)})
    shared = [(row, places[1][image_id]) for image_id, row in places[0].items() if image_id in places[1]]
    chosen = np.unique(np.rint(np.linspace(0, len(shared) - 1, min(images, len(shared)))).astype(int))
    return [shared[place] for place in chosen]


def _compare(variant: str, first: Path, second: Path, rows: Sequence[tuple[int, int]]) -> PixelDifference:
    arrays = [open_store(path)["thermal"] for path in (first, second)]
    kinds = [f"{array.shape[2]}x{array.shape[1]} {array.dtype}" for array in arrays]
    if kinds[0] != kinds[1]:
        return PixelDifference(variant, reason=f"{kinds[0]} against {kinds[1]}")
    radiometric = arrays[0].dtype == np.uint16
    total = absolute = largest = 0.0
    pixels = equal = 0
    for places in rows:
        images = [array[row] for array, row in zip(arrays, places, strict=True)]
        equal += np.array_equal(*images)
        values = [decode_counts(image) if radiometric else image.astype(np.float32) for image in images]
        difference = (values[1] - values[0]).astype(np.float64)
        difference = difference[np.isfinite(difference)]
        pixels += difference.size
        total += difference.sum()
        absolute += np.abs(difference).sum()
        largest = max(largest, np.abs(difference).max(initial=0.0))
    scale = max(pixels, 1)
    return PixelDifference(variant, len(rows), equal, total / scale, absolute / scale, largest)
