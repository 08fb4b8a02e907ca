"""Repair of a store: taking away exactly what is damaged, so that the next run makes exactly that again.

Snakemake deletes all outputs of a job that is stopped, or that is to make one of its shards anew. The good shards of a
job of several are kept under a second name meanwhile: a hard link, which costs no bytes; a copy on a disk without
links. The job that takes a shard back rereads it, and takes only what it would make: from the same inputs, with the
same checksums.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tfake.store.manifest import Manifest, file_sha256, read_manifest
from tfake.store.shards import StoreError
from tfake.store.verification import NOT_LISTED, OK, CheckedFile, read_copies

FOLDER = "unfinished"
METADATA = "zarr.json"


def repair_store(folder: str | Path, checked: Sequence[CheckedFile], batched: bool = False) -> dict[str, str]:
    """Act on the faults of one store.

    A damaged shard goes together with its manifest; a lost or damaged manifest together with the checksum list, which
    asks for it; the checksum list together with the summary; a file that nobody knows goes, too. Metadata come back
    from the summary's copy, with a time stamp as old as the shards', for Snakemake makes every shard anew behind
    metadata that are younger. Where there is no good copy they go as well, and that is what the next run does.

    Args:
        folder: the folder that holds the store.
        checked: what :func:`tfake.store.verification.inspect_store` found.
        batched: whether a job writes several shards of it: Snakemake will delete the good ones beside a damaged one, so
            all good ones are kept for that job to take back.

    Returns:
        Path to ``removed`` or ``restored``, for every file at fault.
    """
    folder = Path(folder)
    copies = read_copies(folder)
    actions = {}
    for file in checked:
        if file.state == OK:
            continue
        is_metadata = Path(file.path).name == METADATA and file.state != NOT_LISTED
        if is_metadata and _sha256(copies.get(file.path, "")) == file.expected:
            _restore(folder / file.path, copies[file.path])
            actions[file.path] = "restored"
            continue
        for path in (file.path, *_what_goes_with(file)):
            (folder / path).unlink(missing_ok=True)
        actions[file.path] = "removed"
    if actions:
        (folder / "verified.json").unlink(missing_ok=True)
        # Those that went are not among these: their manifests went, too.
        for manifest in sorted((folder / "manifests").glob("*.json")) if batched else ():
            keep_shard(folder, manifest)
    return actions


def keep_shard(folder: str | Path, manifest: str | Path) -> None:
    """Give a finished shard, whose manifest is written, its second name; ``folder`` holds the store."""
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
        rows: its first row, and stop (exclusive).
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
    """Take the second names of shards away, None: of all, once the first ones stay; ``folder`` holds the store."""
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


def _what_goes_with(file: CheckedFile) -> list[str]:
    parts = file.path.split("/")
    if file.path == "SHA256SUMS":
        return ["summary.json"]
    if parts[0] == "manifests":
        # Or nobody would ask for the manifest: Snakemake looks at what is behind a product only when that is missing.
        return ["SHA256SUMS"]
    if file.state != NOT_LISTED and "c" in parts[:-1]:
        return [f"manifests/{parts[parts.index('c') + 1]}.json"]
    return []


def _restore(path: Path, text: str) -> None:
    shards = [file.stat().st_mtime for file in path.parent.rglob("*") if file.is_file() and file.name != METADATA]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if shards:
        os.utime(path, (min(shards), min(shards)))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
