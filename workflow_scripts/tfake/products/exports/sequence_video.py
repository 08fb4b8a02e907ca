"""Sequences as films: 16-bit counts without loss, a preview in false colours, and the labels beside them."""

import csv
import json
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from tfake.core.codes import BODY_TEMPERATURES, EXPRESSION_PARAMETERS
from tfake.core.radiometry import WINDOW_CELSIUS, encode_celsius
from tfake.pages.page_images import TemperatureScale
from tfake.reader.sequences import SequenceDataset, ThermalSequence

#: Frames in memory at once.
_BATCH = 64
#: Rates are written as fractions of at most this denominator.
_MOST_TICKS = 1001
#: Without the program's name, random ids and threads, equal frames are equal bytes.
_EXACT = {"fflags": "bitexact"}
#: The preview's constant rate factor and speed. x264's macroblock tree reads memory that nobody wrote: other bytes.
_PREVIEW = {"crf": "18", "preset": "veryfast", "mbtree": "0"}
_BLOCK = 16
#: Columns of a frame's labels, arrays of the store or columns of those.
_ANGLES = {
    "yaw_degrees": ("head_pose", 0),
    "pitch_degrees": ("head_pose", 1),
    "roll_degrees": ("head_pose", 2),
    "gaze_right_degrees": ("gaze", 0),
    "gaze_up_degrees": ("gaze", 1),
    "right_cm": ("head_position", 0),
    "up_cm": ("head_position", 1),
    "towards_camera_cm": ("head_position", 2),
}


def write_video(folder: Path, sequences: SequenceDataset) -> None:
    """Write ``{id}.mkv`` (FFV1, counts of 0.01 K), ``{id}.mp4`` (preview, 20 to 40 °C), and labels of each sequence.

    Labels are ``{id}.csv``, a line a frame; ``{id}.npz``, ``landmarks_70`` (T, 70, 2), ``landmarks_478`` (T, 478, 3)
    and ``landmarks_478_visibility`` (T, 478), pixels with centres at integers; ``{id}.json``, what all frames have in
    common.

    Args:
        folder: an empty folder.
        sequences: which.
    """
    rate = Fraction(sequences.frames_per_second).limit_denominator(_MOST_TICKS)
    scale = TemperatureScale(*map(round, WINDOW_CELSIUS))
    for sequence in sequences:
        stem = folder / sequence.sequence_id
        _write_film(stem.with_suffix(".mkv"), map(encode_celsius, _images(sequence)), rate, "ffv1", "gray16le", {})
        painted = map(scale.paint, _images(sequence))
        _write_film(stem.with_suffix(".mp4"), map(_whole_blocks, painted), rate, "libx264", "yuv420p", _PREVIEW)
        _write_labels(stem, sequence, float(rate))


def _images(sequence: ThermalSequence) -> Iterator[np.ndarray]:
    for start in range(0, len(sequence), _BATCH):
        yield from sequence.read("thermal", slice(start, start + _BATCH))


def _whole_blocks(image: np.ndarray) -> np.ndarray:
    """An image (H, W, 3) of whole macroblocks, the last row and column repeated.

    Chroma needs even sides; and of a block that is not whole, an encoder may see what happens to lie in memory.
    """
    height, width = image.shape[:2]
    return np.pad(image, ((0, -height % _BLOCK), (0, -width % _BLOCK), (0, 0)), mode="edge")


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


def _write_labels(stem: Path, sequence: ThermalSequence, rate: float) -> None:
    curves = sequence.curves()
    names = ("time", "intensity", *EXPRESSION_PARAMETERS, *BODY_TEMPERATURES)
    columns = {name: curves[name] for name in names}
    columns |= {name: curves[array][:, place] for name, (array, place) in _ANGLES.items()}
    with open(stem.with_suffix(".csv"), "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["frame", *columns])
        for number, row in enumerate(zip(*columns.values(), strict=True)):
            writer.writerow([number, *(f"{value:.6g}" for value in row)])
    points = ("landmarks_70", "landmarks_478", "landmarks_478_visibility")
    np.savez(stem.with_suffix(".npz"), **{name: curves[name] for name in points})
    about = {**describe_sequence(sequence), "frames": len(sequence), "frames_per_second": rate}
    stem.with_suffix(".json").write_text(json.dumps(about, indent=1) + "\n")


def describe_sequence(sequence: ThermalSequence) -> dict[str, str | int]:
    """What all frames of a sequence have in common, as JSON values."""
    return {
        "sequence_id": sequence.sequence_id,
        "subject_id": sequence.subject_id,
        "look": sequence.look,
        "expression": sequence.expression.name.lower(),
        "state": sequence.state.name.lower(),
        "apparent_sex": sequence.apparent_sex.name.lower(),
    }
