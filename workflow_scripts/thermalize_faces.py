"""Write one shard of a variant's thermal store."""

import logging
from collections import Counter
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tfake.devices import limit_threads, resolve_device
from tfake.radiometry import NO_IMAGE, decode_counts, encode_celsius
from tfake.sources.batches import iterate_batches
from tfake.sources.index import read_index
from tfake.sources.samples import SampleStatus
from tfake.store.arrays import write_shard
from tfake.store.checksums import file_sha256
from tfake.store.layout import thermal_layout
from tfake.store.manifest import Manifest, describe_files, write_manifest
from tfake.store.statistics import class_statistics, merge_statistics
from tfake.thermalizer.foreground import fill_glasses
from tfake.thermalizer.weights import load_thermalizer

#: Images decoded ahead while as many are in the network; no pixel depends on it.
BATCH_IMAGES = 16


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
) -> None:
    """Thermalize the shard's images and fill its part of ``thermal.zarr``.

    Rows whose sample cannot be used hold ``NO_IMAGE`` throughout.

    Args:
        manifest: the shard's manifest to write, last of all.
        store: the store's folder, with its metadata in place.
        archive: one zip, or all its raw split parts in order.
        index: the archive's index.
        weights: the thermalizer's weights.
        shard: the shard's number.
        rows: first row and the row behind the last.
        image_pixels: height and width of the images.
        ambient_celsius: temperature of the surroundings, given to the background.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: threads for decoding and for torch on the CPU.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
        ValueError: the network's temperatures are not finite.
    """
    limit_threads(threads)
    thermalizer = load_thermalizer(weights, resolve_device(device))
    table = read_index(index)
    start, stop = rows
    records = table.iloc[start:stop]
    counts = np.full((len(records), image_pixels, image_pixels), NO_IMAGE, dtype=np.uint16)
    statistics = []
    with tqdm(desc=f"thermalize shard {shard}", total=len(records)) as progress:
        for batch in iterate_batches(archive, records, image_pixels, BATCH_IMAGES, threads):
            celsius = thermalizer.thermalize(batch.rgb, batch.classes, ambient_celsius)
            counts[batch.rows] = encode_celsius(celsius)
            # As in the prior: long-wave infrared sees the lens, not what is behind it.
            filled = np.stack([fill_glasses(ids) for ids in batch.classes])
            # Batch by batch: over a whole shard the sums' temporaries would take many times its own memory.
            statistics.append(class_statistics(decode_counts(counts[batch.rows]), filled))
            progress.update(len(batch.rows))
    write_shard(store, {"thermal": counts}, shard)
    (array,) = thermal_layout(image_pixels)
    made_from = {
        "source_sha256": table.attrs["source_sha256"],
        "thermalizer_sha256": file_sha256(weights),
        "ambient_celsius": ambient_celsius,
    }
    described = describe_files(Path(store).parent, [f"{Path(store).name}/{array.shard_file(shard)}"])
    statuses = Counter(f"source_{SampleStatus(code).name.lower()}" for code in records["status"])
    merged = merge_statistics(statistics)
    write_manifest(manifest, Manifest(shard, start, stop, made_from, described, dict(statuses), merged))
    logging.info("shard %d, rows %d..%d: %s", shard, start, stop - 1, dict(statuses))


if __name__ == "__main__":
    from tfake.runlog import start_log

    start_log(snakemake.log[0])
    thermalize_faces(
        manifest=snakemake.output.manifest,
        store=str(Path(snakemake.input.root).parent),
        archive=list(snakemake.input.archive),
        index=snakemake.input.index,
        weights=snakemake.input.weights,
        shard=int(snakemake.wildcards.shard),
        rows=tuple(snakemake.params.rows),
        image_pixels=snakemake.params.image_pixels,
        ambient_celsius=snakemake.params.ambient_celsius,
        device=snakemake.params.device,
        threads=snakemake.threads,
    )
