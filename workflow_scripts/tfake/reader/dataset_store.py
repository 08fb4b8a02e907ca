"""Rows of an array, in any order, each shard's in one go.

Where a dataset lies - a folder, a zip, a URL - as one Zarr store, opened anew in each process that reads it.

Parts of a split: every face by a hash, near-identical faces together.

Which variants a dataset has, and which of its stores holds their labels.
"""

import asyncio
import hashlib
import json
import math
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import zarr
from zarr.abc.store import Store, SuffixByteRequest
from zarr.core.buffer import Buffer, default_buffer_prototype
from zarr.core.sync import sync
from zarr.errors import ArrayNotFoundError
from zarr.storage import FsspecStore, LocalStore, ZipStore

from tfake.store.arrays import StoreError, with_pipeline
from tfake.store.shards import ShardReader


def read_rows(array: zarr.Array, rows: np.ndarray, shards: ShardReader | None = None) -> np.ndarray:
    """Read rows of an array, whose shards are visited in their order, none of them twice.

    Args:
        array: rows along axis 0.
        rows: (n,) int row numbers in any order, repeats allowed.
        shards: reads rows that have no neighbour among them; None: the array reads all.

    Returns:
        (n, ...) the rows, as stored.
    """
    wanted, places = np.unique(rows, return_inverse=True)
    found = np.empty((len(wanted), *array.shape[1:]), array.dtype)
    if array.shards is None:
        # A shard is one chunk, decoded as a whole whatever part of it is asked for.
        shards = wanted // array.chunks[0]
        for shard in np.unique(shards):
            start = shard * array.chunks[0]
            found[shards == shard] = array[start : start + array.chunks[0]][wanted[shards == shard] - start]
    else:
        for first, last in runs(wanted, array.shards[0]):
            if first == last and shards is not None:
                found[first] = shards.row(int(wanted[first]))
            else:
                found[first : last + 1] = array[wanted[first] : wanted[last] + 1]
    return found[places]


def runs(wanted: np.ndarray, shard_rows: int) -> Iterator[tuple[int, int]]:
    """Runs of consecutive rows that lie in one shard.

    Args:
        wanted: (n,) int rows, ascending, none twice.
        shard_rows: rows a shard.

    Yields:
        Places in ``wanted`` of a run's first and last row.
    """
    breaks = np.flatnonzero((np.diff(wanted) != 1) | (np.diff(wanted // shard_rows) != 0))
    yield from zip([0, *(breaks + 1)], [*breaks, len(wanted) - 1], strict=True) if len(wanted) else ()


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
        """Read rows of an array, in any order (:func:`tfake.reader.dataset_store.read_rows`).

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


#: Parts and their shares, unless others are asked for.
SHARES: Mapping[str, float] = MappingProxyType({"train": 0.8, "validation": 0.1, "test": 0.1})


def split_parts(image_ids: np.ndarray, groups: np.ndarray, shares: Mapping[str, float], seed: int) -> np.ndarray:
    """The part of each face.

    Args:
        image_ids: (N,) str.
        groups: (N,) int, equal for faces that have to be in one part.
        shares: part to share of the groups.
        seed: another seed, another split.

    Returns:
        (N,) int, places in ``shares``: a function of the seed and of the group's first id.

    Raises:
        DatasetError: the shares do not add up to 1.
    """
    if not math.isclose(sum(shares.values()), 1.0) or min(shares.values()) < 0:
        raise DatasetError(f"the shares of a split add up to 1, none below 0; found {dict(shares)}")
    _, inverse = np.unique(groups, return_inverse=True)
    firsts: dict[int, str] = {}
    for group, image_id in zip(inverse.tolist(), image_ids.tolist(), strict=True):
        firsts[group] = min(image_id, firsts.get(group, image_id))
    drawn = np.array([_uniform(seed, firsts[group]) for group in range(len(firsts))])
    ends = np.cumsum(list(shares.values()))[:-1]
    return np.searchsorted(ends, drawn, side="right")[inverse]


def _uniform(seed: int, image_id: str) -> float:
    """A number in [0, 1) that follows from the seed and the id."""
    digest = hashlib.sha256(f"{seed}:{image_id}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


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


def find_variants(place: Place, wanted: Sequence[str] | None) -> tuple[str, ...]:
    """The variants to read.

    Args:
        place: the dataset.
        wanted: their names. None: all that are there and have their images in the source's geometry, or a single one
            of another geometry.

    Raises:
        DatasetError: one of them is not there, or None are in the source's geometry and several in others.
    """
    if wanted is None:
        there = list_variants(place)
        alike = tuple(name for name in there if not _has_own(place, name, "segmentation"))
        if len(there) > 1 and not alike:
            names = ", ".join(there)
            raise DatasetError(
                f"{place.address}: {names} each have a geometry and labels of their own; name one of them"
            )
        return alike or there
    names = (wanted,) if isinstance(wanted, str) else tuple(wanted)
    for name in names:
        if not _is_there(place, name):
            there = ", ".join(list_variants(place)) or "none that can be listed"
            raise DatasetError(f"{place.address} has no variant {name!r}; it has {there}")
    return names


def list_variants(place: Place) -> tuple[str, ...]:
    """The variants that are there, begun ones included; none where the place cannot be listed."""
    return tuple(name for name in place.names("variants") if _is_there(place, name))


def label_source(place: Place, variants: Sequence[str]) -> LabelSource:
    """Where the labels of the given variants are.

    Raises:
        DatasetError: several variants, and one of them has a geometry of its own.
    """
    own = {name: frozenset(label for label in _MOVED if _has_own(place, name, label)) for name in variants}
    if len(variants) == 1 and own[variants[0]]:
        return LabelSource(variants[0], own[variants[0]])
    # In one geometry, what they have in common are the labels of the source.
    if apart := [name for name in variants if "segmentation" in own[name]]:
        raise DatasetError(
            f"variant {apart[0]!r} has a geometry and labels of its own; open it by itself, not with the others of "
            f"{', '.join(variants)}"
        )
    return LabelSource(None, frozenset())


def _is_there(place: Place, variant: str) -> bool:
    return place.has(f"variants/{variant}/thermal.zarr/thermal/zarr.json")


def _has_own(place: Place, variant: str, label: str) -> bool:
    return place.has(f"variants/{variant}/thermal.zarr/{label}/zarr.json")
