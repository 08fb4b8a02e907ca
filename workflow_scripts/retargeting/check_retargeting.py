"""Look at the pictures of stills in motion with FaceMesh, and compare what it says with the labels."""

import json
import logging
from collections import Counter
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tfake.archive.image_reader import open_images
from tfake.archive.index import read_index
from tfake.core.codes import RetargetStatus
from tfake.core.files import write_text_whole
from tfake.labels.detection import LabelSettings
from tfake.labels.labelling import open_backend
from tfake.reader.sequences import open_sequences
from tfake.retargeting.label_check import (
    LabelChange,
    LabelledPicture,
    compare_labels,
    find_points,
    motion_name,
    summarise,
)
from tfake.store.arrays import StoreGroup, open_store

#: What labels are asked to keep, over sqrt(w h).
_BOUND = 0.01
_RETRY_ABOVE = 0.04
_POINTS = ("landmarks_70", "landmarks_478", "landmarks_478_visibility")


def check_retargeting(
    figures: str,
    results: str,
    store: str,
    faces_store: str,
    archive: list[str],
    index: str,
    image_pixels: int,
    min_detection_confidence: float,
    images: str | None = None,
) -> None:
    """Write the figures of :func:`tfake.retargeting.label_check.summarise`, and how many frames have which status.

    Args:
        figures: the JSON file to write.
        results: the folder that holds ``sequences/sequences.zarr``.
        store: that store.
        faces_store: the ``faces.zarr`` of the source.
        archive: one zip, or all its raw split parts in order; none where ``images`` are given.
        index: the archive's index.
        image_pixels: height and width of the images.
        min_detection_confidence: 0..1, threshold of the face detector.
        images: the folder ``images.zarr``, where the source is kept decoded.
    """
    sequences, faces, table = open_sequences(results), open_store(faces_store), read_index(index)
    reader = open_images(archive, image_pixels, images, table.attrs["source_sha256"])
    settings = LabelSettings(
        "facemesh", None, min_detection_confidence, min_detection_confidence, _RETRY_ABOVE, 1, False
    )
    rows = {name: row for row, name in enumerate(table["image_id"])}
    changes: dict[str, list[LabelChange]] = {}
    unseen = 0
    with open_backend(settings) as backend:
        for sequence in tqdm(sequences, "check labels"):
            (image_id,) = {bytes(name).rstrip(b"\0").decode() for name in sequence.read("image_id", [0])}
            row = rows[image_id]
            record = next(table.iloc[row : row + 1].itertuples())
            still = LabelledPicture(reader.read_rgb(record), *(faces[name][row] for name in _POINTS))
            on_still = find_points(backend, still, _RETRY_ABOVE)
            expression = sequence.expression.name.lower()
            own = changes.setdefault(motion_name(sequence.sequence_id, sequence.subject_id, expression), [])
            for number in np.flatnonzero(sequence.read("status") == RetargetStatus.OK).tolist():
                moved = LabelledPicture(*(sequence.read(name, [number])[0] for name in ("rgb", *_POINTS)))
                on_moved = None if on_still is None else find_points(backend, moved, _RETRY_ABOVE)
                if on_still is None or on_moved is None:
                    unseen += 1
                else:
                    own.append(compare_labels(still, on_still, moved, on_moved))
    found = {
        "bound": _BOUND,
        "labels": summarise(changes, _BOUND),
        "frames_without_facemesh": unseen,
        "status": _count_statuses(open_store(store)),
    }
    logging.info("%s", found)
    write_text_whole(figures, json.dumps(found, indent=1) + "\n")


def _count_statuses(store: StoreGroup) -> dict[str, int]:
    return dict(Counter(RetargetStatus(int(code)).name.lower() for code in store["status"][:]))


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    check_retargeting(
        figures=snakemake.output.figures,
        results=str(Path(snakemake.input.report).parents[1]),
        store=str(Path(snakemake.input.root).parent),
        faces_store=str(Path(snakemake.input.faces_root).parent),
        archive=list(snakemake.input.archive),
        index=snakemake.input.index,
        image_pixels=snakemake.params.image_pixels,
        min_detection_confidence=snakemake.params.min_detection_confidence,
        images=str(Path(snakemake.input.images[0]).parent) if snakemake.input.images else None,
    )
