"""Many rows labelled: one backend a process, as many processes as there are threads to use."""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import cv2
import pandas as pd

from tfake.labels.backends import Finder, open_finder
from tfake.labels.detection import LabelSettings
from tfake.labels.labelling import FaceLabels, label_face
from tfake.processes import single_threaded
from tfake.sources.archive import Archive
from tfake.sources.samples import Sample, read_landmarks
from tfake.store.image_reader import ImageReader

#: Rows that a worker takes at once, and how many such portions lie ahead of the consumer, a worker.
_PORTION, _AHEAD = 8, 3

_finder: Finder | None = None


def label_rows(
    archive: Archive, images: ImageReader, records: pd.DataFrame, settings: LabelSettings, processes: int
) -> Iterator[tuple[Sample, FaceLabels]]:
    """Read and label samples; neither the number of processes nor the order changes a result.

    Args:
        archive: the open archive, for the exact points.
        images: the archive's images and class maps.
        records: rows of the index that can be used.
        settings: backend and thresholds.
        processes: worker processes; 1 works in this one.

    Yields:
        Each sample with its labels, in the order of the records.

    Raises:
        SampleError: a sample that was good when indexed is not any more.
        StoreError: a shard of decoded images is damaged.
    """
    if processes == 1:
        with open_finder(settings) as finder:
            for record in records.itertuples():
                yield _label(archive, images, settings, finder, record)
        return
    portions = (records.iloc[start : start + _PORTION] for start in range(0, len(records), _PORTION))
    with (
        single_threaded(),
        ProcessPoolExecutor(
            processes, mp_context=get_context("spawn"), initializer=_start_worker, initargs=(settings,)
        ) as pool,
    ):
        work = partial(_label_portion, archive, images, settings)
        waiting = [pool.submit(work, portion) for _, portion in zip(range(processes * _AHEAD), portions, strict=False)]
        try:
            while waiting:
                done = waiting.pop(0).result()
                waiting.extend(pool.submit(work, portion) for _, portion in zip(range(1), portions, strict=False))
                yield from done
        finally:
            for future in waiting:
                future.cancel()


def _label(archive: Archive, images: ImageReader, settings: LabelSettings, finder: Finder, record):
    sample = Sample(images.read_rgb(record), images.read_classes(record), read_landmarks(archive, record))
    return sample, label_face(sample, finder, settings)


def _start_worker(settings: LabelSettings) -> None:
    global _finder
    cv2.setNumThreads(1)
    # Closed with the process.
    _finder = open_finder(settings)


def _label_portion(archive: Archive, images: ImageReader, settings: LabelSettings, records: pd.DataFrame):
    return [_label(archive, images, settings, _finder, record) for record in records.itertuples()]
