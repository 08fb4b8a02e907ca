"""Fetch MediaPipe's face landmarker model; Snakemake checks its SHA-256."""

import logging

from tfake.acquisition.http import open_session
from tfake.acquisition.transfer import download


def fetch_landmarker(model: str, url: str) -> None:
    """Download a file, whole or not at all.

    Args:
        model: the file to write.
        url: where it is.

    Raises:
        TransferError: it cannot be had.
    """
    length, sha256 = download(open_session(), url, model)
    logging.info("%s: %d bytes, SHA-256 %s", url, length, sha256)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    fetch_landmarker(model=snakemake.output.model, url=snakemake.params.url)
