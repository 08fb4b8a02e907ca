"""List the samples of a source archive and check each of them."""

import logging

from tfake.archive.index import build_index, write_index
from tfake.core.codes import SampleStatus
from tfake.core.files import write_whole


def index_archive(index: str, archive: list[str], images: int, image_pixels: int, threads: int) -> None:
    """Write the table of the archive's first ``images`` samples.

    Args:
        index: the Parquet table to write (columns: :func:`tfake.archive.index.build_index`).
        archive: one zip, or all its raw split parts in order.
        images: how many samples to take, in order of their ids.
        image_pixels: the height and width every image must have.
        threads: decoding threads.

    Raises:
        ArchiveError: the archive cannot be read, or holds too few samples, or not one usable sample.
    """
    table = build_index(archive, images, image_pixels, threads)
    for record in table[table["status"] != SampleStatus.OK].itertuples():
        logging.warning("row %d is %s: %s", record.Index, SampleStatus(record.status).name.lower(), record.detail)
    write_whole(index, lambda part: write_index(table, part))
    logging.info("%d samples, %d usable", len(table), (table["status"] == SampleStatus.OK).sum())


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    index_archive(
        index=snakemake.output.index,
        archive=list(snakemake.input.archive),
        images=snakemake.params.images,
        image_pixels=snakemake.params.image_pixels,
        threads=snakemake.threads,
    )
