"""Write one shard of a variant's thermal store, or several with one loading of the network."""

import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tfake.archive.image_reader import open_images
from tfake.archive.index import read_index
from tfake.archive.mesh_reader import MeshReader
from tfake.camera.lens import Lens
from tfake.core.codes import SampleStatus
from tfake.core.devices import limit_threads, resolve_device
from tfake.core.processes import keep_freed_memory
from tfake.heat.face_heat import FaceHeat
from tfake.store.layouts import thermal_layout
from tfake.store.manifest import COMPUTED_ON, count_codes, file_sha256, finish_shard
from tfake.store.repair import forget_shards, keep_shard, take_back
from tfake.store.stream import ShardStream
from tfake.store.thermal_rows import write_rows
from tfake.thermalizer.heat_input import RowFields
from tfake.thermalizer.inference import thermalize_rows
from tfake.thermalizer.thermalizer_file import load_thermalizer


def thermalize_faces(
    manifests: list[str],
    store: str,
    archive: list[str],
    index: str,
    weights: str,
    shard_images: int,
    image_pixels: int,
    ambient_celsius: float,
    device: str,
    threads: int,
    recipe: int,
    images: str | None = None,
    precision: str = "auto",
    faces: str | None = None,
    heat: Mapping[str, Any] | None = None,
) -> None:
    """Thermalize shards' images and fill their parts of ``thermal.zarr``, in memory that does not grow with a shard.

    Rows whose sample cannot be used hold ``NO_IMAGE`` throughout. A job of several shards that was stopped goes on
    after the last one that it finished.

    Args:
        manifests: the manifest of each shard, ``{shard}.json``, written last of its files.
        store: the store's folder, with its metadata in place.
        archive: one zip, or all its raw split parts in order; none where ``images`` are given.
        index: the archive's index.
        weights: the thermalizer's weights.
        shard_images: images a shard.
        image_pixels: height and width of the images.
        ambient_celsius: temperature of the surroundings, given to the background.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        threads: images that are worked at side by side; beside a GPU, threads for decoding and encoding.
        recipe: the rule's, recorded among what a shard was made from.
        images: the folder ``images.zarr``, where the source is kept decoded.
        precision: number format of the network's body: ``auto``, ``float32`` or ``bfloat16``.
        faces: the folder ``faces.zarr``, whose points a network with a heat field needs; None: it does without.
        heat: who the faces are, as :meth:`tfake.heat.face_heat.FaceHeat.from_mapping` reads it, and their ``lens``, of
            :class:`tfake.camera.lens.Lens` or None; None: as the former's defaults say, without a lens.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
        ValueError: the network's temperatures of an image, which is named, are not finite.
        OSError: the disk is full, or the store cannot be written; the error names the file.
        StoreError: what was written does not read back as it was, or the images or labels are of another source or
            damaged.
    """
    keep_freed_memory()
    where = resolve_device(device)
    # On a CPU the threads work at an image each, and the last bits of none depend on how many there are.
    limit_threads(1)
    thermalizer = load_thermalizer(weights, where, precision)
    table = read_index(index)
    source = open_images(archive, image_pixels, images, table.attrs["source_sha256"])
    heat = dict(heat or {})
    people = FaceHeat.from_mapping({key: own for key, own in heat.items() if key != "lens"})
    fields = None
    if thermalizer.network.architecture.heat_field and faces is not None:
        fields = RowFields(MeshReader(faces, table.attrs["source_sha256"]), people)
    lens = None
    if heat.get("lens") is not None:
        lens = partial(Lens(**heat["lens"]).look, seed=people.seed, ambient_celsius=ambient_celsius)
    made_from = {
        "source_sha256": table.attrs["source_sha256"],
        "thermalizer_sha256": file_sha256(weights),
        "ambient_celsius": ambient_celsius,
        "heat": heat,
        "recipe": recipe,
        COMPUTED_ON: thermalizer.computed_on(),
    }
    folder = Path(store).parent
    shards = {int(Path(manifest).stem): manifest for manifest in manifests}
    rows = {shard: (shard * shard_images, min((shard + 1) * shard_images, len(table))) for shard in shards}
    missing = [shard for shard in shards if not take_back(folder, shards[shard], shard, rows[shard], made_from)]
    if len(missing) < len(shards):
        logging.info("%d of %d shards are there already", len(shards) - len(missing), len(shards))

    def compress(counts: np.ndarray) -> bytes:
        # By whichever shard is open: it makes no difference to a chunk.
        return stream.encode(counts)

    # One after the other without a stop: while a shard is closed, the next one's images are on their way.
    every_record = table.iloc[[row for shard in missing for row in range(*rows[shard])]]
    made = thermalize_rows(
        thermalizer, source, every_record, image_pixels, ambient_celsius, compress, threads, fields, lens
    )
    for shard in missing:
        records = table.iloc[slice(*rows[shard])]
        with ShardStream(store, "thermal", shard) as stream:
            written = write_rows(stream, made, len(records), f"thermalize shard {shard}")
        finish_shard(
            shards[shard],
            store,
            thermal_layout(image_pixels),
            shard,
            rows[shard],
            made_from,
            count_codes("source", SampleStatus, records["status"]),
            written.statistics,
            written.streamed,
        )
        if len(shards) > 1:
            keep_shard(folder, shards[shard])
    forget_shards(folder, shards)


if __name__ == "__main__":
    from tfake.core.gpu_claims import claim_device
    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    thermalize_faces(
        manifests=list(snakemake.output.manifests),
        store=str(Path(snakemake.input.root).parent),
        # Inputs that are no files at all arrive as an empty list.
        archive=list(snakemake.input.archive),
        index=snakemake.input.index,
        weights=snakemake.input.weights,
        shard_images=snakemake.params.shard_images,
        image_pixels=snakemake.params.image_pixels,
        ambient_celsius=snakemake.params.ambient_celsius,
        device=claim_device(snakemake.config["device"]),
        threads=snakemake.threads,
        recipe=snakemake.params.recipe,
        images=str(Path(snakemake.input.images[0]).parent) if snakemake.input.images else None,
        precision=snakemake.params.precision,
        faces=str(Path(snakemake.input.faces[0]).parent) if snakemake.input.faces else None,
        heat=snakemake.params.heat,
    )
