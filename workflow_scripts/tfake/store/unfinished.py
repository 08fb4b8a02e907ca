"""Finished shards of a job that is not finished, kept under a second name: Snakemake deletes a stopped job's outputs.

The second name is a hard link and costs no bytes; on a disk without links it is a copy. Whoever takes a shard back
rereads it, and takes only what the job would make: from the same inputs, with the same checksums.
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tfake.store.arrays import StoreError
from tfake.store.checksums import file_sha256
from tfake.store.manifest import Manifest, read_manifest

FOLDER = "unfinished"


def keep_shard(folder: str | Path, manifest: str | Path) -> None:
    """Give a finished shard its second name.

    Args:
        folder: the folder that holds the store.
        manifest: the shard's manifest, written already.
    """
    described = read_manifest(manifest)
    place = _place(folder, described.shard)
    for file in described.files:
        _link(Path(folder, file.path), place / file.path)
    _link(Path(manifest), place / "manifest.json")


def take_back(
    folder: str | Path, manifest: str | Path, shard: int, rows: tuple[int, int], made_from: Mapping[str, Any]
) -> bool:
    """Put a kept shard back to its place, its manifest last.

    Args:
        folder: the folder that holds the store.
        manifest: where the shard's manifest belongs.
        shard: the shard's number.
        rows: its first row and the row behind its last.
        made_from: what the job would make it from.

    Returns:
        Whether it is there again; not if it was not kept, was made from something else, or is damaged.
    """
    place = _place(folder, shard)
    kept = _read(place / "manifest.json")
    if kept is None or (kept.start, kept.stop) != rows or kept.made_from != json.loads(json.dumps(made_from)):
        return False
    if any(not (place / file.path).exists() or file_sha256(place / file.path) != file.sha256 for file in kept.files):
        return False
    for file in kept.files:
        _link(place / file.path, Path(folder, file.path))
    _link(place / "manifest.json", Path(manifest))
    return True


def forget_shards(folder: str | Path, shards: Iterable[int] | None = None) -> None:
    """Take second names away, once the first ones stay.

    Args:
        folder: the folder that holds the store.
        shards: whose; None: all.
    """
    for place in [Path(folder, FOLDER)] if shards is None else [_place(folder, shard) for shard in shards]:
        if place.exists():
            shutil.rmtree(place)


def _place(folder: str | Path, shard: int) -> Path:
    return Path(folder, FOLDER, str(shard))


def _read(path: Path) -> Manifest | None:
    try:
        return read_manifest(path)
    except (FileNotFoundError, StoreError):
        return None


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        os.link(source, part)
    except OSError:
        shutil.copyfile(source, part)
    os.replace(part, target)
    # Of two names of one file, rename(2) takes neither away.
    part.unlink(missing_ok=True)
