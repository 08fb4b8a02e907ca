"""The visible images of a dataset's rows: out of the dataset, where it keeps them, or out of the source's archive.

Archives are known by the same identity as in the stores, so that row i of another one is never taken for this row.
"""

import os
from collections.abc import Callable, Sequence

import numpy as np

from tfake.core.codes import SampleStatus
from tfake.core.extras import needs_extra
from tfake.reader.dataset_store import FACES, DatasetError, DatasetStore, LabelSource

_IMAGES = "images/images.zarr"
#: Written when the store is complete.
_SUMS = "images/SHA256SUMS"

#: (n,) row numbers to (n, H, W, 3) uint8; 0 throughout where the sample cannot be used.
RgbRows = Callable[[np.ndarray], np.ndarray]


def find_rgb(
    store: DatasetStore, labels: LabelSource, statuses: np.ndarray, archive: str | os.PathLike | Sequence[str] | None
) -> RgbRows:
    """What reads the visible images; may be sent to another process.

    Args:
        store: the dataset.
        labels: where the labels come from: in another geometry than the source's there are no visible images.
        statuses: (N,) SampleStatus of the source.
        archive: one zip, or all its raw split parts in order; not looked at where the dataset keeps the images.

    Raises:
        DatasetError: the dataset keeps none and no archive is named, the archive is another one than the faces were
            made from, or the variant's geometry is not the source's.
        ArchiveError: the archive cannot be read.
    """
    if "segmentation" in labels.own:
        raise DatasetError(
            f"variant {labels.variant!r} has a geometry of its own, which rgb does not: open the variant that it was "
            "recorded from, or leave rgb out of the fields"
        )
    source = store.attributes(FACES).get("source_sha256")
    if store.has(_SUMS) and store.attributes(_IMAGES).get("source_sha256") == source:
        return _StoredRgb(store)
    if archive is None:
        raise DatasetError(
            f"{store.address} does not keep the source's images, so that rgb cannot be read: name the archive that the "
            "faces were made from, open_dataset(..., archive='dataset_100000.zip'), or run the workflow with "
            "store.rgb: kept"
        )
    paths = [archive] if isinstance(archive, str | os.PathLike) else archive
    return _ArchiveRgb(store, [os.fspath(path) for path in paths], statuses, source)


class _StoredRgb:
    def __init__(self, store: DatasetStore):
        self._store = store

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        return self._store.rows(f"{_IMAGES}/rgb", rows)


class _ArchiveRgb:
    def __init__(self, store: DatasetStore, paths: Sequence[str], statuses: np.ndarray, source: str | None):
        # Here, for it takes OpenCV and pandas.
        with needs_extra("rgb", "reading rgb from the source's archive"):
            from tfake.archive.image_reader import ArchiveImages
            from tfake.archive.index import select_samples, source_identity
            from tfake.archive.zip_archive import list_members, open_archive
        self._pixels = store.metadata(f"{FACES}/segmentation").shape[1]
        self._statuses = statuses
        self._images = ArchiveImages(paths, self._pixels)
        where = ", ".join(map(str, paths))
        table = select_samples(list_members(open_archive(paths)), len(statuses), where)
        if (found := source_identity(table)) != source:
            raise DatasetError(
                f"{where} is not the archive that {store.address} was made from: its first {len(statuses)} samples are "
                f"the source {found}, the faces' is {source}"
            )
        self._table = table

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        rgb = np.zeros((len(rows), self._pixels, self._pixels, 3), np.uint8)
        for image, row in zip(rgb, rows, strict=True):
            if self._statuses[row] == SampleStatus.OK:
                # Records themselves cannot be sent to other processes.
                (record,) = self._table.iloc[row : row + 1].itertuples()
                image[:] = self._images.read_rgb(record)
        return rgb
