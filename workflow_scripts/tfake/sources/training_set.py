"""A source archive as the sequence of images that training asks for."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from tfake.sources.archive import Archive
from tfake.sources.samples import SampleStatus, read_classes, read_rgb


class SourceImages(Sequence[tuple[np.ndarray, np.ndarray]]):
    """The usable images of an archive, each with its class map, read when asked for."""

    def __init__(self, paths: Sequence[str], records: pd.DataFrame, pixels: int):
        """Keep where the samples lie.

        Args:
            paths: one zip, or all its raw split parts in order.
            records: the archive's index; rows whose status is not OK are left out.
            pixels: height and width of the images.
        """
        self._archive = Archive(paths)
        self._records = list(records[records["status"] == SampleStatus.OK].itertuples())
        self._pixels = pixels

    def __len__(self) -> int:
        """Return the number of usable images."""
        return len(self._records)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read one image: (H, W, 3) uint8 RGB and (H, W) uint8 class ids.

        Raises:
            SampleError: a sample that was good when indexed is not any more: the archive has changed.
        """
        record = self._records[index]
        return read_rgb(self._archive, record, self._pixels), read_classes(self._archive, record, self._pixels)
