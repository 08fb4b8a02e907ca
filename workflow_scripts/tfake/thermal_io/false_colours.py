"""The palettes that thermal pictures are coloured with: each is one curve through the colours, from cold to hot.

A picture in false colours turned back into one number a pixel: its place along a known palette.

What the numbers are in degrees is written in the picture, if at all, and is not read: they are relative. Pixels whose
colour is not on the palette, or on two places of it, have no number; neither have thin writing in the palette's own
extreme colours, and the scale bar.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from tfake.thermal_io.frames import ThermalFileError

#: OpenCV's own tables, and matplotlib's of the same names.
_OPENCV = {
    "cividis": cv2.COLORMAP_CIVIDIS,
    "hot": cv2.COLORMAP_HOT,
    "inferno": cv2.COLORMAP_INFERNO,
    "jet": cv2.COLORMAP_JET,
    "magma": cv2.COLORMAP_MAGMA,
    "parula": cv2.COLORMAP_PARULA,
    "plasma": cv2.COLORMAP_PLASMA,
    "hsv rainbow": cv2.COLORMAP_RAINBOW,
    "turbo": cv2.COLORMAP_TURBO,
    "viridis": cv2.COLORMAP_VIRIDIS,
}
#: Palettes of cameras, which their makers do not publish: places from cold (0) to hot (1), and the colour there.
_STOPS = {
    "iron": {
        0.0: "00000a",
        0.06: "000052",
        0.11: "0b0073",
        0.18: "280089",
        0.25: "470096",
        0.33: "70009b",
        0.4: "8b009c",
        0.47: "ae0099",
        0.53: "c01a8b",
        0.58: "ce2e6a",
        0.63: "da3c46",
        0.68: "e34f1c",
        0.73: "eb6108",
        0.78: "f17500",
        0.83: "f88e00",
        0.88: "fca800",
        0.92: "fec404",
        0.95: "ffdb34",
        0.98: "fff28a",
        1.0: "fffff6",
    },
    "rainbow": {
        0.0: "000040",
        0.12: "0000c8",
        0.25: "0064ff",
        0.38: "00d2d2",
        0.5: "00c800",
        0.62: "c8e600",
        0.75: "ffc800",
        0.87: "ff3c00",
        0.94: "e60028",
        1.0: "ffe6f0",
    },
    "arctic": {
        0.0: "000050",
        0.2: "0028e6",
        0.35: "00aaff",
        0.5: "96dcf0",
        0.6: "aaaaaa",
        0.75: "b46428",
        0.88: "e69600",
        1.0: "fff0a0",
    },
    "lava": {
        0.0: "000000",
        0.18: "00285a",
        0.32: "1e6496",
        0.42: "6e5082",
        0.55: "be1e3c",
        0.72: "f05014",
        0.88: "ffbe1e",
        1.0: "ffffe6",
    },
}
#: Half of it is gray, as are most pictures in visible light: it is held to the narrower distance.
_BLACK_AND_IRON = {
    0.0: "ffffff",
    0.5: "000000",
    0.56: "280050",
    0.66: "8c008c",
    0.76: "dc3c32",
    0.88: "ff9600",
    1.0: "ffff96",
}


#: How far, of 255, a colour of a picture may be from a table that is published, and from one known from pictures alone.
_NEAR, _NEAR_STOPS = 24.0, 34.0


@dataclass(frozen=True, eq=False)
class Palette:
    """A palette.

    Attributes:
        name: as it is known by.
        colours: (256, 3) uint8, channels in OpenCV's order (BGR), from cold to hot.
        near: how far a colour of a picture may be from the nearest of these, and count as one of them.
    """

    name: str
    colours: np.ndarray
    near: float


@cache
def palettes() -> dict[str, Palette]:
    """Every known palette, by its name."""
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    known = [Palette(name, cv2.applyColorMap(ramp, number)[:, 0], _NEAR) for name, number in _OPENCV.items()]
    known += [Palette(name, _between(stops), _NEAR_STOPS) for name, stops in _STOPS.items()]
    known += [Palette("gnuplot", _gnuplot(), _NEAR), Palette("black and iron", _between(_BLACK_AND_IRON), _NEAR)]
    return {palette.name: palette for palette in known}


def _between(stops: dict[float, str]) -> np.ndarray:
    colours = np.array([list(bytes.fromhex(colour))[::-1] for colour in stops.values()], dtype=np.float64)
    places = np.linspace(0, 1, 256)
    return np.stack([np.interp(places, list(stops), channel) for channel in colours.T], axis=1).round().astype(np.uint8)


def _gnuplot() -> np.ndarray:
    """Gnuplot's default (its formulae 7, 5, 15), which many programs call iron."""
    place = np.linspace(0, 1, 256)
    red, green, blue = np.sqrt(place), place**3, np.clip(np.sin(2 * np.pi * place), 0, 1)
    return (np.stack((blue, green, red), axis=1) * 255).round().astype(np.uint8)


#: Gray pictures that went through a JPEG in colour come back with channels this far apart; palettes are far beyond it.
GRAY_LEVELS = 8
#: Two places of a palette with colours as near as this, and further apart along it than this, are one colour.
_SAME, _APART = 14.0, 0.1
#: The share of a picture's coloured pixels that must be on the palette, and of all of them, and the least share of
#: coloured ones.
_LEAST_COLOURED, _LEAST_SHARE, _LEAST_COLOURS = 0.8, 0.3, 0.1
#: The part of the palette that a picture must use, between its 5th and 95th percentile.
_LEAST_SPAN = 0.2
_MOST_SAMPLED = 1 << 13
_ENDS, _JUMP, _STROKE = 0.03, 0.25, 7
# A scale bar: at an outer quarter, over this share of the edge, over this much of the palette, this many pixels wide.
_BAR_LENGTH, _BAR_SPAN, _BAR_WIDTH = 0.4, 0.6, 3
#: Saturation and value (of 255) of colours that pictures in visible light seldom have all over.
_VIVID, _LIT, _VIVID_SHARE = 140, 50, 0.5


@dataclass(frozen=True, eq=False)
class Recovered:
    """What a picture in false colours says.

    Attributes:
        values: (H, W) float32, 0 for the palette's coldest and 1 for its hottest colour; NaN where it cannot be told.
        palette: the palette's name.
    """

    values: np.ndarray
    palette: str

    @property
    def assumed(self) -> str:
        """What was taken for true, in words."""
        return f"false colours of the palette {self.palette}: relative, 0 to 1 from cold to hot"


def is_gray(pixels: np.ndarray) -> bool:
    """Whether an image has no colours.

    Args:
        pixels: as ``Frame`` has them.
    """
    if pixels.ndim == 2:
        return True
    levels = GRAY_LEVELS * (257 if pixels.dtype == np.uint16 else 1)
    spread = np.ptp(pixels.astype(np.int32), axis=-1)
    # A logo or a marker in colours does not make a gray picture one in false colours: it must not count, either.
    return bool(np.mean(spread > levels) < 1e-3)


def gray_of(pixels: np.ndarray) -> np.ndarray:
    """The one channel of an image without colours, (H, W): red where it has three, as SEJONG's readers take it."""
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., 2])


def recover(pixels: np.ndarray, first: str | None = None) -> Recovered | None:
    """Turn a picture in false colours back into numbers.

    Args:
        pixels: (H, W, 3) uint8 or uint16, BGR.
        first: the palette to try before the others: that of the film's last frame.

    Returns:
        The numbers; None where the colours are not those of a known palette.
    """
    pixels = (pixels >> 8).astype(np.uint8) if pixels.dtype == np.uint16 else pixels
    colours = pixels.reshape(-1, 3)
    sample = colours[:: max(1, len(colours) // _MOST_SAMPLED)]
    order = [first] if first and _fit(sample, palettes()[first]) is not None else list(palettes())
    fits = {name: fit for name in order if (fit := _fit(sample, palettes()[name])) is not None}
    if not fits:
        return None
    name = min(fits, key=fits.__getitem__)
    unique, inverse = np.unique(colours @ np.array([1, 256, 65536]), return_inverse=True)
    shades = np.stack((unique & 255, unique >> 8 & 255, unique >> 16), axis=1)
    place, distance = _nearest(shades, palettes()[name])
    # Gray is hardly ever a palette's, and mostly the window of a program.
    gray = np.ptp(shades, axis=1) <= GRAY_LEVELS
    known = distance <= palettes()[name].near / np.where(gray, 3, 1)
    place[~known | _ambiguous_places(name)[(place * 255).round().astype(int)]] = np.nan
    values = place[inverse].reshape(pixels.shape[:2]).astype(np.float32)
    values[_overlays(values) | _scale_bar(values) | _scale_bar(values.T).T] = np.nan
    return Recovered(values, name)


def looks_false(pixels: np.ndarray) -> bool:
    """Whether colours of no known palette look like those of one: vivid almost all over.

    Args:
        pixels: (H, W, 3) uint8 or uint16, BGR.
    """
    pixels = (pixels >> 8).astype(np.uint8) if pixels.dtype == np.uint16 else pixels
    _, saturation, value = cv2.split(cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV))
    lit = value >= _LIT
    return bool(lit.any() and np.mean(saturation[lit] >= _VIVID) >= _VIVID_SHARE)


def filled(values: np.ndarray) -> np.ndarray:
    """Numbers with those of the nearest pixels in place of what is masked, for readers that need one a pixel.

    Args:
        values: (H, W) float32, NaN where masked.

    Raises:
        ThermalFileError: nothing but masked pixels.
    """
    masked = np.isnan(values)
    if not masked.any():
        return values
    if masked.all():
        raise ThermalFileError("all of its pixels are masked")
    _, labels = cv2.distanceTransformWithLabels(
        masked.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    by_label = np.empty(labels.max() + 1, np.float32)
    by_label[labels[~masked]] = values[~masked]
    return by_label[labels]


def _nearest(colours: np.ndarray, palette: Palette) -> tuple[np.ndarray, np.ndarray]:
    """Of (n, 3) colours: (n,) place along the palette, 0 to 1, and (n,) distance to it."""
    points, colours = palette.colours.astype(np.float32), colours.astype(np.float32)
    squared = (colours**2).sum(1)[:, None] - 2 * colours @ points.T + (points**2).sum(1)
    place = squared.argmin(axis=1)
    distance = np.sqrt(np.maximum(np.take_along_axis(squared, place[:, None], 1)[:, 0], 0))
    return place / np.float32(255), distance


def _fit(colours: np.ndarray, palette: Palette) -> float | None:
    """How far colours are from a palette, smaller is better; None where they are not of it."""
    # Colours must say so, not the gray that many a palette begins and ends with, and a program's window is made of.
    coloured = np.ptp(colours.astype(np.int16), axis=1) > 2 * GRAY_LEVELS
    if coloured.mean() < _LEAST_COLOURS:
        return None
    place, distance = _nearest(colours, palette)
    near = distance <= palette.near
    if near[coloured].mean() < _LEAST_COLOURED or near.mean() < _LEAST_SHARE:
        return None
    if np.ptp(np.percentile(place[near], (5, 95))) < _LEAST_SPAN:
        return None
    mean = float(np.minimum(distance, palette.near)[coloured].mean())
    return mean if mean <= palette.near / 2 else None


@cache
def _ambiguous_places(name: str) -> np.ndarray:
    """(256,) bool: another place of the palette, further along, has nearly this colour."""
    points = palettes()[name].colours.astype(np.float32)
    near = np.linalg.norm(points[:, None] - points, axis=-1) <= _SAME
    place = np.arange(256) / 255
    return (near & (np.abs(place[:, None] - place) > _APART)).any(axis=1)


def _overlays(values: np.ndarray) -> np.ndarray:
    """Thin strokes in the palette's extreme colours, and the rim of whatever is masked."""
    known = filled(np.where(np.isnan(values), np.nan, values)) if not np.isnan(values).all() else np.zeros_like(values)
    ends = ((known <= _ENDS) | (known >= 1 - _ENDS)).astype(np.uint8)
    thin = (ends > 0) & (cv2.morphologyEx(ends, cv2.MORPH_OPEN, np.ones((_STROKE, _STROKE), np.uint8)) == 0)
    around = cv2.medianBlur((known * 255).round().astype(np.uint8), 2 * _STROKE + 1) / 255.0
    strokes = thin & (np.abs(known - around) > _JUMP)
    rim = cv2.dilate((strokes | np.isnan(values)).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return strokes | (rim & (np.abs(known - around) > _JUMP))


def _scale_bar(values: np.ndarray) -> np.ndarray:
    """The columns of an upright bar that goes evenly from one end of the palette to the other."""
    height, width = values.shape
    found = np.zeros(values.shape, bool)
    quarter = max(1, width // 4)
    for column in (*range(quarter), *range(width - quarter, width)):
        for sign in (1, -1):
            run = _even_run(sign * values[:, column])
            if run is not None and run.stop - run.start >= _BAR_LENGTH * height:
                found[run, column] = True
    kernel = np.ones((1, _BAR_WIDTH), np.uint8)
    wide = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    return cv2.dilate(wide, np.ones((1, 3), np.uint8)) > 0


def _even_run(values: np.ndarray) -> slice | None:
    """The longest stretch that never falls, if it rises over most of the palette, evenly."""
    steps = np.diff(values)
    falls = np.flatnonzero(~(steps >= -0.02))
    edges = np.concatenate(([-1], falls, [len(values) - 1]))
    longest = int(np.diff(edges).argmax())
    start, stop = int(edges[longest]) + 1, int(edges[longest + 1]) + 1
    stretch = values[start:stop]
    if len(stretch) < 8 or stretch[-1] - stretch[0] < _BAR_SPAN:
        return None
    line = np.linspace(stretch[0], stretch[-1], len(stretch))
    return slice(start, stop) if np.abs(stretch - line).max() < 0.12 else None
