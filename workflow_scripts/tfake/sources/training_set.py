"""The source as the sequence of images that training asks for."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tfake.codes import SampleStatus
from tfake.store.image_reader import open_images


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
