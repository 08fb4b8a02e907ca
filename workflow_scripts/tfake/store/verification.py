"""Rereading every byte of a store and comparing it with its ``SHA256SUMS``."""

import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from tfake.codes import decode_ids
from tfake.store.arrays import StoreError
from tfake.store.inspection import OK, inspect_store, write_table
from tfake.store.opening import open_store

#: What is to be done about a store that is not what was sealed.
REMEDY = "`snakemake repair`, with the config and the directory of the run, makes again exactly what is at fault"


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


def check_rows(store: str | Path, index: pd.DataFrame) -> None:
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


def write_verified(report: str | Path, checked: Mapping[str, int]) -> None:
    """Record that a store agreed with its checksums: the JSON file that the workflow's ``all`` asks for."""
    Path(report).write_text(json.dumps({**checked, "faults": 0}, sort_keys=True) + "\n")
