"""Batches of source images, decoded ahead by threads while the consumer computes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd

from tfake.sources.archive import Archive
from tfake.sources.samples import SampleStatus, read_classes, read_rgb


@dataclass(frozen=True)
class ImageBatch:
    """Some usable samples of a shard."""

    rows: np.ndarray  # (B,) positions within the records given
    rgb: np.ndarray  # (B, H, W, 3) uint8
    classes: np.ndarray  # (B, H, W) uint8


def iterate_batches(
    paths: list[str], records: pd.DataFrame, pixels: int, batch_images: int, threads: int
) -> Iterator[ImageBatch]:
    """Yield the usable samples of some index rows in order; the next batch is decoded while one is in use.

    Args:
        paths: the archive's files.
        records: rows of the index; those whose status is not OK are skipped.
        pixels: height and width of the images.
        batch_images: images a batch; the last may hold fewer.
        threads: decoding threads.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
    """
    usable = np.flatnonzero((records["status"] == SampleStatus.OK).to_numpy())
    groups = [usable[start : start + batch_images] for start in range(0, len(usable), batch_images)]
    rows_of = list(records.itertuples())

    def read(row: int) -> tuple[np.ndarray, np.ndarray]:
        archive = Archive(paths)  # a file position of its own: threads read side by side
        return read_rgb(archive, rows_of[row], pixels), read_classes(archive, rows_of[row], pixels)

    with ThreadPoolExecutor(max(1, threads)) as pool:
        ahead = [pool.submit(read, row) for row in groups[0]] if groups else []
        for number, group in enumerate(groups):
            decoded = [future.result() for future in ahead]
            following = groups[number + 1] if number + 1 < len(groups) else ()
            ahead = [pool.submit(read, row) for row in following]
            yield ImageBatch(group, np.stack([rgb for rgb, _ in decoded]), np.stack([ids for _, ids in decoded]))
