"""Reread every byte of the faces store, and check that its rows are the source's."""

from tfake.archive.index import read_index
from tfake.store.verification import check_rows, verify_store, write_verified


def verify_faces(report: str, sums: str, store: str, index: str, threads: int, table: str | None = None) -> None:
    """Check the store against its ``SHA256SUMS`` and its rows against the index.

    Args:
        report: the JSON file to write when everything agrees.
        sums: the store's ``SHA256SUMS``.
        store: the store's folder.
        index: the source's index.
        threads: files hashed side by side.
        table: where to write what was checked, file by file, faults or not; None: nowhere.

    Raises:
        StoreError: naming every file, or the first row, that is not what it should be.
    """
    checked = verify_store(sums, store, threads, table)
    check_rows(store, read_index(index))
    write_verified(report, checked)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    verify_faces(
        report=snakemake.output.report,
        sums=snakemake.input.sums,
        store=str(Path(snakemake.input.root).parent),
        index=snakemake.input.index,
        threads=snakemake.threads,
        table=snakemake.log.table,
    )
