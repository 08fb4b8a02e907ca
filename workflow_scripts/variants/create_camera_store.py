"""Make the metadata of a camera variant's thermal store; the shards are written by other jobs."""

from collections.abc import Mapping
from typing import Any

from tfake.camera.camera_model import Camera, camera_layout
from tfake.store.arrays import create_store, open_store


def create_camera_store(
    store: str, base_store: str, variant: str, of: str, camera: Mapping[str, Any], shard_images: int
) -> None:
    """Write ``thermal.zarr``'s metadata files: the base's attributes, and the camera's settings.

    Args:
        store: the store's folder.
        base_store: the store of the variant that the camera looks at.
        variant: the variant's name.
        of: the base's name.
        camera: settings of the camera (:class:`tfake.camera.camera_model.Camera`).
        shard_images: rows a shard.
    """
    base = open_store(base_store)
    attributes = {
        **base.attrs.asdict(),
        "title": f"Thermal faces, variant {variant}: {of} through a camera",
        "variant": variant,
        "of": of,
        "camera": dict(camera),
    }
    create_store(store, camera_layout(Camera.of(camera)), base["thermal"].shape[0], shard_images, attributes)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    create_camera_store(
        store=str(Path(snakemake.output.root).parent),
        base_store=str(Path(snakemake.input.root).parent),
        variant=snakemake.wildcards.variant,
        of=snakemake.params.of,
        camera=snakemake.params.camera,
        shard_images=snakemake.params.shard_images,
    )
