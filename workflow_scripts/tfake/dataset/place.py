"""Where a dataset lies - a folder, a zip, a URL - as one Zarr store, opened anew in each process that reads it."""

import asyncio
import json
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from zarr.abc.store import Store, SuffixByteRequest
from zarr.core.buffer import Buffer, default_buffer_prototype
from zarr.core.sync import sync
from zarr.errors import ArrayNotFoundError
from zarr.storage import FsspecStore, LocalStore, ZipStore

from tfake.dataset.reading import read_rows
from tfake.store.arrays import StoreError
from tfake.store.opening import with_pipeline
from tfake.store.shard_reader import ShardReader

#: Held against the process that reads: in a forked one the codecs' thread pool has lost its threads.
_IMPORTED_IN = os.getpid()
#: The store of what does not depend on a variant.
FACES = "faces/faces.zarr"
#: A dataset is a folder that holds this file; a zip may hold the folder itself.
_MARK = f"{FACES}/zarr.json"
#: How deep below a dataset's folder an array lies: variants, NAME, thermal.zarr, thermal.
_DEPTH = 4
#: What a run leaves before its faces, and what exports hold.
_BEGUN = ("variants", "thermalizers", "source")
_EXPORTED = ("keypoints_70.json", "annotations.pkl", "000000.tar", "landmarks_70")


class DatasetError(ValueError):
    """What was named is no dataset, or lacks what was asked for; the message says what was found instead."""


class Place:
    """A dataset's files.

    Sent to another process, or found in a forked one, it leaves open files behind and opens its own.
    """

    def __init__(self, address: str | os.PathLike):
        """Find the dataset; nothing but names is read.

        Args:
            address: a results folder or a published one, a zip of either, or an fsspec URL of any of these
                (``https://...``, ``s3://...``, ``memory://...``; a URL that ends in ``.zip`` is a zip there).

        Raises:
            DatasetError: nothing is there, or it holds no ``faces/faces.zarr``.
        """
        self.address = os.path.expanduser(os.fspath(address))
        self._opened: tuple[int, Store, dict[str, zarr.Array], dict[str, ShardReader | None]] | None = None
        self._prefix = ""
        self._prefix = self._find_prefix()

    def __getstate__(self):
        """Leave open files behind."""
        return {"address": self.address, "_prefix": self._prefix, "_opened": None}

    def array(self, path: str) -> zarr.Array:
        """Open an array, once a process.

        Args:
            path: the array below the dataset's folder.

        Raises:
            KeyError: there is no such array.
        """
        store, arrays, _ = self._open()
        if path not in arrays:
            try:
                opened = zarr.open_array(store=store, path=self._prefix + path, mode="r", zarr_format=3)
            except (ArrayNotFoundError, FileNotFoundError) as error:
                raise KeyError(f"{self.address} has no array {path}") from error
            # A forked process has the parent's thread pool but none of its threads: with one worker none is used.
            arrays[path] = with_pipeline(opened, threads=None if os.getpid() == _IMPORTED_IN else 1)
        return arrays[path]

    def rows(self, path: str, rows: np.ndarray) -> np.ndarray:
        """Read rows of an array, in any order (:func:`tfake.dataset.reading.read_rows`).

        Raises:
            KeyError: there is no such array.
            StoreError: a shard is damaged.
        """
        store, _, readers = self._open()
        array = self.array(path)
        if path not in readers:
            readers[path] = _shard_reader(store, self._prefix + path, array)
        return read_rows(array, rows, readers[path])

    def has(self, path: str) -> bool:
        """Whether there is a file of this name below the dataset's folder."""
        return self.read(path) is not None

    def read(self, path: str) -> bytes | None:
        """The bytes of a file below the dataset's folder; None where there is no such file."""
        store, *_ = self._open()
        found = sync(store.get(self._prefix + path, default_buffer_prototype()))
        return None if found is None else found.to_bytes()

    def attributes(self, path: str) -> dict[str, Any]:
        """The attributes of a Zarr group or array below the dataset's folder; none where there is none."""
        metadata = self.read(f"{path}/zarr.json")
        return {} if metadata is None else json.loads(metadata).get("attributes", {})

    def ends(self, paths: Sequence[str], size: int) -> list[bytes | None]:
        """The last bytes of files below the dataset's folder, asked for side by side; None where there is no file.

        Args:
            paths: the files.
            size: how many bytes of each; shorter files come whole.
        """
        store, *_ = self._open()
        found = sync(_read_ends(store, [self._prefix + path for path in paths], size))
        return [None if buffer is None else buffer.to_bytes() for buffer in found]

    def names(self, folder: str) -> list[str]:
        """Names of what lies in a folder below the dataset's, sorted; none where the place cannot be listed."""
        store, *_ = self._open()

        try:
            return sorted(sync(_list_names(store, (self._prefix + folder).rstrip("/"))))
        except (FileNotFoundError, NotImplementedError):
            return []

    def _open(self) -> tuple[Store, dict[str, zarr.Array], dict[str, ShardReader | None]]:
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = (os.getpid(), _open_store(self.address), {}, {})
        return self._opened[1:]

    def _find_prefix(self) -> str:
        if self.has(_MARK):
            return ""
        if self.address.endswith(".zip"):
            inside = [f"{name}/" for name in self.names("")]
            found = [prefix for prefix in inside if self.has(prefix + _MARK)]
            if len(found) == 1:
                return found[0]
        listed = ", ".join(self.names("")[:8]) or "nothing that can be listed"
        message = f"{self.address} holds no {FACES} and so is no dataset; found {listed}"
        raise DatasetError("; ".join([message, *self._advice()]))

    def _advice(self) -> list[str]:
        """What to do instead, where that can be told from what is there."""
        if any(name in self.names("") for name in _EXPORTED):
            return ["it is an export for other programs: open the results, or what `snakemake publish` makes"]
        if self.has(f"results/{_MARK}"):
            return [f"the dataset is its folder results: open {self.address.rstrip('/')}/results"]
        if "://" not in self.address:
            here = Path(self.address).absolute()
            if above := [folder for folder in here.parents[:_DEPTH] if (folder / _MARK).is_file()]:
                return [f"it lies in the dataset {above[0]}: open that, and name a variant by variants=[...]"]
        if self.has("thermal.zarr/zarr.json") or any(name in self.names("") for name in _BEGUN):
            return ["ids and labels are made by `snakemake --cores all faces`, in the folder that holds results"]
        return []


def _shard_reader(store: Store, path: str, array: zarr.Array) -> ShardReader | None:
    """What reads single rows; None where a place or a layout, such as one chunk a shard, leaves that to Zarr."""
    if not isinstance(store, LocalStore):
        return None
    try:
        return ShardReader(store.root / path, array)
    except StoreError:
        return None


async def _read_ends(store: Store, paths: Sequence[str], size: int) -> list[Buffer | None]:
    wanted = SuffixByteRequest(size)
    return await asyncio.gather(*(store.get(path, default_buffer_prototype(), wanted) for path in paths))


async def _list_names(store: Store, folder: str) -> list[str]:
    if not isinstance(store, FsspecStore):
        return [name async for name in store.list_dir(folder)]
    # The store's own listing puts a slash before the name, which is another folder to fsspec's zips.
    paths = await store.fs._ls("/".join(part for part in (store.path, folder) if part), detail=False)
    return [path.rstrip("/").rpartition("/")[2] for path in paths]


def _open_store(address: str) -> Store:
    is_zip = address.endswith(".zip")
    if "://" in address:
        try:
            return FsspecStore.from_url(f"zip::{address}" if is_zip else address, read_only=True)
        except FileNotFoundError as error:
            raise DatasetError(f"{address} does not exist") from error
    path = Path(address)
    if is_zip and path.is_file():
        try:
            return sync(ZipStore.open(path, mode="r"))
        except zipfile.BadZipFile as error:
            raise DatasetError(f"{address} is no zip: {error}") from error
    if not path.is_dir():
        raise DatasetError(f"{address} does not exist, or is neither a folder nor a zip")
    return LocalStore(path, read_only=True)
