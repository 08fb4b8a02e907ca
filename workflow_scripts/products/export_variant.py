"""Export a variant to a format of others, with the terms of its data."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from tfake.products.exports.export_formats import FORMATS
from tfake.products.exports.tfake_layout import MOST_CLIPPED
from tfake.products.publication.facts import terms_of, write_checksums, write_terms
from tfake.reader.dataset import open_dataset
from tfake.reader.face import FIELDS
from tfake.store.arrays import open_store


def export_variant(
    sums: str,
    results: str,
    variant: str,
    format: str,
    most_clipped: float = MOST_CLIPPED,
    rgb: bool = False,
    archive: Sequence[str] | None = None,
) -> None:
    """Write a folder in one of the formats, its terms, and ``SHA256SUMS``, last.

    Rows without a usable sample are left out.

    Args:
        sums: the checksum list to write, in the folder to make; what that folder holds is replaced.
        results: a results folder or a published one.
        variant: the variant's name.
        format: a name of :data:`tfake.products.exports.export_formats.FORMATS`.
        most_clipped: fraction of the pixels that clipping to 20 to 40 °C may change, where the format does that.
        rgb: whether the source's images go with it.
        archive: where they are, if the results do not keep them (:func:`tfake.open_dataset`).

    Raises:
        ValueError: the format cannot hold the variant.
        DatasetError: RGB is asked for and cannot be had: the archive is missing or another one, or the variant has a
            geometry of its own.
    """
    fields = (*FIELDS, "rgb") if rgb else FIELDS
    dataset = open_dataset(results, [variant], fields=fields, archive=archive)
    folder = Path(sums).parent
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    settings = {"most_clipped": most_clipped}
    FORMATS[format].write(folder, dataset, **{name: settings[name] for name in FORMATS[format].options})
    root = open_store(Path(results, "variants", variant, "thermal.zarr"))
    write_terms(folder, terms_of(root.attrs["license"]), has_rgb=rgb)
    write_checksums(folder)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    export_variant(
        sums=snakemake.output.sums,
        results=str(Path(snakemake.input.faces).parents[1]),
        variant=snakemake.wildcards.variant,
        format=snakemake.wildcards.format,
        most_clipped=snakemake.params.most_clipped,
        rgb=snakemake.params.rgb,
        archive=list(snakemake.input.archive) or None,
    )
