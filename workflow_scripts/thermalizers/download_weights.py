"""Download a trained thermalizer and hold it to its SHA-256."""

import logging

from tfake.acquisition.http import open_session
from tfake.acquisition.transfer import download


def download_weights(path: str, url: str, sha256: str) -> None:
    """Download one file whose SHA-256 is known.

    Args:
        path: where it shall be.
        url: where it is.
        sha256: what it must be.

    Raises:
        TransferError: it cannot be had, or is another file.
    """
    length, _ = download(open_session(), url, path, expected_sha256=sha256)
    logging.info("%s: %d bytes, SHA-256 as configured", url, length)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    download_weights(path=snakemake.output.weights, url=snakemake.params.url, sha256=snakemake.params.sha256)
