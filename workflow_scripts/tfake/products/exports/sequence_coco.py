"""Sequences as COCO keypoints with the videos that the frames belong to, as video sets on COCO's base have them."""

import json
import math
from pathlib import Path
from typing import Any

from tfake.core.codes import PointState
from tfake.core.radiometry import encode_celsius
from tfake.pages.page_images import encode_png
from tfake.products.exports.coco import FACES_70, MESH_478, POINT_SETS, annotate, describe_points
from tfake.products.exports.image_folders import CORNER
from tfake.products.exports.sequence_video import describe_sequence
from tfake.products.publication.facts import terms_of
from tfake.reader.sequences import SequenceDataset


def write_sequence_coco(folder: Path, sequences: SequenceDataset) -> None:
    """Write ``images/{id}/{frame}.png`` (counts of 0.01 K) and a JSON file each for the 70 and the 478 points.

    Images name their ``video_id`` and ``frame_id``, annotations their ``instance_id``, the person; ``videos`` say what
    each sequence shows. The ``intensity`` of an expression is null where nobody knows it. All else is as
    :func:`tfake.products.exports.coco.write_coco` has it.

    Args:
        folder: an empty folder.
        sequences: which.
    """
    images: list[dict[str, Any]] = []
    videos: list[dict[str, Any]] = []
    annotations: dict[str, list[dict[str, Any]]] = {point_set.name: [] for point_set in POINT_SETS.values()}
    people = {subject: number for number, subject in enumerate(sorted(set(sequences.subject_ids)), start=1)}
    for video, sequence in enumerate(sequences, start=1):
        about = describe_sequence(sequence)
        videos.append({"id": video, "name": sequence.sequence_id, "fps": sequences.frames_per_second, **about})
        (folder / "images" / sequence.sequence_id).mkdir(parents=True)
        curves = sequence.curves()
        for number, row in enumerate(sequence.rows.tolist()):
            celsius, classes = (sequence.read(name, [number])[0] for name in ("thermal", "segmentation"))
            height, width = celsius.shape
            name = f"images/{sequence.sequence_id}/{number:06d}.png"
            (folder / name).write_bytes(encode_png(encode_celsius(celsius)))
            place = {"video_id": video, "frame_id": number, "license": 1}
            images.append({"id": row, "file_name": name, "width": width, "height": height, **place})
            whole = curves["landmarks_70"][number]
            inside = ((whole > -CORNER) & (whole < [width - CORNER, height - CORNER])).all(axis=1)
            seen = curves["landmarks_478_visibility"][number] == PointState.VISIBLE
            strength = float(curves["intensity"][number])
            own = {
                "video_id": video,
                "instance_id": people[sequence.subject_id],
                "intensity": round(strength, 4) if math.isfinite(strength) else None,
            }
            annotations[FACES_70.name].append({**annotate(row, classes, whole, inside), **own})
            mesh = curves["landmarks_478"][number, :, :2]
            annotations[MESH_478.name].append({**annotate(row, classes, mesh, seen), **own})
    terms = terms_of(sequences.attributes["license"])
    for name, point_set in POINT_SETS.items():
        content = {
            "info": {"description": "Sequences of synthetic thermal faces", "version": "1.0"},
            "licenses": [{"id": 1, "name": terms.title, "url": terms.url, "attribution": terms.attribution}],
            "videos": videos,
            "images": images,
            "annotations": annotations[point_set.name],
            "categories": [describe_points(point_set)],
        }
        (folder / name).write_text(json.dumps(content) + "\n")
