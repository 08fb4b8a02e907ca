"""Reread every byte of a variant's thermal store."""

from tfake.store.verification import verify_store, write_verified


def verify_thermal(report: str, sums: str, store: str, threads: int, table: str | None = None) -> None:
    """Check the store against its ``SHA256SUMS``.

    Args:
        report: the JSON file to write when everything agrees.
        sums: the store's ``SHA256SUMS``.
        store: the store's folder.
        threads: files hashed side by side.
        table: where to write what was checked, file by file, faults or not; None: nowhere.

    Raises:
        StoreError: naming every file that is not what it should be.
    """
    write_verified(report, verify_store(sums, store, threads, table))


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    verify_thermal(
        report=snakemake.output.report,
        sums=snakemake.input.sums,
        store=str(Path(snakemake.input.root).parent),
        threads=snakemake.threads,
        table=snakemake.log.table,
    )
