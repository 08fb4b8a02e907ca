"""The data of a sequence beside the page: temperatures in a coarse grid, curves, and the 70 points.

The film shows painted colours, from which no temperature can be told. So each sequence has a cube of counts of 0.01 K,
every frame in at most ``MOST_CELLS`` x ``MOST_CELLS`` cells, each the mean of the pixels that it covers.
"""

from typing import Any

import cv2
import numpy as np

from tfake.core.radiometry import KELVIN_PER_COUNT, NO_IMAGE, ZERO_CELSIUS_KELVIN, encode_celsius
from tfake.pages.page_images import pack
from tfake.products.exports.film_files import thermal_images
from tfake.products.sequence_page.place_traces import Chart
from tfake.reader.sequences import ThermalSequence

#: Cells of a frame, along each side, at most.
MOST_CELLS = 64
#: What the page needs to turn counts into °C.
COUNTS = {"scale": KELVIN_PER_COUNT, "offset": -ZERO_CELSIUS_KELVIN, "missing": NO_IMAGE}
#: Curves are told to so many significant digits, points to a tenth of a pixel.
_DIGITS, _DECIMALS = 5, 1


def shrink_frames(sequence: ThermalSequence) -> np.ndarray:
    """The temperatures of a sequence in a coarse grid.

    Returns:
        (T, h, w) float32 °C, the mean of the pixels of each cell; NaN where one of them has no temperature.
    """
    frames = []
    for image in thermal_images(sequence):
        height, width = image.shape
        size = (min(width, MOST_CELLS), min(height, MOST_CELLS))
        frames.append(cv2.resize(image, size, interpolation=cv2.INTER_AREA))
    return np.stack(frames)


def describe_clip(sequence: ThermalSequence, celsius: np.ndarray, charts: list[Chart]) -> dict[str, Any]:
    """The JSON values of a sequence's file.

    Args:
        sequence: which.
        celsius: (T, h, w) from :func:`shrink_frames`.
        charts: of its curves.

    Returns:
        ``cube``: the cells' counts as :func:`tfake.pages.page_images.pack` packs an image of T h rows; ``charts``:
        title, unit, least range and curves, null where there is no value; ``points``: of each frame the 70 points,
        x and y one after the other.
    """
    counts = np.full(celsius.shape, NO_IMAGE, np.uint16)
    known = np.isfinite(celsius)
    counts[known] = encode_celsius(celsius[known])
    points = sequence.read("landmarks_70").astype(float).reshape(len(celsius), -1)
    return {
        "cube": pack(counts.reshape(-1, celsius.shape[2])),
        "charts": [
            {
                "title": chart.title,
                "unit": chart.unit,
                "least": chart.least_range,
                "curves": {name: _told(values) for name, values in chart.curves.items()},
            }
            for chart in charts
        ],
        "points": np.round(points, _DECIMALS).tolist(),
    }


def _told(values: np.ndarray) -> list[float | None]:
    return [float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None for value in values.tolist()]
