"""Which rows a variant has an image in: a slice has its rows, a published set its images, a cut run what it wrote."""

import json
from enum import IntEnum

import numpy as np

from tfake.core.codes import SampleStatus
from tfake.reader.dataset_store import FACES, DatasetError, DatasetStore
from tfake.store.shards import NO_CHUNK, empty_index, index_bytes, unpack_index

#: Rows whose pixels are looked at in one go.
_BATCH = 64
#: An image of one value throughout is a chunk of fewer bytes, or a smaller fraction of its pixels', than these.
_PLAIN_BYTES, _PLAIN_FRACTION = 512, 1 / 64
_ANOTHER_SOURCE = "row i is not the same face in both; run snakemake again, or open one of the variants that fit"


class ImageStatus(IntEnum):
    """Whether a variant has an image of a face, and why it has none."""

    OK = 0
    #: The source's sample cannot be used; its own status says why.
    NO_SAMPLE = 1
    #: The row lies outside the rows that the variant was made for, or its shard was not written yet.
    NOT_MADE = 2
    #: The variant was made for the row, but whoever published its images has none of this face.
    NOT_PUBLISHED = 3
    #: The temperature model makes the variant, and this face has no mesh that lays it on the head.
    NOT_MODELLED = 4


def image_statuses(store: DatasetStore, variant: str, samples: np.ndarray) -> np.ndarray:
    """The status of a variant's image in each row.

    The rows that a variant was made for follow from its ``summary.json``, which is written when it is complete. Where
    that is missing, or a usable face may have no image (of published and of modelled variants), the array itself is
    looked at: the lengths of its chunks, and the pixels of those short enough to be of one value.

    Args:
        store: the dataset.
        variant: one of its variants.
        samples: (N,) SampleStatus of the source.

    Returns:
        (N,) uint8 ImageStatus.

    Raises:
        DatasetError: the variant is of another source than the faces, or its ``summary.json`` cannot be read.
        tfake.store.shards.StoreError: a shard that had to be looked at is damaged.
    """
    folder = f"variants/{variant}"
    attributes = _check_source(store, f"{folder}/thermal.zarr", len(samples))
    shards = _read_shards(store, f"{folder}/summary.json")
    statuses = np.full(len(samples), ImageStatus.NOT_MADE, np.uint8)
    for start, stop in [(0, len(samples))] if shards is None else shards:
        statuses[start:stop] = ImageStatus.OK
    absent = ImageStatus.NOT_MODELLED if "modelled" in attributes else ImageStatus.NOT_PUBLISHED
    if shards is None or not attributes.keys().isdisjoint(("imported", "modelled")):
        made = np.flatnonzero(statuses == ImageStatus.OK)
        statuses[made] = _statuses_from_bytes(store, f"{folder}/thermal.zarr/thermal", made, absent)
    statuses[(samples != SampleStatus.OK) & (statuses != ImageStatus.NOT_MADE)] = ImageStatus.NO_SAMPLE
    return statuses


def _check_source(store: DatasetStore, folder: str, rows: int) -> dict:
    """The attributes of a variant's store, once it is known that its rows are those of the faces."""
    attributes, faces = store.attributes(folder), store.attributes(FACES)
    found = store.metadata(f"{folder}/thermal").shape[0]
    if found != rows:
        raise DatasetError(f"{store.address}: {folder} has {found} rows, {FACES} {rows}: {_ANOTHER_SOURCE}")
    if (made_from := attributes.get("source_sha256")) != (source := faces.get("source_sha256")):
        raise DatasetError(
            f"{store.address}: {folder} was made from the source {made_from}, {FACES} from {source}: {_ANOTHER_SOURCE}"
        )
    return attributes


def _read_shards(store: DatasetStore, path: str) -> list[list[int]] | None:
    """First row and stop of each shard that a store was closed with; None where it was not yet."""
    summary = store.read(path)
    if summary is None:
        return None
    try:
        return [shard["rows"] for shard in json.loads(summary)["shards"]]
    except (ValueError, KeyError, TypeError) as error:
        found = f"{type(error).__name__}: {error}"
        raise DatasetError(
            f"{store.address}: {path} is no summary of a store ({found}); delete it and run again"
        ) from error


def _statuses_from_bytes(store: DatasetStore, path: str, rows: np.ndarray, absent: ImageStatus) -> np.ndarray:
    """The statuses of some rows by their bytes: (n,) uint8; ``absent`` of those that hold no image."""
    array = store.metadata(path)
    lengths = _chunk_bytes(store, path, rows)
    found = np.where(lengths > 0, ImageStatus.OK, ImageStatus.NOT_MADE).astype(np.uint8)
    image_bytes = int(np.prod(array.shape[1:])) * array.dtype.itemsize
    plain = np.flatnonzero((lengths > 0) & (lengths <= max(_PLAIN_BYTES, image_bytes * _PLAIN_FRACTION)))
    # 8-bit displays have no such attribute: a row without an image is 0 throughout.
    missing = array.attributes.get("missing_value", 0)
    for start in range(0, len(plain), _BATCH):
        batch = plain[start : start + _BATCH]
        values = store.rows(path, rows[batch])
        found[batch[(values == missing).all(axis=(1, 2))]] = absent
        found[batch[(values == array.fill_value).all(axis=(1, 2))]] = ImageStatus.NOT_MADE
    return found


def _chunk_bytes(store: DatasetStore, path: str, rows: np.ndarray) -> np.ndarray:
    """The bytes of each row's chunk, from its shard's index: (n,) int; 0 where none was written."""
    array = store.metadata(path)
    if not (array.codec and array.has_row_chunks):
        # Laid out in another way, which Zarr may read: each row is short enough to be looked at.
        return np.ones(len(rows), np.int64)
    shards, slots = np.divmod(rows, array.file_rows)
    numbers, which = np.unique(shards, return_inverse=True)
    names = [f"{path}/{array.file_name(number)}" for number in numbers.tolist()]
    indices = [
        empty_index(array.file_rows) if end is None else unpack_index(end, name)
        for name, end in zip(names, store.ends(names, index_bytes(array.file_rows)), strict=True)
    ]
    found = np.stack(indices)[which, slots]
    return np.where(found[:, 0] == NO_CHUNK, 0, found[:, 1]).astype(np.int64)
