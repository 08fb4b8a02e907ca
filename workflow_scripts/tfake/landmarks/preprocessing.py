"""From an image, or a file's frame, to the network's input: what its numbers mean, and three channels in 0..1."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tfake.core.radiometry import WINDOW_CELSIUS
from tfake.thermal_io.false_colours import filled, gray_of, is_gray, looks_false, palettes, recover
from tfake.thermal_io.frames import Frame, Recording, ThermalFileError
from tfake.thermal_io.scales import Scale, ScaleError, check_plausible
from tfake.thermal_io.thermal_reading import open_thermal

MODES = ("auto", "temperature", "pixel", "relative")
WINDOWS = ("fixed", "scene")
_CELSIUS = Scale("celsius")
_SCENE_PERCENT = (0.1, 99.9)
# A scene without contrast is not stretched to its noise.
_LEAST_KELVIN = 1.0
# What relative numbers are stretched between: neither a dead pixel nor a soldering iron sets it.
_STRETCH_PERCENT = (1, 99)
#: What is said of a picture in colours, and asked for again where no face is found in it.
VISIBLE_LIGHT = "colours: a picture in visible light"


def preprocess(image: np.ndarray, mode: str = "auto", window: str = "fixed") -> np.ndarray:
    """Turn an image into three channels in 0..1.

    Args:
        image: temperatures, (H, W) float in °C or uint16 counts of 0.01 K (FLIR TLinear); or pixels, (H, W) or (H, W,
            3) uint8, three channels in OpenCV's order (BGR), as its video frames are.
        mode: ``auto`` takes float and uint16 for temperatures and uint8 for pixels; ``temperature`` insists on the
            former; ``pixel`` takes any gray or colour image, float and uint16 by their own full range 0..255 and
            0..65535; ``relative`` takes any gray image, and stretches it between its own 1st and 99th percentile.
        window: what temperatures are cut to: ``fixed``, 20..40 °C, so that the same skin is as bright in every image;
            or ``scene``, all but a thousandth of the scene's own at either end, for networks that stretch the contrast
            themselves: people in the cold, and cameras that are off by ten kelvins, are within it, too.

    Returns:
        (H, W, 3) float32 in 0..1. NaN is black.

    Raises:
        ValueError: an unknown mode, window, shape or type, or numbers that are no temperatures.
    """
    if window not in WINDOWS:
        raise ValueError(f"window must be one of {', '.join(WINDOWS)}; found {window!r}")
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}; found {mode!r}")
    image = np.asarray(image)
    gray = image.ndim == 2
    if (not gray and (image.ndim != 3 or image.shape[2] != 3)) or 0 in image.shape:
        raise ValueError(f"an image is (H, W) or (H, W, 3); found {image.shape}")
    if image.dtype not in (np.uint8, np.uint16) and not np.issubdtype(image.dtype, np.floating) and mode != "relative":
        raise ValueError(f"temperatures are float or uint16, pixels uint8, uint16 or float; found {image.dtype}")
    radiometric = gray and image.dtype != np.uint8
    if mode == "temperature" and not radiometric:
        raise ValueError(f"temperatures are (H, W) float in °C or uint16 counts; found {image.dtype} of {image.shape}")
    if mode == "relative":
        if not gray or image.dtype.kind not in "uif":
            raise ValueError(f"relative numbers are (H, W) integers or floats; found {image.dtype} of {image.shape}")
        values = _stretch(image)
    elif radiometric and mode != "pixel":
        check_plausible(
            [("its numbers", image)], _CELSIUS, people=False, remedy="convert them to °C from {}, or pass mode='pixel'"
        )
        celsius = _CELSIUS.convert(image)
        values = _between(celsius, *(WINDOW_CELSIUS if window == "fixed" else _scene_window(celsius)))
    else:
        values = _between(image, 0.0, 65535.0 if image.dtype == np.uint16 else 255.0)
    return np.repeat(values[..., None], 3, axis=2) if gray else np.ascontiguousarray(values[..., ::-1])


def _between(values: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.clip((np.nan_to_num(values.astype(np.float32), nan=low) - low) / (high - low), 0.0, 1.0)


def _scene_window(celsius: np.ndarray) -> tuple[float, float]:
    low, high = np.nanpercentile(celsius, _SCENE_PERCENT).tolist()
    return low, max(high, low + _LEAST_KELVIN)


def _stretch(image: np.ndarray) -> np.ndarray:
    finite = image[np.isfinite(image)]
    if not finite.size:
        raise ValueError("none of its pixels has a number")
    low, high = np.percentile(finite, _STRETCH_PERCENT).tolist()
    return _between(image, low, high if high > low else low + 1)


@dataclass(frozen=True, eq=False)
class Interpretation:
    """What a frame's numbers were taken for, and the image that the landmarker takes.

    Attributes:
        image: for :func:`preprocess`, with ``mode``.
        mode: one of ``MODES``.
        assumed: what its numbers were taken for, in words.
        palette: of false colours; None without.
        masked: the fraction of pixels without a number of their own.
    """

    image: np.ndarray
    mode: str
    assumed: tuple[str, ...] = ()
    palette: str | None = None
    masked: float = 0.0


def interpret(
    frame: Frame, recording: Recording, mode: str = "auto", scale: Scale | None = None, palette: str | None = None
) -> Interpretation:
    """Decide what a frame's numbers are, and say so.

    Args:
        frame: as a file stores it.
        recording: the file.
        mode: one of ``MODES``: ``auto`` takes what the file says, else ``scale``, else 8 bits for pixels and all
            other numbers for temperatures; false colours of a known palette are turned back into numbers.
        scale: what the numbers are declared to be.
        palette: the palette to try first.

    Raises:
        ThermalFileError: false colours of no palette that is known, or numbers that cannot be what was asked for.
        ScaleError: numbers that cannot be what they were declared to be.
    """
    pixels, assumed = frame.pixels, recording.assumed
    if mode == "pixel":
        return Interpretation(pixels, mode, (*assumed, "pixels, as they are shown"))
    if not is_gray(pixels):
        interpretation = _interpret_colours(pixels, palette)
        if mode == "temperature" or (scale is not None and scale.meaning == "celsius"):
            raise ThermalFileError(f"expected temperatures, found {interpretation.assumed[0]}")
        return replace(interpretation, assumed=assumed + interpretation.assumed)
    numbers = gray_of(pixels)
    if mode == "relative" or (scale is not None and scale.meaning == "relative" and numbers.dtype != np.uint8):
        return Interpretation(numbers, "relative", (*assumed, f"relative {numbers.dtype} numbers"))
    if recording.is_celsius:
        check_plausible([("its numbers", numbers)], _CELSIUS, people=False, remedy="pass --mode relative instead of {}")
        return Interpretation(numbers, "temperature", assumed or ("degrees Celsius, by the file itself",))
    if numbers.dtype == np.uint8 and (scale is None or scale.meaning == "relative"):
        if mode == "temperature":
            raise ThermalFileError("expected temperatures, found 8-bit gray values")
        return Interpretation(numbers, "pixel", (*assumed, "8-bit gray values, as they are shown"))
    taken = scale or _CELSIUS
    check_plausible([("its numbers", numbers)], taken, people=False, remedy="pass --values {0.argument}")
    said = f"declared {taken}" if scale else _describe(numbers.dtype)
    return Interpretation(taken.convert(numbers), "temperature", (*assumed, said))


def _describe(dtype: np.dtype) -> str:
    return "counts of 0.01 K" if dtype.kind == "u" else "floating degrees Celsius"


def _interpret_colours(pixels: np.ndarray, palette: str | None) -> Interpretation:
    recovered = recover(pixels, palette)
    if recovered is not None:
        masked = float(np.isnan(recovered.values).mean())
        image = (filled(recovered.values) * 255).round().astype(np.uint8)
        return Interpretation(image, "pixel", (recovered.assumed,), recovered.palette, round(masked, 4))
    if looks_false(pixels):
        raise ThermalFileError(
            f"false colours of no palette that is known ({', '.join(palettes())}): save it in gray or as temperatures; "
            "if it is a photograph, pass --mode pixel"
        )
    return Interpretation(
        (pixels >> 8).astype(np.uint8) if pixels.dtype == np.uint16 else pixels, "pixel", (VISIBLE_LIGHT,)
    )


def read_image(path: str | Path) -> np.ndarray:
    """Read the one image of a file, of any format in :data:`tfake.thermal_io.FORMATS`.

    Returns:
        As ``preprocess`` takes it: (H, W) float32 in °C, (H, W) uint8, or (H, W, 3) uint8, BGR.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it cannot be read, its numbers cannot be temperatures, or it has several images.
    """
    try:
        with open_thermal(path) as recording:
            images = [interpret(frame, recording).image for frame in recording]
    except (ThermalFileError, ScaleError) as error:
        raise ThermalFileError(f"{path}: {error}") from error
    if len(images) != 1:
        raise ThermalFileError(f"{path}: expected one image, found {len(images)}")
    return images[0]
