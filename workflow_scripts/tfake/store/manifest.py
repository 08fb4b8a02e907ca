"""A shard's manifest: which rows it holds, in which files, with which bytes. Written last: it makes the shard count."""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tfake.store.arrays import StoreError
from tfake.store.checksums import file_sha256

#: In ``made_from``: what computed a shard. Unlike everything else there it may differ from shard to shard.
COMPUTED_ON = "computed_on"


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
    """Measure a shard's files as they lie on disk.

    Args:
        folder: the folder that holds the store.
        paths: the files, relative to it.
    """
    return tuple(
        ShardFile(path, os.path.getsize(Path(folder, path)), file_sha256(Path(folder, path))) for path in paths
    )


def write_manifest(path: str | Path, manifest: Manifest) -> None:
    """Write a manifest as JSON with a checksum of its own, whole or not at all."""
    part = Path(f"{path}.part")
    fields = asdict(manifest)
    part.write_text(json.dumps({**fields, "checksum": _checksum(fields)}, indent=1, sort_keys=True) + "\n")
    os.replace(part, path)


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
