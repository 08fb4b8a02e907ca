"""Close the thermal store: its checksum list and its summary."""

import logging

from tfake.store.manifest import remove_other_shards
from tfake.store.sealing import seal_store


def seal_thermal(sums: str, summary: str, store: str, manifests: list[str], rows: tuple[int, int]) -> None:
    """Write ``SHA256SUMS`` and ``summary.json`` beside the store; see :func:`tfake.store.sealing.seal_store`.

    Args:
        sums: the ``SHA256SUMS`` to write.
        summary: the JSON summary to write.
        store: the store's folder; shards of a larger slice that was made before are removed from it.
        manifests: every shard's manifest.
        rows: first row of the variant and the row behind its last.
    """
    start, stop = rows
    for path in remove_other_shards(store, manifests):
        logging.info("%s lies outside the variant's rows %d..%d and was removed", path, start, stop - 1)
    seal_store(sums, summary, store, manifests, stop, start)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    seal_thermal(
        sums=snakemake.output.sums,
        summary=snakemake.output.summary,
        store=str(Path(snakemake.input.root).parent),
        manifests=list(snakemake.input.manifests),
        rows=tuple(snakemake.params.rows),
    )
