"""Write one shard of a variant's thermal store."""

import logging
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from tfake.allocation import keep_freed_memory
from tfake.devices import limit_threads, resolve_device
from tfake.sources.index import read_index
from tfake.sources.samples import SampleStatus
from tfake.store.arrays import StoreError
from tfake.store.checksums import file_sha256
from tfake.store.image_reader import open_images
from tfake.store.layout import thermal_layout
from tfake.store.manifest import Manifest, describe_files, write_manifest
from tfake.store.statistics import CountStatistics
from tfake.store.stream import ShardStream
from tfake.thermalizer.pipeline import thermalize_rows
from tfake.thermalizer.weights import load_thermalizer


def thermalize_faces(
    manifest: str,
    store: str,
    archive: list[str],
    index: str,
    weights: str,
    shard: int,
    rows: tuple[int, int],
    image_pixels: int,
    ambient_celsius: float,
    device: str,
    threads: int,
    images: str | None = None,
) -> None:
    """Thermalize the shard's images and fill its part of ``thermal.zarr``, in memory that does not grow with the shard.

    Rows whose sample cannot be used hold ``NO_IMAGE`` throughout.

    Args:
        manifest: the shard's manifest to write, last of all.
        store: the store's folder, with its metadata in place.
        archive: one zip, or all its raw split parts in order; none where ``images`` are given.
        index: the archive's index.
        weights: the thermalizer's weights.
        shard: the shard's number.
        rows: first row and the row behind the last.
        image_pixels: height and width of the images.
        ambient_celsius: temperature of the surroundings, given to the background.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: images that are worked at side by side; beside a GPU, threads for decoding and encoding.
        images: the folder ``images.zarr``, where the source is kept decoded.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
        ValueError: the network's temperatures of an image, which is named, are not finite.
        OSError: the disk is full, or the store cannot be written; the error names the file.
        StoreError: what was written does not read back as it was, or the images are of another source or damaged.
    """
    keep_freed_memory()
    where = resolve_device(device)
    # On a CPU the threads work at an image each, and the last bits of none depend on how many there are.
    limit_threads(1)
    thermalizer = load_thermalizer(weights, where)
    table = read_index(index)
    start, stop = rows
    records = table.iloc[start:stop]
    source = open_images(archive, image_pixels, images, table.attrs["source_sha256"])
    statistics = CountStatistics()
    with ShardStream(store, "thermal", shard) as stream:
        made = thermalize_rows(thermalizer, source, records, image_pixels, ambient_celsius, stream.encode, threads)
        for row in tqdm(made, f"thermalize shard {shard}", len(records)):
            stream.append(row.chunk)
            if row.sums is not None:
                statistics.add(row.sums)
        written = stream.close()
    (array,) = thermal_layout(image_pixels)
    made_from = {
        "source_sha256": table.attrs["source_sha256"],
        "thermalizer_sha256": file_sha256(weights),
        "ambient_celsius": ambient_celsius,
    }
    described = describe_files(Path(store).parent, [f"{Path(store).name}/{array.shard_file(shard)}"])
    if described[0].sha256 != written:
        raise StoreError(f"{described[0].path} does not read back as it was written")
    statuses = Counter(f"source_{SampleStatus(code).name.lower()}" for code in records["status"])
    write_manifest(
        manifest, Manifest(shard, start, stop, made_from, described, dict(statuses), statistics.as_mapping())
    )
    logging.info("shard %d, rows %d..%d: %s", shard, start, stop - 1, dict(statuses))


if __name__ == "__main__":
    from tfake.gpus import claim_device
    from tfake.runlog import start_log

    start_log(snakemake.log[0])
    thermalize_faces(
        manifest=snakemake.output.manifest,
        store=str(Path(snakemake.input.root).parent),
        # Inputs that are no files at all arrive as an empty list.
        archive=list(snakemake.input.archive),
        index=snakemake.input.index,
        weights=snakemake.input.weights,
        shard=int(snakemake.wildcards.shard),
        rows=tuple(snakemake.params.rows),
        image_pixels=snakemake.params.image_pixels,
        ambient_celsius=snakemake.params.ambient_celsius,
        device=claim_device(snakemake.config["device"]),
        threads=snakemake.threads,
        images=str(Path(snakemake.input.images[0]).parent) if snakemake.input.images else None,
    )
