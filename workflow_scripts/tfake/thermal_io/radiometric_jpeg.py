"""FLIR's radiometric JPEG, by flyr: temperatures in °C, from the raw values and the camera's own calibration."""

import io
from typing import BinaryIO

import numpy as np

from tfake.thermal_io.exif import orientation_of
from tfake.thermal_io.frames import Frame, Recording, ThermalFileError, check_size, normalised
from tfake.thermal_io.optional import import_optional

_SEGMENT = b"FLIR\x00"
# Where the count of records lies behind the segment's name, and more records than any camera writes.
_COUNT_AT, _MOST_RECORDS = 8 + 28, 4096


def is_radiometric(data: bytes) -> bool:
    """Whether a JPEG has FLIR's records of raw values behind its picture.

    Args:
        data: the file.
    """
    place = data.find(_SEGMENT)
    return place >= 0 and data[place + 8 : place + 12] in (b"FFF\x00", b"AFF\x00")


def open_radiometric_jpeg(file: BinaryIO) -> Recording:
    """Read the temperatures; the picture and the embedded photograph are left out.

    Args:
        file: at its beginning.

    Raises:
        ThermalFileError: the records are damaged or of a kind that flyr does not know; or flyr is not installed.
    """
    data = file.read()
    place = data.find(_SEGMENT)
    # flyr goes through as many records as a damaged count says.
    if int.from_bytes(data[place + _COUNT_AT : place + _COUNT_AT + 4], "big") > _MOST_RECORDS:
        raise ThermalFileError("its FLIR records are damaged")
    flyr = import_optional("flyr")
    try:
        with np.errstate(all="ignore"):
            celsius = flyr.unpack(io.BytesIO(data)).celsius
    except Exception as error:  # flyr raises whatever its parsing stumbles over
        raise ThermalFileError(f"its FLIR records cannot be read ({type(error).__name__}: {error})") from error
    if celsius.ndim != 2:
        raise ThermalFileError(f"expected raw values (height, width), found {celsius.shape}")
    check_size(*celsius.shape)
    return Recording(
        "radiometric JPEG", iter([Frame(normalised(celsius))]), is_celsius=True, orientation=orientation_of(data)
    )
