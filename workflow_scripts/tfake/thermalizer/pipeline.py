"""The inside of a thermalizing job: decode, network, encode, side by side.

    threads: read and decode -> black background, lenses      a few images ahead of the network
    this thread:                                network       one batch in flight while the next is gathered
    threads: background -> counts -> sums by class -> chunk   a few images behind it

Each stage asks the one before it for its next piece, so memory is a few images' whatever the shard's length. Rows come
out in order; neither threads nor batches change a byte of them.

A network that takes one image at a time, as on a CPU, has no stage of its own: each thread takes an image through all
three. The cores are as busy as with several at one image, and nobody waits for the slowest of them.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
import pandas as pd

from tfake.codes import SampleStatus
from tfake.overlap import map_ahead
from tfake.radiometry import NO_IMAGE, encode_celsius
from tfake.store.image_reader import ImageReader
from tfake.store.statistics import CountStatistics
from tfake.thermalizer.foreground import fill_glasses, mask_background, set_background
from tfake.thermalizer.inference import Thermalizer


@dataclass(frozen=True)
class PreparedImage:
    """A source image as the network takes it."""

    image_id: str
    masked: np.ndarray  # (H, W, 3) uint8, background black
    filled: np.ndarray  # (H, W) uint8 class ids, lenses filled


@dataclass(frozen=True)
class ThermalRow:
    """A finished row."""

    chunk: bytes  # its counts, compressed
    sums: np.ndarray | None  # of CountStatistics; None where there is no image


def thermalize_rows(
    thermalizer: Thermalizer,
    source: ImageReader,
    records: pd.DataFrame,
    pixels: int,
    ambient_celsius: float,
    compress: Callable[[np.ndarray], bytes],
    threads: int,
) -> Iterator[ThermalRow]:
    """Thermalize rows of the index.

    Args:
        thermalizer: the trained network.
        source: its images and class maps.
        records: rows of the index; those whose status is not OK become rows of ``NO_IMAGE``.
        pixels: height and width of the images.
        ambient_celsius: the room's temperature.
        compress: (H, W) uint16 counts to the bytes of a chunk; called from several threads.
        threads: threads beside the caller's.

    Yields:
        One row a record, in their order.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
        StoreError: a shard of decoded images is damaged.
        ValueError: the network's temperatures of an image, which is named, are not finite.
    """
    missing = ThermalRow(compress(np.full((pixels, pixels), NO_IMAGE, np.uint16)), None)
    prepare = partial(_prepare, source)
    finish = partial(_finish, missing, ambient_celsius, compress)
    ahead = 2 * thermalizer.batch_images + threads
    with ThreadPoolExecutor(max(1, threads)) as pool:
        if thermalizer.batch_images == 1:
            whole = partial(_thermalize_alone, thermalizer, ambient_celsius, prepare, finish)
            yield from map_ahead(pool, whole, records.itertuples(), ahead)
        else:
            prepared = map_ahead(pool, prepare, records.itertuples(), ahead)
            yield from map_ahead(pool, finish, _generate(thermalizer, prepared, ambient_celsius), ahead)


def _thermalize_alone(
    thermalizer: Thermalizer, ambient_celsius: float, prepare: Callable, finish: Callable, record
) -> ThermalRow:
    image = prepare(record)
    if image is None:
        return finish(None)
    celsius = thermalizer.start(image.masked[None], image.filled[None], ambient_celsius)()
    return finish((image, celsius[0]))


def _prepare(source: ImageReader, record) -> PreparedImage | None:
    if record.status != SampleStatus.OK:
        return None
    rgb, classes = source.read_rgb(record), source.read_classes(record)
    return PreparedImage(record.image_id, mask_background(rgb, classes), fill_glasses(classes))


def _generate(
    thermalizer: Thermalizer, prepared: Iterator[PreparedImage | None], ambient_celsius: float
) -> Iterator[tuple[PreparedImage, np.ndarray] | None]:
    """The network's stage: (H, W) float32 °C for each image, None for rows without one."""
    in_flight: Callable[[], Iterator] = partial(iter, ())
    while group := list(islice(prepared, thermalizer.batch_images)):
        images = [image for image in group if image is not None]
        celsius = _nothing
        if images:
            masked, filled = np.stack([image.masked for image in images]), np.stack([image.filled for image in images])
            celsius = thermalizer.start(masked, filled, ambient_celsius)
        yield from in_flight()
        in_flight = partial(_collect, group, celsius)
    yield from in_flight()


def _nothing() -> tuple[()]:
    return ()


def _collect(
    group: list[PreparedImage | None], celsius: Callable[[], np.ndarray]
) -> Iterator[tuple[PreparedImage, np.ndarray] | None]:
    generated = iter(celsius())
    for image in group:
        yield None if image is None else (image, next(generated))


def _finish(
    missing: ThermalRow,
    ambient_celsius: float,
    compress: Callable[[np.ndarray], bytes],
    generated: tuple[PreparedImage, np.ndarray] | None,
) -> ThermalRow:
    if generated is None:
        return missing
    image, celsius = generated
    try:
        # Filling lenses leaves the background as it was.
        counts = encode_celsius(set_background(celsius, image.filled, ambient_celsius))
    except ValueError as error:
        raise ValueError(f"{image.image_id}: {error}") from error
    return ThermalRow(compress(counts), CountStatistics.sums_of(counts, image.filled))
