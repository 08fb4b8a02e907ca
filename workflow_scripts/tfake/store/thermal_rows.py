"""Rows of a thermal store on their way to the disk: counts, sums by class and a compressed chunk of each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from tqdm import tqdm

from tfake.core.radiometry import NO_IMAGE, encode_celsius
from tfake.store.statistics import CountStatistics
from tfake.store.stream import ShardStream

#: (H, W) uint16 counts to the bytes of a chunk; may be called from several threads.
Compress = Callable[[np.ndarray], bytes]


@dataclass(frozen=True)
class ThermalRow:
    """A finished row."""

    chunk: bytes  # its counts, compressed
    sums: np.ndarray | None  # of CountStatistics; None where there is no image


def missing_row(pixels: int, compress: Compress) -> ThermalRow:
    """The row of a face without an image: ``NO_IMAGE`` throughout."""
    return ThermalRow(compress(np.full((pixels, pixels), NO_IMAGE, np.uint16)), None)


def finish_row(image_id: str, celsius: np.ndarray, classes: np.ndarray, compress: Compress) -> ThermalRow:
    """Make a row of an image.

    Args:
        image_id: for the message of an error.
        celsius: (H, W) float32 °C.
        classes: (H, W) uint8 class ids, lenses filled, that its sums are taken by.
        compress: see :data:`Compress`.

    Raises:
        ValueError: a temperature is not finite, or cannot be stored; the image is named.
    """
    try:
        counts = encode_celsius(celsius)
    except ValueError as error:
        raise ValueError(f"{image_id}: {error}") from error
    return ThermalRow(compress(counts), CountStatistics.sums_of(counts, classes))


@dataclass(frozen=True)
class WrittenRows:
    """What came of a shard's rows.

    Attributes:
        images: rows that have an image.
        statistics: temperatures by class, as a manifest has them.
        streamed: SHA-256 of what was written, by array.
    """

    images: int
    statistics: dict[str, dict[str, float]]
    streamed: dict[str, str]


def write_rows(stream: ShardStream, rows: Iterator[ThermalRow], count: int, doing: str) -> WrittenRows:
    """Append a shard's rows to its open stream, and close it.

    Args:
        stream: of the array ``thermal``.
        rows: the next ``count`` of them are taken.
        count: rows of the shard.
        doing: what the progress bar says.
    """
    statistics, images = CountStatistics(), 0
    for row in tqdm(islice(rows, count), doing, count):
        stream.append(row.chunk)
        if row.sums is not None:
            statistics.add(row.sums)
            images += 1
    return WrittenRows(images, statistics.as_mapping(), {"thermal": stream.close()})
