"""Rereading every byte of a store and comparing it with what was sealed.

There are three independent sources of checksums: ``SHA256SUMS``, the shards' manifests, which carry a checksum of their
own, and the copies of the metadata in ``summary.json``. Where two agree against the third, the third is at fault.
"""

import csv
import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from tfake.core.codes import decode_ids
from tfake.store.arrays import open_store
from tfake.store.manifest import file_sha256, read_manifest, read_sums
from tfake.store.shards import StoreError

if TYPE_CHECKING:
    import pandas as pd

OK, MISSING, DIFFERS, NOT_LISTED, DAMAGED = "ok", "missing", "differs", "not listed", "damaged"
#: What is to be done about a store that is not what was sealed.
REMEDY = "`snakemake repair`, with the config and the directory of the run, makes again exactly what is at fault"


@dataclass(frozen=True)
class CheckedFile:
    """One file, checked; ``path`` is relative to the folder that holds the store."""

    path: str
    state: str
    bytes: int
    expected: str  # SHA-256, or nothing where nobody knows
    found: str  # SHA-256, or what is wrong

    def describe(self) -> str:
        """The fault in a line."""
        words = {
            MISSING: "is missing",
            NOT_LISTED: "is not listed in SHA256SUMS",
            DIFFERS: f"SHA-256 is {self.found}, expected {self.expected}",
            DAMAGED: f"is damaged: {self.found}",
        }
        return f"{self.path}: {words[self.state]}"


def verify_store(
    sums: str | Path, store: str | Path, threads: int = 1, table: str | Path | None = None
) -> dict[str, int]:
    """Check that a store is exactly what was sealed.

    Args:
        sums: the store's ``SHA256SUMS``.
        store: the store's folder, beside ``sums``.
        threads: files hashed side by side.
        table: where to write what was checked as CSV, whether there are faults or not; None: nowhere.

    Returns:
        What was read: the number of ``files`` and of ``bytes``.

    Raises:
        StoreError: files are missing, differ, are damaged or are not listed; every one of them is named.
    """
    checked = inspect_store(sums, store, threads)
    if table is not None:
        write_table(table, {str(Path(sums).parent): checked}, {})
    faults = [file.describe() for file in checked if file.state != OK]
    if faults:
        raise StoreError(f"{store} is not what was sealed; {len(faults)} faults; {REMEDY}:\n  " + "\n  ".join(faults))
    return {"files": len(checked), "bytes": sum(file.bytes for file in checked)}


def inspect_store(sums: str | Path, store: str | Path, threads: int = 1) -> list[CheckedFile]:
    """Read every byte of a store and compare; faults are results here, not errors.

    Args:
        sums: the store's ``SHA256SUMS``; ``manifests/`` and ``summary.json`` beside it are compared with it.
        store: the store's folder, beside ``sums``.
        threads: files hashed side by side.

    Returns:
        One entry a file of the store, and one for each damaged file beside it.
    """
    folder = Path(sums).parent
    listed, beside = _read_listed(Path(sums))
    attested, damaged = _read_manifests(folder / "manifests")
    beside += damaged + _missing_manifests(folder / "manifests", listed)
    attested |= {name: hashlib.sha256(text.encode()).hexdigest() for name, text in read_copies(folder).items()}
    sizes = {
        str(path.relative_to(folder)): path.stat().st_size for path in sorted(Path(store).rglob("*")) if path.is_file()
    }
    with ThreadPoolExecutor(threads) as pool:
        digests = pool.map(file_sha256, [folder / name for name in sizes])
        found = dict(zip(sizes, tqdm(digests, f"read {Path(store).name}", len(sizes)), strict=True))
    checked, contradicted = [], []
    for name in sorted(listed.keys() | attested.keys() | found.keys()):
        expected, other = listed.get(name), attested.get(name)
        unknown = name not in found and other is None and (folder / "manifests").is_dir()
        if unknown or (other not in (None, expected) and found.get(name) in (None, other)):
            contradicted.append(name)
            expected = other
        if not unknown:
            checked.append(_compare(name, expected, found.get(name), sizes.get(name, 0)))
    if contradicted and listed:
        reason = f"{len(contradicted)} of its lines contradict the manifests, the first for {contradicted[0]}"
        beside.append(CheckedFile(Path(sums).name, DAMAGED, Path(sums).stat().st_size, "", reason))
    return checked + beside


def inspect_stores(folders: Iterable[str | Path], threads: int) -> dict[str, list[CheckedFile]]:
    """Inspect the store in each of some folders (:func:`inspect_store`).

    Args:
        folders: each holds a store beside its ``SHA256SUMS``; those that are not sealed are passed over.
        threads: files hashed side by side.

    Returns:
        The folder to the files that were checked.
    """
    checked = {}
    for folder in map(Path, folders):
        if (folder / "SHA256SUMS").exists():
            (store,) = folder.glob("*.zarr")
            checked[str(folder)] = inspect_store(folder / "SHA256SUMS", store, threads)
        else:
            logging.warning("%s is not sealed: there is nothing to compare it with", folder)
    return checked


def check_rows(store: str | Path, index: "pd.DataFrame") -> None:
    """Check that the rows of ``faces.zarr`` are the rows of the source's index.

    Args:
        store: the faces store's folder.
        index: the source's index.

    Raises:
        StoreError: another number of rows, or another id or status in a row, which is named.
    """
    group = open_store(store)
    ids = list(decode_ids(group["image_id"][:]))
    if len(ids) != len(index):
        raise StoreError(f"{store}: has {len(ids)} rows, the source's index {len(index)}")
    pairs = zip(ids, group["status"][:], index["image_id"], index["status"], strict=True)
    for row, (found_id, found_status, image_id, status) in enumerate(pairs):
        if (found_id, found_status) != (image_id, status):
            raise StoreError(
                f"{store}, row {row}: id {found_id!r} with status {found_status}; "
                f"the source's index has {image_id!r} with status {status}"
            )


def write_table(path: str | Path, stores: Mapping[str, Sequence[CheckedFile]], actions: Mapping[str, str]) -> None:
    """Write what was checked as one CSV table: files by their store's folder, and what was done, by folder/path."""
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["folder", *(field.name for field in fields(CheckedFile)), "action"])
        for folder, files in stores.items():
            writer.writerows(
                [folder, *asdict(each).values(), actions.get(f"{folder}/{each.path}", "")] for each in files
            )


def write_verified(report: str | Path, checked: Mapping[str, int]) -> None:
    """Record that a store agreed with its checksums: the JSON file that the workflow's ``all`` asks for."""
    Path(report).write_text(json.dumps({**checked, "faults": 0}, sort_keys=True) + "\n")


def read_copies(folder: str | Path) -> dict[str, str]:
    """The copies of the metadata files that sealing left in ``summary.json``: path to text; empty where it has none."""
    try:
        return dict(json.loads(Path(folder, "summary.json").read_text())["metadata"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _compare(name: str, expected: str | None, found: str | None, size: int) -> CheckedFile:
    if found is None:
        state = MISSING
    elif expected is None:
        state = NOT_LISTED
    else:
        state = OK if found == expected else DIFFERS
    return CheckedFile(name, state, size, expected or "", found or "")


def _read_listed(sums: Path) -> tuple[dict[str, str], list[CheckedFile]]:
    try:
        return read_sums(sums), []
    except (StoreError, UnicodeDecodeError) as error:
        return {}, [CheckedFile(sums.name, DAMAGED, sums.stat().st_size, "", str(error))]


def _read_manifests(folder: Path) -> tuple[dict[str, str], list[CheckedFile]]:
    attested, damaged = {}, []
    for path in sorted(folder.glob("*.json")):
        try:
            attested |= {file.path: file.sha256 for file in read_manifest(path).files}
        except StoreError as error:
            place = f"{folder.name}/{path.name}"
            damaged.append(CheckedFile(place, DAMAGED, path.stat().st_size, "", str(error)))
    return attested, damaged


def _missing_manifests(folder: Path, listed: Mapping[str, str]) -> list[CheckedFile]:
    if not folder.is_dir():
        return []
    parts = [name.split("/") for name in listed]
    shards = {path[path.index("c") + 1] for path in parts if "c" in path[:-1]}
    names = [f"{shard}.json" for shard in sorted(shards) if not (folder / f"{shard}.json").exists()]
    return [CheckedFile(f"{folder.name}/{name}", MISSING, 0, "", "") for name in names]
