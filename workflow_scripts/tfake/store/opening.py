"""Opening stores for reading and writing, with the Rust codec pipeline, which is several times as fast as Zarr's own.

Zarr knows one pipeline for the whole process (``zarr.config``), read whenever an array is opened by any thread: that
setting belongs to the program that imports this package. So each array that is opened here is given its pipeline by
itself. The bytes are plain Zarr v3 with either.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import zarr
from zarr.abc.codec import CodecPipeline
from zarr.core.codec_pipeline import BatchedCodecPipeline
from zarr.storage import LocalStore
from zarrs import ZarrsCodecPipeline
from zarrs._internal import CodecPipelineImpl


class StoreGroup(Mapping[str, zarr.Array]):
    """A store's arrays by name, and its attributes."""

    def __init__(self, group: zarr.Group, threads: int | None):
        """Use :func:`open_store`."""
        self._group = group
        self._threads = threads

    @property
    def attrs(self):
        """Zarr's attributes of the store's root."""
        return self._group.attrs

    def __getitem__(self, name: str) -> zarr.Array:
        """Open an array.

        Raises:
            KeyError: there is none of this name.
        """
        return with_pipeline(self._group[name], self._threads)

    def __iter__(self) -> Iterator[str]:
        """The arrays' names."""
        return iter(self._group.array_keys())

    def __len__(self) -> int:
        """How many arrays there are."""
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        """Whether there is an array of this name; the folder is not listed for it."""
        return name in self._group


def open_store(path: str | Path, mode: str = "r", threads: int | None = None) -> StoreGroup:
    """Open a store of this workflow in a local folder.

    Args:
        path: the store's folder.
        mode: ``r`` or ``r+``.
        threads: as :func:`with_pipeline`.

    Raises:
        FileNotFoundError: there is no store.
    """
    return StoreGroup(zarr.open_group(path, mode=mode, zarr_format=3), threads)


def with_pipeline(array: zarr.Array, threads: int | None = None) -> zarr.Array:
    """Give an open array the pipeline that suits its place, whatever ``zarr.config`` says.

    Args:
        array: a Zarr v3 array, just opened; it is changed.
        threads: how many the Rust pipeline may use; None: as many as there are processors.

    Returns:
        The same array.
    """
    # Zarr's dataclass is frozen, and assigns this field in the same way.
    object.__setattr__(array.async_array, "codec_pipeline", _pipeline(array, threads))
    return array


def _pipeline(array: zarr.Array, threads: int | None) -> CodecPipeline:
    plain = BatchedCodecPipeline.from_codecs(array.metadata.codecs)
    if not isinstance(array.store, LocalStore):
        # The Rust pipeline fetches over the net by itself, and holds up every other Python thread while it waits.
        return plain
    try:
        rust = CodecPipelineImpl(
            json.dumps(array.metadata.to_dict()),
            store_config=array.store,
            validate_checksums=True,
            num_threads=threads,
        )
    except TypeError:
        # Somebody else's codecs.
        return plain
    return ZarrsCodecPipeline(metadata=array.metadata, store=array.store, impl=rust, python_impl=plain)
