"""Make the metadata of a store for published thermal images; the shards are written by other jobs."""

from pathlib import Path

from tfake.archive.file_trees import open_tree
from tfake.store.arrays import create_store, open_store
from tfake.store.layouts import import_layout
from tfake.variants.imported import check_images, list_images


def create_import_store(
    store: str,
    faces_store: str,
    variant: str,
    files: str,
    points: str | None,
    license: str,
    condition: str,
    ambient_celsius: float,
    shard_images: int,
) -> None:
    """Write ``thermal.zarr``'s metadata files.

    Args:
        store: the store's folder.
        faces_store: the ``faces.zarr`` of the source.
        variant: the variant's name.
        files: the folder or zip of published images; its last name is recorded.
        points: the pickle of dense points, or None.
        license: terms of the published images, recorded beside the source's.
        condition: the condition that the images show.
        ambient_celsius: its room.
        shard_images: rows a shard.

    Raises:
        ValueError: there is no published image, or they are not what T-FAKE publishes.
    """
    tree = open_tree(files, "published thermal images")
    check_images(tree, list_images(tree))
    faces = open_store(faces_store)
    attributes = {
        **faces.attrs.asdict(),
        "title": f"Thermal faces, variant {variant}: imported from {Path(files).name}",
        "license": f"{faces.attrs['license']} AND {license}",
        "variant": variant,
        "imported": Path(files).name,
        "points": "faces.zarr" if points is None else Path(points).name,
        "condition": condition,
        "ambient_celsius": ambient_celsius,
    }
    rows, pixels = faces["segmentation"].shape[:2]
    create_store(store, import_layout(pixels), rows, shard_images, attributes)


if __name__ == "__main__":
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    create_import_store(
        store=str(Path(snakemake.output.root).parent),
        faces_store=str(Path(snakemake.input.faces_root).parent),
        variant=snakemake.wildcards.variant,
        files=snakemake.params.settings["files"],
        points=snakemake.params.settings["points"],
        license=snakemake.params.settings["license"],
        condition=snakemake.params.settings["condition"],
        ambient_celsius=snakemake.params.ambient_celsius,
        shard_images=snakemake.params.shard_images,
    )
