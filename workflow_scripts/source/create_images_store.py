"""Make the metadata of the images store; the shards are written by other jobs."""

from tfake.archive.index import read_index
from tfake.core.provenance import store_attributes
from tfake.store.arrays import create_store
from tfake.store.layouts import images_layout


def create_images_store(store: str, index: str, image_pixels: int, shard_images: int, source_license: str) -> None:
    """Write ``images.zarr``'s metadata files.

    Args:
        store: the store's folder.
        index: the source's index.
        image_pixels: height and width of the images.
        shard_images: rows a shard.
        source_license: terms of the source, recorded in the store: these are its very images.
    """
    table = read_index(index)
    attributes = store_attributes(
        title="Faces: the source's images, decoded",
        license=source_license,
        source_sha256=table.attrs["source_sha256"],
    )
    create_store(store, images_layout(image_pixels), len(table), shard_images, attributes)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    create_images_store(
        store=str(Path(snakemake.output.root).parent),
        index=snakemake.input.index,
        image_pixels=snakemake.params.image_pixels,
        shard_images=snakemake.params.shard_images,
        source_license=snakemake.params.source_license,
    )
