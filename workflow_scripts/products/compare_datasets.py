"""Write down what two datasets differ in."""

import logging
from pathlib import Path

from tfake.products import comparison as datasets
from tfake.products.comparison import read_dataset, write_text


def compare_datasets(page: str, folders: list[str] | None) -> None:
    """Compare two datasets by their settings, checksums and statistics.

    Args:
        page: the Markdown file to write.
        folders: two folders of results, or published datasets.

    Raises:
        ValueError: the folders are not two.
        FileNotFoundError: one of them holds no dataset.
    """
    if not folders or len(folders) != 2:
        raise ValueError(f"compare needs two folders: snakemake compare --config 'compare=[A, B]'; found {folders}")
    comparison = datasets.compare_datasets(*(read_dataset(folder) for folder in folders))
    text = write_text(comparison)
    Path(page).write_text(text, encoding="utf-8")
    logging.info("%s", text)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    compare_datasets(page=snakemake.output.page, folders=snakemake.params.folders)
