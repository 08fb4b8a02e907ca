"""Where a dataset lies - a folder, a zip, a URL - as named files and arrays, opened anew in each process that reads it.

A folder is read without Zarr; the others by it. A dataset may have several variants, each with labels of its own or
with those of the faces store.
"""

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tfake.core.extras import needs_extra
from tfake.store.shards import ArrayMetadata, ShardReader, StoreError, parse_metadata

if TYPE_CHECKING:
    import zarr
    from zarr.abc.store import Store


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


class DatasetStore:
    """A dataset's files and arrays, by their paths below its folder.

    Sent to another process, or found in a forked one, it leaves open files behind and opens its own.
    """

    def __init__(self, address: str | os.PathLike, holds: str = FACES):
        """Find the dataset; nothing but names is read.

        Args:
            address: a results folder or a published one, a zip of either, or an fsspec URL of any of these
                (``https://...``, ``s3://...``, ``memory://...``; a URL that ends in ``.zip`` is a zip there).
            holds: the store that makes it a dataset.

        Raises:
            DatasetError: nothing is there, or it does not hold that store.
            ModuleNotFoundError: a URL, and fsspec or what it needs for it is not installed.
        """
        self.address = os.path.expanduser(os.fspath(address))
        self._holds = holds
        self._opened: tuple[int, _Folder | _ZarrFiles, dict[str, ShardReader | zarr.Array]] | None = None
        self._prefix = ""
        self._prefix = self._find_prefix()

    def __getstate__(self):
        """Leave open files behind."""
        return {"address": self.address, "_holds": self._holds, "_prefix": self._prefix, "_opened": None}

    def array(self, path: str) -> "zarr.Array":
        """Open an array with Zarr.

        Raises:
            KeyError: there is no such array.
        """
        import zarr
        from zarr.errors import ArrayNotFoundError

        from tfake.store.arrays import with_pipeline

        files, _ = self._open()
        try:
            opened = zarr.open_array(store=files.zarr_store(), path=self._prefix + path, mode="r", zarr_format=3)
        except (ArrayNotFoundError, FileNotFoundError) as error:
            raise KeyError(f"{self.address} has no array {path}") from error
        # A forked process has the parent's thread pool but none of its threads: with one worker none is used.
        return with_pipeline(opened, threads=None if os.getpid() == _IMPORTED_IN else 1)

    def metadata(self, path: str) -> ArrayMetadata:
        """What an array's metadata say.

        Raises:
            KeyError: there is no such array.
            StoreError: it is no array of numbers.
        """
        reader = self._reader(path)
        if isinstance(reader, ShardReader):
            return reader.metadata
        return parse_metadata(json.dumps(reader.metadata.to_dict()))

    def rows(self, path: str, rows: np.ndarray | None = None) -> np.ndarray:
        """Read rows of an array; each file of it is read in one go.

        Args:
            path: the array.
            rows: (n,) int row numbers in any order, repeats allowed; None: all, in order.

        Returns:
            (n, ...) the rows, as stored.

        Raises:
            KeyError: there is no such array.
            StoreError: a shard is damaged.
        """
        reader = self._reader(path)
        rows = np.arange(self.metadata(path).shape[0]) if rows is None else rows
        return reader.rows(rows) if isinstance(reader, ShardReader) else np.asarray(reader.oindex[rows])

    def has(self, path: str) -> bool:
        """Whether there is a file of this name."""
        return self.read(path) is not None

    def read(self, path: str) -> bytes | None:
        """The bytes of a file; None where there is no such file."""
        return self._open()[0].read(self._prefix + path)

    def attributes(self, path: str) -> dict[str, Any]:
        """The attributes of a Zarr group or array; none where there is none."""
        metadata = self.read(f"{path}/zarr.json")
        return {} if metadata is None else json.loads(metadata).get("attributes", {})

    def ends(self, paths: Sequence[str], size: int) -> list[bytes | None]:
        """The last bytes of files, asked for side by side; None where there is no file.

        Args:
            paths: the files.
            size: how many bytes of each; shorter files come whole.
        """
        return self._open()[0].ends([self._prefix + path for path in paths], size)

    def names(self, folder: str) -> list[str]:
        """Names of what lies in a folder, sorted; none where the address cannot be listed."""
        return sorted(self._open()[0].names((self._prefix + folder).rstrip("/")))

    def _open(self) -> "tuple[_Folder | _ZarrFiles, dict[str, ShardReader | zarr.Array]]":
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = (os.getpid(), _open_files(self.address), {})
        return self._opened[1:]

    def _reader(self, path: str) -> "ShardReader | zarr.Array":
        """What reads an array; of a folder without Zarr, unless it is laid out in another way."""
        files, readers = self._open()
        if path not in readers:
            try:
                readers[path] = files.open_array(self._prefix + path) or self.array(path)
            except FileNotFoundError as error:
                raise KeyError(f"{self.address} has no array {path}") from error
        return readers[path]

    def _find_prefix(self) -> str:
        mark = f"{self._holds}/zarr.json"
        if self.has(mark):
            return ""
        if self.address.endswith(".zip"):
            inside = [f"{name}/" for name in self.names("")]
            found = [prefix for prefix in inside if self.has(prefix + mark)]
            if len(found) == 1:
                return found[0]
        listed = ", ".join(self.names("")[:8]) or "nothing that can be listed"
        if self._holds != FACES:
            raise DatasetError(f"{self.address} holds no {self._holds}; found {listed}")
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


class _Folder:
    """The files of a local folder, by their paths below it."""

    def __init__(self, root: Path):
        self.root = root

    def read(self, path: str) -> bytes | None:
        file = self.root / path
        return file.read_bytes() if file.is_file() else None

    def ends(self, paths: Sequence[str], size: int) -> list[bytes | None]:
        return [self._end(self.root / path, size) for path in paths]

    def names(self, folder: str) -> list[str]:
        return os.listdir(self.root / folder) if (self.root / folder).is_dir() else []

    def open_array(self, path: str) -> ShardReader | None:
        try:
            return ShardReader(self.root / path)
        except StoreError:
            return None

    def zarr_store(self) -> "Store":
        from zarr.storage import LocalStore

        return LocalStore(self.root, read_only=True)

    @staticmethod
    def _end(path: Path, size: int) -> bytes | None:
        try:
            with open(path, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - size))
                return file.read()
        except FileNotFoundError:
            return None


class _ZarrFiles:
    """Those of a zip, or of what lies at a URL."""

    def __init__(self, store: "Store"):
        from zarr.core.buffer import default_buffer_prototype
        from zarr.core.sync import sync

        self._store, self._sync, self._prototype = store, sync, default_buffer_prototype()

    def read(self, path: str) -> bytes | None:
        found = self._sync(self._store.get(path, self._prototype))
        return None if found is None else found.to_bytes()

    def ends(self, paths: Sequence[str], size: int) -> list[bytes | None]:
        import asyncio

        from zarr.abc.store import SuffixByteRequest

        async def gather():
            wanted = SuffixByteRequest(size)
            return await asyncio.gather(*(self._store.get(path, self._prototype, wanted) for path in paths))

        return [None if found is None else found.to_bytes() for found in self._sync(gather())]

    def names(self, folder: str) -> list[str]:
        try:
            return self._sync(self._list_names(folder))
        except (FileNotFoundError, NotImplementedError):
            # A web server need not list its folders; fsspec says by either error that one does not.
            return []

    def open_array(self, path: str) -> None:
        """Left to Zarr."""

    def zarr_store(self) -> "Store":
        return self._store

    async def _list_names(self, folder: str) -> list[str]:
        from zarr.storage import FsspecStore

        if not isinstance(self._store, FsspecStore):
            return [name async for name in self._store.list_dir(folder)]
        # The store's own listing puts a slash before the name, which is another folder to fsspec's zips.
        paths = await self._store.fs._ls("/".join(filter(None, (self._store.path, folder))), detail=False)
        return [path.rstrip("/").rpartition("/")[2] for path in paths]


def _open_files(address: str) -> _Folder | _ZarrFiles:
    is_zip = address.endswith(".zip")
    if "://" in address:
        from zarr.storage import FsspecStore

        try:
            with needs_extra("remote", address):
                return _ZarrFiles(FsspecStore.from_url(f"zip::{address}" if is_zip else address, read_only=True))
        except FileNotFoundError as error:
            raise DatasetError(f"{address} does not exist") from error
    path = Path(address)
    if is_zip and path.is_file():
        from zarr.core.sync import sync
        from zarr.storage import ZipStore

        try:
            return _ZarrFiles(sync(ZipStore.open(path, mode="r")))
        except zipfile.BadZipFile as error:
            raise DatasetError(f"{address} is no zip: {error}") from error
    if not path.is_dir():
        raise DatasetError(f"{address} does not exist, or is neither a folder nor a zip")
    return _Folder(path)


#: Labels that a variant may bring: a camera of another geometry moves all of them, imported files have points.
_MOVED = ("segmentation", "landmarks_70", "landmarks_478")


@dataclass(frozen=True)
class LabelSource:
    """Where labels are read: the variant that brings its own, or None, and the names that it brings."""

    variant: str | None
    own: frozenset[str]

    def path(self, name: str) -> str:
        """The array of one label, below the dataset's folder."""
        return f"variants/{self.variant}/thermal.zarr/{name}" if name in self.own else f"{FACES}/{name}"


def find_variants(store: DatasetStore, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The variants to read.

    Args:
        store: the dataset.
        wanted: their names. None: all that are there and have their images in the source's geometry, or a single one
            of another geometry.

    Raises:
        DatasetError: one of them is not there, or None are in the source's geometry and several in others.
    """
    if wanted is None:
        there = list_variants(store)
        alike = tuple(name for name in there if not _has(store, name, "segmentation"))
        if len(there) > 1 and not alike:
            raise DatasetError(
                f"{store.address}: {', '.join(there)} each have a geometry and labels of their own; name one of them"
            )
        return alike or there
    names = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    if absent := [name for name in names if not _has(store, name, "thermal")]:
        listed = ", ".join(list_variants(store)) or "none that can be listed"
        raise DatasetError(f"{store.address} has no variant {absent[0]!r}; it has {listed}")
    return names


def list_variants(store: DatasetStore) -> tuple[str, ...]:
    """The variants that are there, begun ones included; none where the address cannot be listed."""
    return tuple(name for name in store.names("variants") if _has(store, name, "thermal"))


def label_source(store: DatasetStore, variants: Sequence[str]) -> LabelSource:
    """Where the labels of the given variants are.

    Raises:
        DatasetError: several variants, and one of them has a geometry of its own.
    """
    own = {name: frozenset(label for label in _MOVED if _has(store, name, label)) for name in variants}
    if len(variants) == 1 and own[variants[0]]:
        return LabelSource(variants[0], own[variants[0]])
    # In one geometry, what they have in common are the labels of the source.
    if apart := [name for name in variants if "segmentation" in own[name]]:
        raise DatasetError(
            f"variant {apart[0]!r} has a geometry and labels of its own; open it by itself, not with the others of "
            f"{', '.join(variants)}"
        )
    return LabelSource(None, frozenset())


def _has(store: DatasetStore, variant: str, array: str) -> bool:
    return store.has(f"variants/{variant}/thermal.zarr/{array}/zarr.json")
