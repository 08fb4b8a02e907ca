"""Write one shard of a variant that the temperature model makes, without a network."""

from collections.abc import Mapping
from typing import Any

from tfake.archive.image_reader import open_images
from tfake.archive.index import read_index
from tfake.core.codes import SampleStatus
from tfake.core.compute_threads import limit_compute_threads
from tfake.core.processes import keep_freed_memory
from tfake.store.arrays import open_store
from tfake.store.layouts import thermal_layout
from tfake.store.manifest import count_codes, finish_shard
from tfake.store.shards import StoreError
from tfake.store.stream import ShardStream
from tfake.store.thermal_rows import write_rows
from tfake.variants.modelled import HeatModel, model_rows


def model_faces(
    manifest: str,
    store: str,
    faces_store: str,
    archive: list[str],
    index: str,
    shard: int,
    rows: tuple[int, int],
    image_pixels: int,
    ambient_celsius: float,
    heat: Mapping[str, Any],
    threads: int,
    images: str | None = None,
) -> None:
    """Give a shard's faces their temperatures, and fill its part of ``thermal.zarr``.

    Rows whose sample cannot be used, and faces without 478 points (``without_mesh`` in the manifest), hold ``NO_IMAGE``
    throughout.

    Args:
        manifest: the shard's manifest to write, last of its files.
        store: the store's folder, with its metadata in place.
        faces_store: the ``faces.zarr`` of the same source; its shard is written.
        archive: one zip, or all its raw split parts in order; none where ``images`` are given.
        index: the archive's index.
        shard: the shard's number.
        rows: first row, and stop (exclusive).
        image_pixels: height and width of the images.
        ambient_celsius: temperature of the room.
        heat: the variant's settings (:class:`tfake.variants.modelled.HeatModel`).
        threads: images that are worked at side by side.
        images: the folder ``images.zarr``, where the source is kept decoded.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
        StoreError: faces or images are of another source or damaged, or what was written does not read back.
        ValueError: a face's labels do not fit its image; it is named.
    """
    keep_freed_memory()
    # The threads work at an image each.
    limit_compute_threads(1)
    table, faces, root = read_index(index), open_store(faces_store), open_store(store).attrs
    source_sha256 = table.attrs["source_sha256"]
    if faces.attrs["source_sha256"] != source_sha256:
        raise StoreError(f"{faces_store} is of the source {faces.attrs['source_sha256']}; expected {source_sha256}")
    source = open_images(archive, image_pixels, images, source_sha256)
    records = table.iloc[slice(*rows)]
    with ShardStream(store, "thermal", shard) as stream:
        made = model_rows(HeatModel(heat, ambient_celsius), source, records, faces, stream.encode, threads)
        written = write_rows(stream, made, len(records), f"model shard {shard}")
    usable = int((records["status"] == SampleStatus.OK).sum())
    counts = count_codes("source", SampleStatus, records["status"])
    counts["without_mesh"] = usable - written.images
    made_from = {key: root[key] for key in ("source_sha256", "ambient_celsius", "heat", "modelled")}
    layout = thermal_layout(image_pixels)
    finish_shard(manifest, store, layout, shard, rows, made_from, counts, written.statistics, written.streamed)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    model_faces(
        manifest=snakemake.output.manifest,
        store=str(Path(snakemake.input.root).parent),
        faces_store=str(Path(snakemake.input.faces_root).parent),
        archive=list(snakemake.input.archive),
        index=snakemake.input.index,
        shard=int(snakemake.wildcards.shard),
        rows=tuple(snakemake.params.rows),
        image_pixels=snakemake.params.image_pixels,
        ambient_celsius=snakemake.params.ambient_celsius,
        heat=snakemake.params.heat,
        threads=snakemake.threads,
        images=str(Path(snakemake.input.images[0]).parent) if snakemake.input.images else None,
    )
