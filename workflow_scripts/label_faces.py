"""Write one shard of the faces store: the source's labels, its class maps, and FaceMesh's 478 points."""

import logging
from collections import Counter
from pathlib import Path

import numpy as np
from tqdm import tqdm

from tfake.labels.facemesh import FaceMesh
from tfake.labels.status import MeshStatus
from tfake.sources.archive import open_archive
from tfake.sources.index import read_index
from tfake.sources.samples import SampleStatus, read_sample
from tfake.store.arrays import write_shard
from tfake.store.ids import encode_ids
from tfake.store.layout import faces_layout
from tfake.store.manifest import Manifest, describe_files, write_manifest
from tfake.store.rows import empty_face_rows


def label_faces(
    manifest: str,
    store: str,
    archive: list[str],
    index: str,
    shard: int,
    rows: tuple[int, int],
    image_pixels: int,
    min_detection_confidence: float,
) -> None:
    """Fill one shard of every array of ``faces.zarr``.

    Rows whose sample cannot be used keep their place: class IGNORE, NaN points and the status that the index gave them.

    Args:
        manifest: the shard's manifest to write, last of all.
        store: the store's folder, with its metadata in place.
        archive: one zip, or all its raw split parts in order.
        index: the archive's index.
        shard: the shard's number.
        rows: first row and the row behind the last.
        image_pixels: height and width of the images.
        min_detection_confidence: 0..1, threshold of FaceMesh's detector.

    Raises:
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
    """
    table = read_index(index)
    start, stop = rows
    records = table.iloc[start:stop]
    opened = open_archive(archive)
    values = empty_face_rows(len(records), image_pixels)
    values["image_id"] = encode_ids(records["image_id"])
    values["status"] = records["status"].to_numpy(np.uint8)
    with FaceMesh(min_detection_confidence) as face_mesh:
        for row, record in enumerate(tqdm(records.itertuples(), f"label shard {shard}", len(records))):
            if record.status != SampleStatus.OK:
                continue
            sample = read_sample(opened, record, image_pixels)
            values["segmentation"][row] = sample.classes
            values["landmarks_70"][row] = sample.landmarks_70
            mesh = face_mesh.find(sample.rgb, sample.landmarks_70)
            values["landmarks_478_status"][row] = MeshStatus.NOT_FOUND if mesh is None else MeshStatus.OK
            if mesh is not None:
                values["landmarks_478"][row] = mesh
    write_shard(store, values, shard)
    counts = Counter(f"source_{SampleStatus(code).name.lower()}" for code in values["status"])
    counts += Counter(f"mesh_{MeshStatus(code).name.lower()}" for code in values["landmarks_478_status"])
    files = [f"{Path(store).name}/{array.shard_file(shard)}" for array in faces_layout(image_pixels)]
    made_from = {
        "source_sha256": table.attrs["source_sha256"],
        "min_detection_confidence": min_detection_confidence,
    }
    described = describe_files(Path(store).parent, files)
    write_manifest(manifest, Manifest(shard, start, stop, made_from, described, dict(counts), statistics={}))
    logging.info("shard %d, rows %d..%d: %s", shard, start, stop - 1, dict(counts))


if __name__ == "__main__":
    from tfake.runlog import start_log

    start_log(snakemake.log[0])
    label_faces(
        manifest=snakemake.output.manifest,
        store=str(Path(snakemake.input.root).parent),
        archive=list(snakemake.input.archive),
        index=snakemake.input.index,
        shard=int(snakemake.wildcards.shard),
        rows=tuple(snakemake.params.rows),
        image_pixels=snakemake.params.image_pixels,
        min_detection_confidence=snakemake.params.min_detection_confidence,
    )
