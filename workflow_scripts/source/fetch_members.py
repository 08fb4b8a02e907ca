"""Fetch the first samples of a remote archive, without the rest of it."""

import logging
from pathlib import Path

from tfake.acquisition.http import open_session
from tfake.acquisition.members import RemoteArchive, copy_first_samples
from tfake.acquisition.registry import show_terms


def fetch_members(path: str, urls: list[str], images: int, source_license: str) -> None:
    """Read the members of the first samples from a server and put them into a zip.

    Args:
        path: the zip to write.
        urls: the archive, or its raw split parts in order.
        images: how many samples to take, in order of their ids.
        source_license: the terms' name; they are shown once.

    Raises:
        TransferError: the archive cannot be had, or its server ignores byte ranges.
        ArchiveError: it cannot be read, or holds too few samples.
    """
    show_terms(source_license, Path(path).parent)
    archive = RemoteArchive(open_session(), urls)
    copied = copy_first_samples(archive, images, path)
    logging.info(
        "%d members of %d samples; %.1f MB came over the net", copied, images, archive.remote.fetched_bytes / 1e6
    )


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    fetch_members(
        path=snakemake.output.archive,
        urls=snakemake.params.urls,
        images=snakemake.params.images,
        source_license=snakemake.params.source_license,
    )
