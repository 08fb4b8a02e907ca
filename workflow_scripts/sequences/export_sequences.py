"""Export the sequences to a format of others, with the terms of their data."""

import shutil
from pathlib import Path

from tfake.products.exports.sequence_formats import SEQUENCE_FORMATS
from tfake.products.publication.facts import terms_of, write_checksums, write_terms
from tfake.reader.sequences import open_sequences


def export_sequences(sums: str, results: str, format: str) -> None:
    """Write a folder in one of the formats, its terms, and ``SHA256SUMS``, last.

    Args:
        sums: the checksum list to write, in the folder to make; what that folder holds is replaced.
        results: a folder that holds ``sequences/sequences.zarr``.
        format: a name of :data:`tfake.products.exports.sequence_formats.SEQUENCE_FORMATS`.
    """
    sequences, folder = open_sequences(results), Path(sums).parent
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    SEQUENCE_FORMATS[format](folder, sequences)
    write_terms(folder, terms_of(sequences.attributes["license"]), has_rgb=False)
    write_checksums(folder)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    export_sequences(
        sums=snakemake.output.sums,
        results=str(Path(snakemake.input.report).parents[1]),
        format=snakemake.wildcards.format,
    )
