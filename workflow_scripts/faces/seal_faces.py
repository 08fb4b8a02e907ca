"""Close the faces store: its checksum list and its summary."""

from tfake.store.sealing import seal_store


def seal_faces(sums: str, summary: str, store: str, manifests: list[str], rows: int) -> None:
    """Write ``SHA256SUMS`` and ``summary.json`` beside the store; see :func:`tfake.store.sealing.seal_store`."""
    seal_store(sums, summary, store, manifests, rows)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    seal_faces(
        sums=snakemake.output.sums,
        summary=snakemake.output.summary,
        store=str(Path(snakemake.input.root).parent),
        manifests=list(snakemake.input.manifests),
        rows=snakemake.params.images,
    )
