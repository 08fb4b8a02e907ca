"""SHA-256 of files, and ``SHA256SUMS`` lists that ``sha256sum -c`` understands.

A shard's manifest: which rows it holds, in which files, with which bytes. Written last: it makes the shard count.

A variant of a slice of the source keeps the source's rows; what lies outside its shards is not written.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tfake.store.shards import StoreError


def file_sha256(path: str | Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_sums(path: str | Path, sums: Mapping[str, str]) -> None:
    """Write a ``SHA256SUMS`` file, sorted by path.

    Args:
        path: the list to write.
        sums: path relative to the list's folder, to SHA-256.
    """
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


def remove_other_shards(store: str | Path, manifests: Sequence[str | Path]) -> list[Path]:
    """Remove what an earlier, larger slice left in a store and beside it.

    Args:
        store: the store's folder.
        manifests: those of the shards that belong to the slice; files of every other shard are removed, and the
            manifests that lie in their place.

    Returns:
        The files that were removed.
    """
    shards = {read_manifest(path).shard for path in manifests}
    kept = {Path(path).resolve() for path in manifests}
    places = {path.parent for path in kept if path.parent.name == "manifests"}
    removed = [path for place in places for path in sorted(place.glob("*.json")) if path not in kept]
    for path in removed:
        path.unlink()
    for grid in sorted(Path(store).glob("*/c")):
        for number in sorted(grid.iterdir()):
            if number.name.isdigit() and int(number.name) not in shards:
                stale = [number] if number.is_file() else [path for path in number.rglob("*") if path.is_file()]
                for path in stale:
                    path.unlink()
                removed += stale
    return removed
