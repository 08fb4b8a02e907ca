"""Reread every byte of every sealed store, and take away what is damaged."""

import logging

from tfake.store.repair import repair_store
from tfake.store.verification import OK, inspect_stores, write_table


def repair_stores(table: str, folders: list[str], batched: list[str], threads: int) -> None:
    """Remove, or restore, each file that is not what was sealed; the next run makes anew what was removed.

    Args:
        table: the CSV table to write: every file of every store, its state, and what was done about it.
        folders: the folders that hold a store each; those that are not sealed yet are passed over.
        batched: those of them whose jobs write several shards.
        threads: files hashed side by side.
    """
    stores, actions = inspect_stores(folders, threads), {}
    for folder, checked in stores.items():
        for path, action in repair_store(folder, checked, folder in batched).items():
            actions[f"{folder}/{path}"] = action
            logging.warning("%s %s/%s", action, folder, path)
    write_table(table, stores, actions)
    files = [file for checked in stores.values() for file in checked]
    good = sum(file.state == OK for file in files)
    logging.info("%d files of %d stores: %d good, %d at fault", len(files), len(stores), good, len(files) - good)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    repair_stores(
        table=snakemake.output.table,
        folders=snakemake.params.folders,
        batched=snakemake.params.batched,
        threads=snakemake.threads,
    )
