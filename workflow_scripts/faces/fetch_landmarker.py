"""Fetch MediaPipe's face landmarker model; Snakemake checks its SHA-256."""

import os
import shutil
import urllib.request
from pathlib import Path


def fetch_landmarker(model: str, url: str) -> None:
    """Download a file, whole or not at all.

    Args:
        model: the file to write.
        url: where it is.

    Raises:
        OSError: it cannot be reached or read.
    """
    part = Path(f"{model}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    with urllib.request.urlopen(url, timeout=60) as answer, part.open("wb") as file:
        shutil.copyfileobj(answer, file)
    os.replace(part, model)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    fetch_landmarker(model=snakemake.output.model, url=snakemake.params.url)
