"""From temperature to colour: one fixed scale for every thermal picture of the page, and the viewer's palettes."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import matplotlib
import numpy as np

from tfake.radiometry import KELVIN_PER_COUNT, NEVER_WRITTEN, NO_IMAGE, ZERO_CELSIUS_KELVIN

_PALETTE = "inferno"
#: What the viewer offers: name to matplotlib's; all but the last rise evenly in lightness.
_OFFERED = {
    "inferno": "inferno",
    "white hot": "gray",
    "black hot": "gray_r",
    "viridis": "viridis",
    "cividis": "cividis",
    "turbo": "turbo",
}
_COLOURS = 256
_MISSING_COLOUR = (128, 128, 128)
# Share of the pixels that may fall below, and above, the scale: single hot pixels must not flatten every picture.
_CLIPPED = 0.0005


@dataclass(frozen=True)
class TemperatureScale:
    """Whole degrees Celsius at both ends; colours between them are linear in temperature."""

    low: int
    high: int
    palette: str = _PALETTE  # matplotlib's name

    def paint(self, celsius: np.ndarray) -> np.ndarray:
        """Colour temperatures.

        Args:
            celsius: float (H, W) degrees Celsius; NaN becomes gray, values off the scale take its end colours.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        share = (np.nan_to_num(celsius, nan=self.low) - self.low) / (self.high - self.low)
        step = np.clip(np.rint(share * (_COLOURS - 1)), 0, _COLOURS - 1).astype(np.uint8)
        painted = _lookup_table(self.palette)[step]
        painted[np.isnan(celsius)] = _MISSING_COLOUR
        return painted

    def ticks(self) -> list[tuple[int, float]]:
        """Whole degrees to write beside a colour bar, at most 11, and where each lies: 0 at low, 1 at high."""
        span = self.high - self.low
        step = next(step for step in (1, 2, 5, 10, 20, 50, 100) if span / step <= 10)
        first = math.ceil(self.low / step) * step
        return [(value, (value - self.low) / span) for value in range(first, self.high + 1, step)]

    def gradient(self, stops: int = 17) -> str:
        """The palette as a CSS gradient from left (low) to right (high)."""
        table = _lookup_table(self.palette)
        colours = [table[round(stop * (_COLOURS - 1) / (stops - 1))] for stop in range(stops)]
        return f"linear-gradient(to right, {', '.join('#' + bytes(colour).hex() for colour in colours)})"


def fit_scale(images: Iterable[np.ndarray]) -> TemperatureScale:
    """Choose the scale that holds all but a thousandth of the pixels.

    Args:
        images: uint16 counts of 0.01 K, of any shape; ``NO_IMAGE`` and ``NEVER_WRITTEN`` take no part.

    Returns:
        The scale, at least 2 K wide; 15 to 40 °C when there is no pixel at all.
    """
    histogram = np.zeros(NO_IMAGE + 1, dtype=np.int64)
    for counts in images:
        histogram += np.bincount(counts.ravel(), minlength=len(histogram))
    histogram[[NEVER_WRITTEN, NO_IMAGE]] = 0
    cumulative = np.cumsum(histogram)
    if not cumulative[-1]:
        return TemperatureScale(15, 40)
    ends = np.searchsorted(cumulative, np.array([_CLIPPED, 1 - _CLIPPED]) * cumulative[-1])
    low, high = ends * KELVIN_PER_COUNT - ZERO_CELSIUS_KELVIN
    low, high = math.floor(low), math.ceil(high)
    return TemperatureScale(low, max(high, low + 2))


def offered_palettes() -> dict[str, str]:
    """The viewer's palettes: name to 256 colours, low to high, as ``rrggbb`` one after the other."""
    return {name: _lookup_table(palette).tobytes().hex() for name, palette in _OFFERED.items()}


def _lookup_table(palette: str) -> np.ndarray:
    return (matplotlib.colormaps[palette](np.arange(_COLOURS))[:, :3] * 255).round().astype(np.uint8)
