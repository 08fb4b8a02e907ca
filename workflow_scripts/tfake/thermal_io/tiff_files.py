"""TIFF, by tifffile: every page, every sample format and byte order, BigTIFF and ImageJ stacks among them."""

import io
import struct
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import tifffile

from tfake.thermal_io.frames import Frame, IncompleteError, Recording, ThermalFileError, check_size
from tfake.thermal_io.pictures import ORIENTATION_TAG, as_gray_or_bgr

_MAX_PAGES = 1 << 20
# Gray or three colours, and either with transparency.
_SAMPLES = (1, 2, 3, 4)


def open_tiff(file: BinaryIO) -> Recording:
    """Read a TIFF, a frame a page; reduced copies (thumbnails, pyramid levels) are left out.

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
    if len(tiff.pages) > _MAX_PAGES:
        raise ThermalFileError(f"more than {_MAX_PAGES} pages")
    return [page.aspage() for page in tiff.pages]


def _next_page_offset(tiff: tifffile.TiffFile) -> int:
    """Where the page after the last one lies, 0 for the end: tifffile drops what a cut file does not reach."""
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
