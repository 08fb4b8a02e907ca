"""Reread every byte of every sealed store."""

import json
import logging
from pathlib import Path

from tfake.store.shards import StoreError
from tfake.store.verification import OK, REMEDY, inspect_stores, write_table


def verify_stores(report: str, table: str, folders: list[str], threads: int) -> None:
    """Check every store against its ``SHA256SUMS``, all of them before anything is said.

    Args:
        report: the JSON file to write when every store agrees: files and bytes that were read, by folder.
        table: the CSV table to write: every file of every store and its state.
        folders: the folders that hold a store each; those that are not sealed are passed over.
        threads: files hashed side by side.

    Raises:
        StoreError: naming every file that is not what it should be; or no store is sealed.
    """
    stores = inspect_stores(folders, threads)
    write_table(table, stores, {})
    faults = [f"{name}/{file.describe()}" for name, files in stores.items() for file in files if file.state != OK]
    if faults:
        raise StoreError(f"{len(faults)} faults in the stores; {REMEDY}:\n  " + "\n  ".join(faults))
    if not stores:
        raise StoreError(
            f"no store is sealed: expected SHA256SUMS in one of {', '.join(folders)}, seen from {Path.cwd()}"
        )
    counts = {name: {"files": len(files), "bytes": sum(file.bytes for file in files)} for name, files in stores.items()}
    for name, count in counts.items():
        logging.info("%s: %d files, %d bytes, as they were sealed", name, count["files"], count["bytes"])
    Path(report).write_text(json.dumps(counts, indent=1) + "\n")


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    verify_stores(
        report=snakemake.output.report,
        table=snakemake.log.table,
        folders=snakemake.params.folders,
        threads=snakemake.threads,
    )
