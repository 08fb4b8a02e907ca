"""Taking away exactly what is damaged, so that the next run makes exactly that again."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from tfake.store.inspection import NOT_LISTED, OK, CheckedFile, read_copies
from tfake.store.unfinished import keep_shard

METADATA = "zarr.json"


def repair_store(folder: str | Path, checked: Sequence[CheckedFile], batched: bool = False) -> dict[str, str]:
    """Act on the faults of one store.

    A damaged shard goes together with its manifest; a lost or damaged manifest together with the checksum list, which
    asks for it; the checksum list together with the summary; a file that nobody knows goes, too. Metadata come back
    from the summary's copy, with a time stamp as old as the shards', for Snakemake makes every shard anew behind
    metadata that are younger. Where there is no good copy they go as well, and that is what the next run does.

    Args:
        folder: the folder that holds the store.
        checked: what :func:`tfake.store.inspection.inspect_store` found.
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
