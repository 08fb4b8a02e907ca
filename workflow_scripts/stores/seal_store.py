"""Close a store: its checksum list and its summary."""

from tfake.store import sealing


def seal_store(sums: str, summary: str, store: str, manifests: list[str], rows: int | tuple[int, int]) -> None:
    """Write ``SHA256SUMS`` and ``summary.json`` beside the store; see :func:`tfake.store.sealing.seal_store`.

    Args:
        sums: the ``SHA256SUMS`` to write.
        summary: the JSON summary to write.
        store: the store's folder; shards of a larger slice that was made before are removed from it.
        manifests: every shard's manifest.
        rows: the number of rows; of a slice, its first row and stop (exclusive).
    """
    start, stop = (0, rows) if isinstance(rows, int) else rows
    sealing.seal_store(sums, summary, store, manifests, stop, start)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    seal_store(
        sums=snakemake.output.sums,
        summary=snakemake.output.summary,
        store=str(Path(snakemake.input.root).parent),
        manifests=list(snakemake.input.manifests),
        rows=snakemake.params.rows,
    )
