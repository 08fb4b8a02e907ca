"""The source's images and class maps by row: out of the archive, or out of the store that keeps them decoded.

Whoever reads images takes an :class:`ImageReader` and need not know which: the values are the same.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from tfake.archive.samples import read_classes, read_rgb
from tfake.archive.zip_archive import Archive
from tfake.core.codes import SampleStatus
from tfake.store.arrays import open_store
from tfake.store.shards import ShardReader, StoreError


class ImageReader(Protocol):
    """Reads usable rows; may be used from several threads, and be sent to another process.

    A record is a row of the index (:func:`tfake.archive.index.read_index`), as ``itertuples`` yields it.
    """

    def read_rgb(self, record) -> np.ndarray:
        """A sample's image: (H, W, 3) uint8 RGB, perhaps not to be written to."""

    def read_classes(self, record) -> np.ndarray:
        """A sample's class map: (H, W) uint8 ids."""


class ArchiveImages:
    """An :class:`ImageReader` that decodes the archive's PNGs."""

    def __init__(self, paths: Sequence[str | Path], pixels: int):
        """Take an archive.

        Args:
            paths: one zip, or all its raw split parts in order.
            pixels: the height and width every image must have.

        Raises:
            ArchiveError: a path is missing, or the parts are not in order.
        """
        self._archive, self._pixels = Archive(paths), pixels

    def read_rgb(self, record) -> np.ndarray:
        """See :class:`ImageReader`. Raises as :func:`tfake.archive.samples.read_sample`."""
        return read_rgb(self._archive, record, self._pixels)

    def read_classes(self, record) -> np.ndarray:
        """See :class:`ImageReader`. Raises as :func:`tfake.archive.samples.read_sample`."""
        return read_classes(self._archive, record, self._pixels)


class StoredImages:
    """An :class:`ImageReader` of ``images.zarr``, some ten times as fast as the archive."""

    def __init__(self, store: str | Path, source_sha256: str, pixels: int):
        """Open the store.

        Args:
            store: the folder ``images.zarr``.
            source_sha256: identity of the source that records come from (``attrs`` of the index).
            pixels: the height and width every image must have.

        Raises:
            FileNotFoundError: there is no store.
            StoreError: it was made from another source, or its images have another size.
        """
        self._made_with = store, source_sha256, pixels
        opened = open_store(store)
        if (found := opened.attrs.get("source_sha256")) != source_sha256:
            raise StoreError(f"{store}: was decoded from the source {found}; expected {source_sha256}")
        if (found := opened["rgb"].shape[1:]) != (pixels, pixels, 3):
            raise StoreError(f"{store}/rgb: expected images of {(pixels, pixels, 3)}, found {found}")
        self._rgb, self._classes = (ShardReader(Path(store, name)) for name in ("rgb", "segmentation"))

    def __reduce__(self):
        """Leave what is open behind: each process opens the store anew."""
        return type(self), self._made_with

    def read_rgb(self, record) -> np.ndarray:
        """See :class:`ImageReader`.

        Raises:
            StoreError: the row's shard is damaged; the message names the file.
        """
        return self._rgb.row(record.Index)

    def read_classes(self, record) -> np.ndarray:
        """See :class:`ImageReader`. Raises as :meth:`read_rgb`."""
        return self._classes.row(record.Index)


def open_images(
    archive: Sequence[str | Path], pixels: int, store: str | Path | None = None, source_sha256: str = ""
) -> ImageReader:
    """The source's images: the store's where there is one, otherwise the archive's.

    Args:
        archive: as in :class:`ArchiveImages`; not looked at where there is a store.
        pixels: the height and width every image must have.
        store: as in :class:`StoredImages`; None: the archive is read.
        source_sha256: as in :class:`StoredImages`.

    Raises:
        ArchiveError: as :class:`ArchiveImages`.
        StoreError: as :class:`StoredImages`.
    """
    return ArchiveImages(archive, pixels) if store is None else StoredImages(store, source_sha256, pixels)


class SourceImages(Sequence[tuple[np.ndarray, np.ndarray]]):
    """The usable images of a source, each with its class map, read when asked for."""

    def __init__(self, paths: Sequence[str], records: pd.DataFrame, pixels: int, images: str | None = None):
        """Keep where the samples lie.

        Args:
            paths: one zip, or all its raw split parts in order.
            records: the archive's index; rows whose status is not OK are left out.
            pixels: height and width of the images.
            images: the folder ``images.zarr``, where the source is kept decoded; the archive is then not looked at.
        """
        self._images = open_images(paths, pixels, images, records.attrs.get("source_sha256", ""))
        self._records = list(records[records["status"] == SampleStatus.OK].itertuples())

    def __len__(self) -> int:
        """Return the number of usable images."""
        return len(self._records)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read one image: (H, W, 3) uint8 RGB and (H, W) uint8 class ids.

        Raises:
            SampleError: a sample that was good when indexed is not any more: the archive has changed.
            StoreError: a shard of decoded images is damaged.
        """
        record = self._records[index]
        return self._images.read_rgb(record), self._images.read_classes(record)
