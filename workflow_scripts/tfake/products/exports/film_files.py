"""Thermal sequences as films: 16-bit counts without loss, and previews in false colours, the same bytes each time."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tfake.core.radiometry import WINDOW_CELSIUS, encode_celsius
from tfake.pages.page_images import TemperatureScale
from tfake.reader.sequences import SequenceDataset, ThermalSequence

#: Of previews: black to white from 20 to 40 °C.
PREVIEW_SCALE = TemperatureScale(*map(round, WINDOW_CELSIUS))
#: Frames in memory at once.
_BATCH = 64
#: Rates are written as fractions of at most this denominator.
_MOST_TICKS = 1001
#: Without the program's name, random ids and threads, equal frames are equal bytes.
_EXACT = {"fflags": "bitexact"}
#: The preview's constant rate factor and speed. x264's macroblock tree reads memory that nobody wrote: other bytes.
_PREVIEW = {"crf": "18", "preset": "veryfast", "mbtree": "0"}
_BLOCK = 16


def frame_rate(sequences: SequenceDataset) -> Fraction:
    """The rate of the frames as films have it, 1/s."""
    return Fraction(sequences.frames_per_second).limit_denominator(_MOST_TICKS)


def thermal_images(sequence: ThermalSequence) -> Iterator[np.ndarray]:
    """The frames of a sequence in order, (H, W) float32 °C, few of them in memory at once."""
    for start in range(0, len(sequence), _BATCH):
        yield from sequence.read("thermal", slice(start, start + _BATCH))


def preview_side(pixels: int) -> int:
    """Height or width of the preview of images that are so many pixels high or wide: whole macroblocks."""
    return pixels + -pixels % _BLOCK


def write_counts(path: Path, images: Iterable[np.ndarray], rate: Fraction) -> None:
    """Write images (H, W) in °C as a film of counts of 0.01 K without loss: FFV1, 16 bits."""
    _write_film(path, map(encode_celsius, images), rate, "ffv1", "gray16le", {})


def write_preview(path: Path, images: Iterable[np.ndarray], rate: Fraction) -> None:
    """Write images (H, W) in °C as a film in the colours of ``PREVIEW_SCALE`` that browsers play: H.264.

    Its sides are those of :func:`preview_side`; the image lies at the upper left, its last row and column repeated.
    """
    painted = map(_whole_blocks, map(PREVIEW_SCALE.paint, images))
    _write_film(path, painted, rate, "libx264", "yuv420p", _PREVIEW)


def _whole_blocks(image: np.ndarray) -> np.ndarray:
    """An image (H, W, 3) of whole macroblocks, the last row and column repeated.

    Chroma needs even sides; and of a block that is not whole, an encoder may see what happens to lie in memory.
    """
    height, width = image.shape[:2]
    return np.pad(image, ((0, preview_side(height) - height), (0, preview_side(width) - width), (0, 0)), mode="edge")


def _write_film(
    path: Path, images: Iterable[np.ndarray], rate: Fraction, codec: str, pixels: str, options: dict[str, str]
) -> None:
    with av.open(str(path), "w", options=_EXACT) as container:
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.codec_context.thread_count = 1
        stream.codec_context.flags |= av.codec.context.Flags.bitexact
        stream.pix_fmt = pixels
        for number, image in enumerate(images):
            if number == 0:
                stream.height, stream.width = image.shape[:2]
            frame = _frame(image, pixels)
            frame.pts, frame.time_base = number, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _frame(image: np.ndarray, pixels: str) -> av.VideoFrame:
    """A frame of (H, W) uint16 counts, or of (H, W, 3) uint8 RGB for an encoder that converts it."""
    if image.ndim == 3:
        return av.VideoFrame.from_ndarray(image, format="rgb24")
    frame = av.VideoFrame(image.shape[1], image.shape[0], pixels)
    plane = frame.planes[0]
    rows = np.zeros((image.shape[0], plane.line_size // image.itemsize), image.dtype)
    rows[:, : image.shape[1]] = image
    plane.update(rows.tobytes())
    return frame
