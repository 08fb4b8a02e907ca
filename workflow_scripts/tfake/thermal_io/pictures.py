"""The orientation tag of a picture: told, never followed.

One rule for every reader here: pixels come in the rows and columns in which the file stores them. Registered partners,
class maps and annotations are made for those, and a tag that a program copied along, or that one library follows and
another does not, turns nothing. Who wants to see an image upright turns it, and turns what was found back.

PNG, JPEG, BMP and WebP, by OpenCV: with their own depth, and refused where they are damaged.

FLIR's radiometric JPEG, by flyr: temperatures in °C, from the raw values and the camera's own calibration.

TIFF, by tifffile: every page, every sample format and byte order, BigTIFF and ImageJ stacks among them.
"""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

import cv2
import numpy as np
import tifffile
from PIL import Image

from tfake.thermal_io.frames import (
    Frame,
    IncompleteError,
    Recording,
    ThermalFileError,
    check_size,
    import_optional,
    normalised,
)

ORIENTATION_TAG = 274
# Whether rows and columns change places, and which of both then run backwards, by tag.
_TURNS = {
    1: (False, 1, 1),
    2: (False, 1, -1),
    3: (False, -1, -1),
    4: (False, -1, 1),
    5: (True, 1, 1),
    6: (True, 1, -1),
    7: (True, -1, -1),
    8: (True, -1, 1),
}


def orientation_of(data: bytes) -> int:
    """Read the orientation tag of a PNG, JPEG or WebP.

    Args:
        data: the file.

    Returns:
        1 to 8; 1 where there is none, or none that can be read.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            tag = image.getexif().get(ORIENTATION_TAG, 1)
    except Exception:  # a remark is not worth refusing pixels that could be read
        return 1
    return tag if tag in range(1, 9) else 1


def turn_upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """Turn an image as its orientation tag says.

    Args:
        image: (H, W, ...), as stored.
        orientation: 1 to 8.

    Returns:
        (H, W, ...) or, for 5 to 8, (W, H, ...).
    """
    swapped, rows, columns = _TURNS[orientation]
    return (np.swapaxes(image, 0, 1) if swapped else image)[::rows, ::columns]


def points_as_stored(points: np.ndarray, orientation: int, shape: tuple[int, int]) -> np.ndarray:
    """Bring points of an upright image to the image as it is stored.

    Args:
        points: (..., 2) x, y in the upright image, pixel centres at integers.
        orientation: 1 to 8.
        shape: height and width of the upright image.

    Returns:
        (..., 2), the same type.
    """
    swapped, rows, columns = _TURNS[orientation]
    x, y = points[..., 0], points[..., 1]
    x = x if columns > 0 else shape[1] - 1 - x
    y = y if rows > 0 else shape[0] - 1 - y
    return np.stack((y, x) if swapped else (x, y), axis=-1)


# Formats whose further images are frames; those behind a JPEG are previews.
_ANIMATED = ("PNG", "WEBP")


def open_picture(file: BinaryIO) -> Recording:
    """Read a picture.

    Args:
        file: at its beginning.

    Raises:
        ThermalFileError: OpenCV cannot decode it, or not wholly.
    """
    data = file.read()
    frame = Frame(as_gray_or_bgr(decode(data)))
    try:
        with Image.open(io.BytesIO(data)) as image:
            count = count_frames(image)
    except Exception:  # as for the orientation: OpenCV read what there is
        count = 1
    return Recording("picture", _first_of(frame, count), announced=count, orientation=orientation_of(data))


def _first_of(frame: Frame, count: int) -> Iterator[Frame]:
    yield frame
    if count > 1:
        raise IncompleteError(f"read 1 of {count} frames: of an animation the first is read; save it as a film")


def count_frames(image: Image.Image) -> int:
    """How many frames an animation has; 1 for any other picture.

    Args:
        image: opened by Pillow.
    """
    return getattr(image, "n_frames", 1) if image.format in _ANIMATED else 1


def decode(data: bytes, flags: int = cv2.IMREAD_UNCHANGED) -> np.ndarray:
    """Decode a picture as it is stored.

    Args:
        data: the file.
        flags: OpenCV's; the orientation tag is not followed, whatever they say.

    Returns:
        (H, W) or (H, W, C), channels in OpenCV's order.

    Raises:
        ThermalFileError: it cannot be decoded.
    """
    if not data:
        raise ThermalFileError("the file is empty")
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ThermalFileError(f"damaged, or no image ({error.err})") from error
    if image is None:
        raise ThermalFileError("damaged, cut, or no image")
    return image


def as_gray_or_bgr(image: np.ndarray) -> np.ndarray:
    """An image with one channel or three: transparency goes, a single channel loses its axis.

    Args:
        image: (H, W) or (H, W, 1 to 4), channels in OpenCV's order.

    Returns:
        (H, W) or (H, W, 3), of a type that ``Frame`` has.

    Raises:
        ThermalFileError: another shape.
    """
    if image.ndim == 3:
        image = image[..., 0] if image.shape[2] <= 2 else image[..., :3]
    if image.ndim != 2 and image.shape[-1:] != (3,):
        raise ThermalFileError(f"expected a gray image or one in colours, found an array of shape {image.shape}")
    return normalised(image)


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


_MOST_PAGES = 1 << 20
# Gray or three colours, and either with transparency.
_SAMPLES = (1, 2, 3, 4)


def open_tiff(file: BinaryIO) -> Recording:
    """Read a TIFF, a frame a page; reduced copies (thumbnails, pyramid levels) are left out.

    Args:
        file: at its beginning.

    Raises:
        ThermalFileError: it has no page that can be read.
    """
    try:
        tiff = tifffile.TiffFile(file)
        pages = [page for page in _pages(tiff) if not page.is_reduced]
        # ImageJ writes stacks of more than 4 GB as one page and the rest behind it.
        stack = tiff.series[0].shape[0] if tiff.is_imagej and len(pages) == 1 and len(tiff.series[0].shape) == 3 else 0
        orientation = pages[0].tags.get(ORIENTATION_TAG) if pages else None
        is_cut = bool(pages) and _next_page_offset(tiff) != 0
    except Exception as error:  # tifffile raises whatever its parsing stumbles over
        raise ThermalFileError(f"it cannot be decoded as a TIFF ({_reason(error)})") from error
    if not pages:
        raise ThermalFileError("it is a TIFF without a page")
    tag = orientation.value if orientation is not None and orientation.value in range(1, 9) else 1
    if stack > 1:
        return Recording("tiff", _stack(tiff, stack), announced=stack, orientation=tag)
    announced = None if is_cut else len(pages)
    return Recording("tiff", _frames(pages, is_cut), announced=announced, orientation=tag)


def _pages(tiff: tifffile.TiffFile) -> list[tifffile.TiffPage]:
    if len(tiff.pages) > _MOST_PAGES:
        raise ThermalFileError(f"more than {_MOST_PAGES} pages")
    return [page.aspage() for page in tiff.pages]


def _next_page_offset(tiff: tifffile.TiffFile) -> int:
    """Where the page behind the last one lies, 0 for the end: tifffile drops what a cut file does not reach."""
    file, layout = tiff.filehandle, tiff.tiff
    file.seek(tiff.pages[-1].offset)
    (tags,) = struct.unpack(layout.tagnoformat, file.read(layout.tagnosize))
    file.seek(tags * layout.tagsize, io.SEEK_CUR)
    return struct.unpack(layout.offsetformat, file.read(layout.offsetsize))[0]


def _frames(pages: list[tifffile.TiffPage], is_cut: bool) -> Iterator[Frame]:
    read, reason = 0, ""
    for number, page in enumerate(pages):
        try:
            frame = Frame(_decode(page))
        except Exception as error:  # tifffile and its codecs raise whatever they stumble over
            reason = reason or f"page {number + 1} cannot be decoded ({_reason(error)})"
            continue
        read += 1
        yield frame
    if read < len(pages) or is_cut:
        of = f"more than {len(pages)}" if is_cut else len(pages)
        raise IncompleteError(f"read {read} of {of} pages: {reason or 'the file is cut before the next'}")


def _stack(tiff: tifffile.TiffFile, count: int) -> Iterator[Frame]:
    try:
        frames = tiff.series[0].asarray()
    except Exception as error:
        raise ThermalFileError(f"its stack of {count} cannot be decoded ({_reason(error)})") from error
    for frame in frames:
        yield Frame(as_gray_or_bgr(frame))


def _decode(page: tifffile.TiffPage) -> np.ndarray:
    check_size(page.imagelength, page.imagewidth)
    if page.imagedepth != 1 or page.samplesperpixel not in _SAMPLES:
        found = f"a depth of {page.imagedepth} and {page.samplesperpixel} samples a pixel"
        raise ThermalFileError(f"expected a gray image or one in colours, found {found}")
    # Pages that tell of more bytes than the file has would be filled up with zeros.
    if any(count == 0 for count in page.databytecounts):
        raise ThermalFileError("some of its pixels are missing")
    values = page.asarray()
    if page.photometric == tifffile.PHOTOMETRIC.PALETTE and page.colormap is not None:
        return np.ascontiguousarray(np.moveaxis((page.colormap >> 8).astype(np.uint8)[::-1, values], 0, -1))
    if values.ndim == 3 and page.planarconfig == tifffile.PLANARCONFIG.SEPARATE:
        values = np.moveaxis(values, 0, -1)
    if values.ndim == 3 and values.shape[-1] >= 3:
        values = values[..., 2::-1]
    # White is zero: only for pixels that are shown. Counts and temperatures are numbers, whatever they are shown as.
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE and values.dtype.kind in "bu" and values.itemsize == 1:
        values = ~values if values.dtype.kind == "b" else np.iinfo(values.dtype).max - values
    return as_gray_or_bgr(values)


def _reason(error: Exception) -> str:
    return str(error).splitlines()[0][:160] if str(error) else type(error).__name__
