"""Sequences as the MOT challenge lays them out: a folder each with images, true boxes and an ini file."""

from pathlib import Path

import numpy as np

from tfake.core.radiometry import encode_celsius
from tfake.pages.page_images import encode_png
from tfake.products.exports.image_folders import CORNER
from tfake.reader.sequences import SequenceDataset, ThermalSequence

_INI = """\
[Sequence]
name={name}
imDir=img1
frameRate={rate:g}
seqLength={frames}
imWidth={width}
imHeight={height}
imExt=.png
"""


def write_mot(folder: Path, sequences: SequenceDataset) -> None:
    """Write ``{id}/img1/{frame}.png`` (counts of 0.01 K), ``{id}/gt/gt.txt`` and ``{id}/seqinfo.ini``.

    A line of the ground truth is ``frame,id,left,top,width,height,1,1,visibility``: frames from 1, the box around the
    70 points with the image's corner at (1, 1), as the challenge has it, and what part of the box lies in the image.
    Each sequence shows one person, whose number is that of the subject, from 1.

    Args:
        folder: an empty folder.
        sequences: which.
    """
    for sequence in sequences:
        own = folder / sequence.sequence_id
        (own / "img1").mkdir(parents=True)
        (own / "gt").mkdir()
        shape = (0, 0)
        for number in range(len(sequence)):
            (image,) = sequence.read("thermal", [number])
            shape = image.shape
            (own / "img1" / f"{number + 1:06d}.png").write_bytes(encode_png(encode_celsius(image)))
        (own / "gt" / "gt.txt").write_text("".join(_lines(sequence, shape)))
        (own / "seqinfo.ini").write_text(
            _INI.format(
                name=sequence.sequence_id,
                rate=sequences.frames_per_second,
                frames=len(sequence),
                width=shape[1],
                height=shape[0],
            )
        )


def _lines(sequence: ThermalSequence, shape: tuple[int, int]) -> list[str]:
    points = sequence.read("landmarks_70").astype(np.float64) + CORNER
    low, high = points.min(axis=1), points.max(axis=1)
    inside = np.clip(high, 0, shape[::-1]) - np.clip(low, 0, shape[::-1])
    visible = inside.prod(axis=1) / (high - low).prod(axis=1)
    person = int(sequence.subject_id.lstrip("s")) + 1
    return [
        f"{number},{person},{left + 1:.2f},{top + 1:.2f},{width:.2f},{height:.2f},1,1,{part:.3f}\n"
        for number, ((left, top), (width, height), part) in enumerate(zip(low, high - low, visible, strict=True), 1)
    ]
