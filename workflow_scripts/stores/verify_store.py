"""Reread every byte of a store, and compare its rows with the source's where it holds their ids."""

from tfake.archive.index import read_index
from tfake.store import verification


def verify_store(
    report: str, sums: str, store: str, threads: int, table: str | None = None, index: str | None = None
) -> None:
    """Check the store against its ``SHA256SUMS``.

    Args:
        report: the JSON file to write when everything agrees.
        sums: the store's ``SHA256SUMS``.
        store: the store's folder.
        threads: files hashed side by side.
        table: where to write what was checked, file by file, faults or not; None: nowhere.
        index: the source's index, whose rows those of ``faces.zarr`` must be; None for stores without ids.

    Raises:
        StoreError: naming every file, or the first row, that is not what it should be.
    """
    checked = verification.verify_store(sums, store, threads, table)
    if index is not None:
        verification.check_rows(store, read_index(index))
    verification.write_verified(report, checked)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    verify_store(
        report=snakemake.output.report,
        sums=snakemake.input.sums,
        store=str(Path(snakemake.input.root).parent),
        threads=snakemake.threads,
        table=snakemake.log.table,
        index=snakemake.input.get("index"),
    )
