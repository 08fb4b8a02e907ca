"""One call for every format: ``values, meaning = read_thermal(path)``; and for stacks and films, frame by frame.

What a file says of its images before their pixels are decoded.
"""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import tifffile
from PIL import Image

from tfake.thermal_io.false_colours import gray_of, is_gray, recover
from tfake.thermal_io.formats import HEAD_BYTES, find_format
from tfake.thermal_io.frames import Frame, IncompleteError, Recording, ThermalFileError
from tfake.thermal_io.pictures import count_frames
from tfake.thermal_io.scales import Scale, ScaleError, check_plausible, parse_scale


@dataclass(frozen=True, eq=False)
class ThermalImage:
    """One thermal image; ``values, meaning = image`` unpacks it.

    Attributes:
        values: (H, W) float32: °C, or relative numbers, whose scale and offset carry nothing; NaN where there is none.
        meaning: ``celsius`` or ``relative``.
        stored: the type of the numbers in the file.
        assumed: what was taken for true without the file saying it, in words.
        time_seconds: since the file's first frame; None where it does not tell.
        orientation: the file's orientation tag, 1 to 8; it is not followed.
    """

    values: np.ndarray
    meaning: str
    stored: np.dtype
    assumed: tuple[str, ...] = ()
    time_seconds: float | None = None
    orientation: int = 1

    def __iter__(self) -> Iterator[np.ndarray | str]:
        """``values`` and ``meaning``."""
        return iter((self.values, self.meaning))


def open_thermal(source: str | Path | bytes, name: str | None = None, as_picture: bool = False) -> Recording:
    """Open a file, and see what it is and how many frames it says it has.

    Args:
        source: its path; or what is in it.
        name: of the file, where ``source`` is what is in it.
        as_picture: of a radiometric JPEG, read the picture that it shows and not its temperatures.

    Returns:
        The recording; close it, or use it in a ``with``.

    Raises:
        FileNotFoundError: no such file.
        OSError: it cannot be opened.
        ThermalFileError: it is of no format that is read, or damaged; the message does not name it.
    """
    file: BinaryIO = io.BytesIO(source) if isinstance(source, bytes) else open(source, "rb")  # noqa: SIM115
    try:
        head = file.read(HEAD_BYTES)
        file.seek(0)
        return find_format(head, name or str(source), as_picture).open(file).holding(file)
    except BaseException:
        file.close()
        raise


def iterate_thermal(
    source: str | Path | bytes, values: str | Mapping | Scale | None = None, name: str | None = None
) -> Iterator[ThermalImage]:
    """Read the images of a file, one by one.

    Args:
        source: its path; or what is in it.
        values: what its numbers are, as :func:`tfake.thermal_io.scales.parse_scale` reads it; None: 8-bit numbers are
            relative, others ``celsius``. A file that says itself that it holds temperatures is believed.
        name: of the file, where ``source`` is what is in it.

    Raises:
        FileNotFoundError: no such file.
        ThermalFileError: it cannot be read, or its numbers cannot be what they were declared to be; the message names
            it. After the last image that could be read, where some are missing.
        ValueError: ``values`` is none of those.
    """
    scale = None if values is None else parse_scale(values)
    shown = name or str(source)
    try:
        with open_thermal(source, name) as recording:
            palette = None
            for frame in recording:
                image, palette = _interpret(frame, recording, scale, palette)
                yield image
    except IncompleteError as error:
        raise IncompleteError(f"{shown}: {error}") from error
    except (ThermalFileError, ScaleError) as error:
        raise ThermalFileError(f"{shown}: {error}") from error


def read_thermal(
    source: str | Path | bytes, values: str | Mapping | Scale | None = None, name: str | None = None
) -> ThermalImage:
    """Read the one image of a file.

    Args:
        source: its path; or what is in it.
        values: as for ``iterate_thermal``.
        name: of the file, where ``source`` is what is in it.

    Raises:
        FileNotFoundError: no such file.
        ThermalFileError: it cannot be read, or has several; the message names it.
        ValueError: ``values`` is none that are known.
    """
    images = iterate_thermal(source, values, name)
    image = next(images)
    if next(images, None) is not None:
        raise ThermalFileError(
            f"{name or str(source)}: expected one image, found several: read them with iterate_thermal"
        )
    return image


def scalar_of(frame: Frame, palette: str | None = None) -> tuple[np.ndarray, str | None, tuple[str, ...]]:
    """A frame with one number a pixel: false colours turned back.

    Args:
        frame: as it is stored.
        palette: the palette to try first.

    Returns:
        (H, W); the palette's name where there is one, then the numbers are float32 with NaN where masked; and what was
        assumed.

    Raises:
        ThermalFileError: a picture in colours of no palette that is known.
    """
    if is_gray(frame.pixels):
        return gray_of(frame.pixels), None, ()
    recovered = recover(frame.pixels, palette)
    if recovered is None:
        raise ThermalFileError("expected a gray thermal image; found a picture in colours of no palette that is known")
    return recovered.values, recovered.palette, (recovered.assumed,)


def _interpret(
    frame: Frame, recording: Recording, scale: Scale | None, palette: str | None
) -> tuple[ThermalImage, str | None]:
    stored = frame.pixels.dtype
    numbers, palette, assumed = scalar_of(frame, palette)
    if palette is not None and scale is not None and scale.meaning != "relative":
        raise ScaleError(f"declared {scale}, but found false colours, whose numbers are relative")
    if palette is not None:
        values, meaning = numbers, "relative"
    elif recording.is_celsius:
        values, meaning = numbers, "celsius" if scale is None else scale.meaning
    else:
        if scale is None:
            scale = Scale("relative" if numbers.dtype == np.uint8 else "celsius")
            assumed += (f"{stored} numbers: {scale}",)
        check_plausible([("its numbers", numbers)], scale, people=False)
        values, meaning = scale.convert(numbers), scale.meaning
    return (
        ThermalImage(
            values.astype(np.float32, copy=False),
            meaning,
            stored,
            recording.assumed + assumed,
            frame.time_seconds,
            recording.orientation,
        ),
        palette,
    )


@dataclass(frozen=True)
class Header:
    """A file's header.

    Attributes:
        size: width and height of its first image, as stored.
        dtype: of its numbers, as stored.
        frames: how many images it says it has; None where it does not say.
    """

    size: tuple[int, int]
    dtype: np.dtype
    frames: int | None


def read_header(data: bytes, name: str) -> Header:
    """Read a file's header; of formats without one, its first image.

    Args:
        data: what is in the file.
        name: its name.

    Raises:
        ThermalFileError: of no format that is read, or damaged.
    """
    title = find_format(data[:HEAD_BYTES], name).title
    try:
        if title.startswith("PNG"):
            with Image.open(io.BytesIO(data)) as image:
                # Pillow shows 16 bits a channel as 8 where there are several channels; the file's own byte says.
                deep = image.format == "PNG" and data[24] == 16
                return Header(image.size, np.dtype(np.uint16 if deep else np.uint8), count_frames(image))
        if title.startswith("TIFF"):
            with open_thermal(data, name) as recording, tifffile.TiffFile(io.BytesIO(data)) as tiff:
                page = tiff.pages.first
                return Header((page.imagewidth, page.imagelength), np.dtype(page.dtype), recording.announced)
        with open_thermal(data, name) as recording:
            pixels = next(iter(recording)).pixels
            return Header(pixels.shape[1::-1], pixels.dtype, recording.announced)
    except ThermalFileError:
        raise
    except Exception as error:  # Pillow and tifffile raise whatever their parsing stumbles over
        raise ThermalFileError(f"it cannot be decoded as an image ({error})") from error
