"""The faces an arm is scored on: an archive's usable samples, with their thermal truth where it is known."""

from collections.abc import Iterator, Sequence

import pandas as pd

from tfake.ablation.scores import Face
from tfake.codes import SampleStatus
from tfake.evaluation import read_truth
from tfake.sources.archive import Archive
from tfake.sources.samples import read_classes, read_rgb


def iterate_faces(archive: Sequence[str], index: pd.DataFrame, pixels: int, truth: str | None) -> Iterator[Face]:
    """Read the usable faces of an archive, in order.

    Args:
        archive: one zip, or all its raw split parts in order.
        index: the archive's index.
        pixels: height and width of the images.
        truth: zip of the thermal truth; None where there is none.

    Raises:
        SampleError: a sample that was good when indexed is not any more.
        TruthError: the truth does not fit the faces.
    """
    records = index[index["status"] == SampleStatus.OK]
    reader = Archive(archive)
    known = read_truth(truth, records["image_id"], (pixels, pixels)) if truth else ((None, None) for _ in records.index)
    for record, (expected, camera) in zip(records.itertuples(), known, strict=True):
        yield Face(read_rgb(reader, record, pixels), read_classes(reader, record, pixels), expected, camera)
