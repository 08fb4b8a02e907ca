"""What a file says of its images before their pixels are decoded."""

import io
from dataclasses import dataclass

import numpy as np
import tifffile
from PIL import Image

from tfake.thermal_io.formats import HEAD_BYTES, find_format
from tfake.thermal_io.frames import ThermalFileError
from tfake.thermal_io.pictures import count_frames
from tfake.thermal_io.thermal_reading import open_thermal


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
