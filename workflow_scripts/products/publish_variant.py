"""Publish a variant: a versioned folder with stores, terms, card, metadata and provenance."""

import datetime
from pathlib import Path

from tfake.products.publication.folder import publish


def publish_variant(
    folder: str, variant: str, faces: str, thermal: str, config: dict, workflow: str, day: str | None = None
) -> None:
    """Make the published folder; see :func:`tfake.products.publication.folder.publish`.

    Args:
        folder: the folder to make.
        variant: the variant's name.
        faces: the folder of the sealed faces store.
        thermal: the folder of the variant's sealed store.
        config: the effective configuration.
        workflow: the folder of the workflow's Snakefile.
        day: day of publication, ISO 8601; today's where it is None.
    """
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    publish(Path(folder), variant, Path(faces), Path(thermal), config, Path(workflow), day or today)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    publish_variant(
        folder=str(Path(snakemake.output.sums).parent),
        variant=snakemake.wildcards.variant,
        faces=str(Path(snakemake.input.faces).parent),
        thermal=str(Path(snakemake.input.thermal).parent),
        config=snakemake.params.config,
        workflow=snakemake.params.workflow,
        day=snakemake.params.day,
    )
