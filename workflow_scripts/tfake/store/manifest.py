"""Checksums of a store's files: ``SHA256SUMS`` of the whole store, and the manifest of each shard.

A manifest says which rows a shard holds, in which files, with which bytes. It is written last: only then is the shard
there.
"""

import hashlib
import json
import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

from tfake.core.files import write_text_whole
from tfake.store.layouts import ArrayLayout
from tfake.store.shards import StoreError

#: In ``made_from``: what computed a shard. Unlike everything else there it may differ from shard to shard.
COMPUTED_ON = "computed_on"


def file_sha256(path: str | Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(path: str | Path, sums: Mapping[str, str]) -> None:
    """Write a ``SHA256SUMS`` file, sorted by path: path relative to its folder, to SHA-256."""
    Path(path).write_text("".join(f"{sums[name]}  {name}\n" for name in sorted(sums)))


def read_sums(path: str | Path) -> dict[str, str]:
    """Read a ``SHA256SUMS`` file: path relative to its folder, to SHA-256.

    Raises:
        StoreError: a line is not ``<64 hexadecimal digits>  <path>``, or the list is empty.
    """
    sums = {}
    for number, line in enumerate(Path(path).read_text().splitlines(), start=1):
        digest, separator, name = line.partition("  ")
        if not separator or not name or len(digest) != 64:
            raise StoreError(f"{path}, line {number}: expected '<sha256>  <path>', found {line!r}")
        sums[name] = digest
    if not sums:
        raise StoreError(f"{path} is empty")
    return sums


@dataclass(frozen=True)
class ShardFile:
    """One file of a shard; ``path`` is relative to the folder that holds the store."""

    path: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What one shard job made."""

    shard: int
    start: int
    stop: int
    made_from: dict[str, Any]  # identities of the inputs (hashes, settings), equal in all shards; and COMPUTED_ON
    files: tuple[ShardFile, ...]
    counts: dict[str, int]  # rows by status
    statistics: dict[str, dict[str, float]]  # by class: pixels, mean and sd; empty where nothing is measured


def describe_files(folder: str | Path, paths: Iterable[str]) -> tuple[ShardFile, ...]:
    """Measure a shard's files as they lie on disk; paths are relative to the folder that holds the store."""
    return tuple(
        ShardFile(path, os.path.getsize(Path(folder, path)), file_sha256(Path(folder, path))) for path in paths
    )


def write_manifest(path: str | Path, manifest: Manifest) -> None:
    """Write a manifest as JSON with a checksum of its own, whole or not at all."""
    fields = asdict(manifest)
    text = json.dumps({**fields, "checksum": _checksum(fields)}, indent=1, sort_keys=True) + "\n"
    write_text_whole(path, text)


def finish_shard(
    path: str | Path,
    store: str | Path,
    layout: Iterable[ArrayLayout],
    shard: int,
    rows: tuple[int, int],
    made_from: Mapping[str, Any],
    counts: Mapping[str, int],
    statistics: Mapping[str, Mapping[str, float]] | None = None,
    streamed: Mapping[str, str] | None = None,
) -> None:
    """Write the manifest of a shard whose files are all there; every shard job ends with it.

    Args:
        path: the manifest to write.
        store: the store's folder.
        layout: the store's arrays.
        shard: the shard's number.
        rows: first row, and stop (exclusive).
        made_from: identities of the inputs, equal in all shards but for ``COMPUTED_ON``.
        counts: rows by status.
        statistics: of the temperatures by class; None where nothing is measured.
        streamed: SHA-256 of what was written, by array, where it is known: the files are compared with it.

    Raises:
        StoreError: a file does not read back as it was written.
    """
    arrays = {array.name: f"{Path(store).name}/{array.shard_file(shard)}" for array in layout}
    files = describe_files(Path(store).parent, arrays.values())
    for name, file in zip(arrays, files, strict=True):
        if streamed and file.sha256 != streamed.get(name, file.sha256):
            raise StoreError(f"{file.path} does not read back as it was written")
    counts = dict(counts)
    write_manifest(
        path,
        Manifest(
            shard, *rows, dict(made_from), files, counts, {name: dict(row) for name, row in (statistics or {}).items()}
        ),
    )
    logging.info("shard %d, rows %d..%d: %s", shard, rows[0], rows[1] - 1, counts)


def count_codes(prefix: str, meaning: type[IntEnum], codes: Iterable[int]) -> dict[str, int]:
    """Count an array's codes for a manifest: ``{prefix}_{name of the code}`` to the number of rows."""
    return dict(Counter(f"{prefix}_{meaning(int(code)).name.lower()}" for code in codes))


def read_manifest(path: str | Path) -> Manifest:
    """Read a manifest.

    Raises:
        StoreError: the file is no manifest of this version of the workflow, or not as it was written.
    """
    try:
        fields: dict[str, Any] = json.loads(Path(path).read_text())
        checksum = fields.pop("checksum")
        files = tuple(ShardFile(**file) for file in fields["files"])
        manifest = Manifest(**{**fields, "files": files})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(f"{path} is not a shard manifest: {error}") from error
    if checksum != _checksum(fields):
        raise StoreError(f"{path} is not a shard manifest: its checksum is not that of its content")
    return manifest


def _checksum(fields: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()
