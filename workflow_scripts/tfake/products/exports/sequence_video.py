"""Sequences as films: 16-bit counts without loss, a preview in false colours, and the labels beside them."""

import csv
import json
from pathlib import Path

import numpy as np

from tfake.core.codes import BODY_TEMPERATURES, EXPRESSION_PARAMETERS
from tfake.products.exports.film_files import frame_rate, thermal_images, write_counts, write_preview
from tfake.reader.sequences import SequenceDataset, ThermalSequence

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
    rate = frame_rate(sequences)
    for sequence in sequences:
        stem = folder / sequence.sequence_id
        write_counts(stem.with_suffix(".mkv"), thermal_images(sequence), rate)
        write_preview(stem.with_suffix(".mp4"), thermal_images(sequence), rate)
        _write_labels(stem, sequence, float(rate))


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
