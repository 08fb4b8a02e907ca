"""The 478 points of the source's faces by row, out of the finished labels."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from tfake.core.codes import SampleStatus
from tfake.store.arrays import open_store
from tfake.store.shards import ShardReader, StoreError


class MeshReader:
    """Reads ``landmarks_478`` of ``faces.zarr``; may be used from several threads."""

    def __init__(self, store: str | Path, source_sha256: str) -> None:
        """Open the store, of which the shards that are read must be written.

        Args:
            store: the folder ``faces.zarr``.
            source_sha256: identity of the source that records come from (``attrs`` of the index).

        Raises:
            FileNotFoundError: there is no store.
            StoreError: it was made from another source.
        """
        if (found := open_store(store).attrs.get("source_sha256")) != source_sha256:
            raise StoreError(f"{store}: its labels are of the source {found}; expected {source_sha256}")
        self._points = ShardReader(Path(store, "landmarks_478"))

    def read(self, record) -> np.ndarray | None:
        """A row's mesh: (478, 3) float32 pixels and depth; None where it has none.

        Args:
            record: a row of the index, as ``itertuples`` yields it.

        Raises:
            StoreError: the row's shard is damaged; the message names the file.
        """
        points = self._points.row(record.Index)
        return points if np.isfinite(points).all() else None


class SourceMeshes(Sequence[np.ndarray | None]):
    """The meshes of a source's usable images, in the order of :class:`tfake.archive.image_reader.SourceImages`."""

    def __init__(self, store: str | Path, records: pd.DataFrame) -> None:
        """Keep where they lie; arguments are as of ``MeshReader`` and ``SourceImages``."""
        self._meshes = MeshReader(store, records.attrs.get("source_sha256", ""))
        self._records = list(records[records["status"] == SampleStatus.OK].itertuples())

    def __len__(self) -> int:
        """Return the number of usable images."""
        return len(self._records)

    def __getitem__(self, index: int) -> np.ndarray | None:
        """Read one mesh, see ``MeshReader.read``."""
        return self._meshes.read(self._records[index])
