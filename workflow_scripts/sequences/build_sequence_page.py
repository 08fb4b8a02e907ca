"""Build the page of the sequences: films, temperatures under the pointer, curves, failures."""

import logging
import shutil
from pathlib import Path

from tfake.core.files import write_text_whole
from tfake.products.sequence_page.overview import render_sequences, write_clips
from tfake.reader.sequences import open_sequences


def build_sequence_page(page: str, data: str, films: str, results: str, most: int) -> None:
    """Write a folder with the page, the data of the sequences that it shows, and their films.

    Args:
        page: the page to write.
        data: the folder for its data; what it holds is replaced.
        films: the folder for its films; what it holds is replaced.
        results: a folder that holds ``sequences/sequences.zarr``.
        most: how many sequences are shown at most, spread evenly.
    """
    sequences = open_sequences(results)
    folders = Path(data), Path(films)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    shown = write_clips(sequences, most, *folders)
    html = render_sequences(page, sequences, shown, *folders)
    write_text_whole(page, html)
    beside = sum(path.stat().st_size for folder in folders for path in folder.iterdir())
    logging.info("%s: %.1f MB, and %.1f MB beside it", page, len(html.encode()) / 1e6, beside / 1e6)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    build_sequence_page(
        page=snakemake.output.page,
        data=snakemake.output.data,
        films=snakemake.output.films,
        results=str(Path(snakemake.input.report).parents[1]),
        most=snakemake.params.most,
    )
