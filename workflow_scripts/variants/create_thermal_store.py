"""Make the metadata of a variant's thermal store; the shards are written by other jobs."""

import json
from pathlib import Path

from tfake.archive.index import read_index
from tfake.core.provenance import store_attributes
from tfake.store.arrays import create_store
from tfake.store.layouts import thermal_layout
from tfake.store.manifest import file_sha256


def create_thermal_store(
    store: str,
    index: str,
    weights: str,
    provenance: str,
    variant: str,
    condition: str,
    ambient_celsius: float,
    image_pixels: int,
    shard_images: int,
    source_license: str,
) -> None:
    """Write ``thermal.zarr``'s metadata files.

    Args:
        store: the store's folder.
        index: the source's index.
        weights: the thermalizer's weights.
        provenance: how the weights were made, recorded in the store.
        variant: the variant's name.
        condition: the condition its thermalizer was trained for.
        ambient_celsius: temperature of the surroundings, given to the background.
        image_pixels: height and width of the images.
        shard_images: rows a shard.
        source_license: terms of the source, recorded in the store.
    """
    table = read_index(index)
    attributes = store_attributes(
        title=f"Thermal faces, variant {variant}",
        license=source_license,
        source_sha256=table.attrs["source_sha256"],
        variant=variant,
        condition=condition,
        ambient_celsius=ambient_celsius,
        thermalizer_sha256=file_sha256(weights),
        thermalizer=json.loads(Path(provenance).read_text()),
    )
    create_store(store, thermal_layout(image_pixels), len(table), shard_images, attributes)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    create_thermal_store(
        store=str(Path(snakemake.output.root).parent),
        index=snakemake.input.index,
        weights=snakemake.input.weights,
        provenance=snakemake.input.provenance,
        variant=snakemake.wildcards.variant,
        condition=snakemake.params.condition,
        ambient_celsius=snakemake.params.ambient_celsius,
        image_pixels=snakemake.params.image_pixels,
        shard_images=snakemake.params.shard_images,
        source_license=snakemake.params.source_license,
    )
