"""Write the metadata of a store of any kind; the shards are written by other jobs."""

from collections.abc import Mapping
from typing import Any

from tfake.store import arrays
from tfake.variants.kinds import StoreKind


def create_store(store: str, kind: StoreKind, shard_images: int, given: Mapping[str, Any]) -> None:
    """Write the store's metadata files.

    Args:
        store: the store's folder.
        kind: the kind of store.
        shard_images: rows a shard.
        given: what the kind is described by (:class:`tfake.variants.kinds.StoreKind`).
    """
    described = kind.describe(given)
    arrays.create_store(store, described.layout, described.rows, shard_images, described.attributes)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log
    from tfake.variants.kinds import kind_created_by

    start_log(snakemake.log[0])
    create_store(
        store=str(Path(snakemake.output.root).parent),
        kind=kind_created_by(snakemake.rule),
        shard_images=snakemake.params.shard_images,
        given=dict([*snakemake.wildcards.items(), *snakemake.input.items(), *snakemake.params.items()]),
    )
