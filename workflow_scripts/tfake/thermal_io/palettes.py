"""The palettes that thermal pictures are coloured with: each is one curve through the colours, from cold to hot."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

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
