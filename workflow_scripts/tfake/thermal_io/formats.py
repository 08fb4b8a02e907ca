"""The registry of what is read: one entry a format, the kind of bytes it begins with, and who reads it.

A file's content decides, not its name: the name only says which files of a folder are looked at. Films and tables have
no beginning of their own, and go by their name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

from tfake.thermal_io.films import FILM_SUFFIXES, open_cptv, open_film
from tfake.thermal_io.frames import Recording, ThermalFileError
from tfake.thermal_io.numpy_files import open_npy, open_npz
from tfake.thermal_io.pictures import is_radiometric, open_picture, open_radiometric_jpeg
from tfake.thermal_io.temperature_csv import open_temperature_csv
from tfake.thermal_io.tiff_files import open_tiff


@dataclass(frozen=True)
class Format:
    """A kind of file.

    Attributes:
        title: as the documentation names it.
        suffixes: of the names of such files, lower case.
        begins: whether a file is of this kind, by its first bytes; None: by its suffix alone.
        open: reads one, from its beginning.
        holds: what comes out, in words.
        by: the library that decodes it.
        extra: that library is one of the extra ``cameras``.
        many: it may hold several frames.
    """

    title: str
    suffixes: tuple[str, ...]
    begins: Callable[[bytes], bool] | None
    open: Callable[[BinaryIO], Recording]
    holds: str
    by: str
    extra: bool = False
    many: bool = False


def _magic(*beginnings: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(beginnings)


# The first is also the second, with more in it.
FORMATS = (
    Format(
        "FLIR radiometric JPEG",
        (".jpg", ".jpeg"),
        lambda head: head.startswith(b"\xff\xd8\xff") and is_radiometric(head),
        open_radiometric_jpeg,
        "°C, by the camera's own calibration",
        "flyr",
        extra=True,
    ),
    Format(
        "PNG, JPEG, BMP, WebP",
        (".png", ".jpg", ".jpeg", ".bmp", ".webp"),
        lambda head: (
            head.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"BM"))
            or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")
        ),
        open_picture,
        "8 or 16 bits as stored, gray or in colours",
        "OpenCV",
    ),
    Format(
        "TIFF, BigTIFF",
        (".tif", ".tiff"),
        _magic(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        open_tiff,
        "integers or floats of up to 64 bits, either byte order; a frame a page",
        "tifffile",
        many=True,
    ),
    Format(
        "NumPy array",
        (".npy",),
        _magic(b"\x93NUMPY"),
        open_npy,
        "(H, W), or (N, H, W) frames, of any real numbers, either byte order",
        "NumPy",
        many=True,
    ),
    Format(
        "NumPy archive",
        (".npz",),
        _magic(b"PK\x03\x04"),
        open_npz,
        "its one array of two or three dimensions",
        "NumPy",
        many=True,
    ),
    Format(
        "CPTV",
        (".cptv",),
        _magic(b"\x1f\x8b"),
        open_cptv,
        "16-bit counts, with times; the background frame is left out",
        "cptv",
        extra=True,
        many=True,
    ),
    Format(
        "table of temperatures",
        (".csv",),
        None,
        open_temperature_csv,
        "°C, from °C, °F or K as its header says; UTF-8 or UTF-16, decimal points or commas",
        "the standard library",
        many=True,
    ),
    Format(
        "film",
        FILM_SUFFIXES,
        None,
        open_film,
        "gray of up to 16 bits as stored (FFV1, Y16), else 8 bits in colours; with times",
        "PyAV",
        extra=True,
        many=True,
    ),
)
#: Names that end so are looked at in a folder.
SUFFIXES = tuple(dict.fromkeys(suffix for entry in FORMATS for suffix in entry.suffixes))
#: FLIR's records begin behind the picture's own metadata; those seldom fill more than a few segments of 64 KB.
HEAD_BYTES = 1 << 20


def find_format(head: bytes, name: str, as_picture: bool = False) -> Format:
    """The format of a file.

    Args:
        head: its first ``HEAD_BYTES``, or all of a shorter one.
        name: its name.
        as_picture: a radiometric JPEG counts as the picture that it shows.

    Raises:
        ThermalFileError: of none that is read.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if not head:
        raise ThermalFileError("the file is empty")
    for entry in FORMATS[1:] if as_picture else FORMATS:
        if entry.begins is not None and entry.begins(head):
            return entry
    for entry in FORMATS:
        if entry.begins is None and suffix in entry.suffixes:
            return entry
    if suffix in SUFFIXES:
        raise ThermalFileError(f"it is not what its name says ({suffix}): it begins with {head[:8].hex(' ')}")
    raise ThermalFileError(f"{suffix or 'a name without a suffix'} is none of {', '.join(SUFFIXES)}")
