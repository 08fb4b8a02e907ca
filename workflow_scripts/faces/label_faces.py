"""Write one shard of the faces store: the source's labels, its class maps, and 478 points with their quality."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from tqdm import tqdm

from tfake.archive.image_reader import open_images
from tfake.archive.index import read_index
from tfake.archive.zip_archive import open_archive
from tfake.core.codes import Attempt, MeshStatus, SampleStatus, encode_ids
from tfake.labels.detection import LabelSettings
from tfake.labels.labelling import label_rows
from tfake.store.arrays import write_shard
from tfake.store.layouts import faces_layout
from tfake.store.manifest import count_codes, file_sha256, finish_shard
from tfake.store.stream import ShardStream, empty_face_rows


def label_faces(
    manifest: str,
    store: str,
    archive: list[str],
    index: str,
    shard: int,
    rows: tuple[int, int],
    image_pixels: int,
    labels: Mapping[str, Any],
    model: str | None,
    threads: int,
    images: str | None = None,
) -> None:
    """Fill one shard of every array of ``faces.zarr``.

    Rows whose sample cannot be used keep their place: class IGNORE, NaN points and the status that the index gave them.

    Args:
        manifest: the shard's manifest to write, last of all.
        store: the store's folder, with its metadata in place.
        archive: one zip, or all its raw split parts in order.
        index: the archive's index.
        shard: the shard's number.
        rows: first row, and stop (exclusive).
        image_pixels: height and width of the images.
        labels: the ``labels`` block of the config.
        model: the face landmarker's model file; None with FaceMesh.
        threads: processes that label side by side; the result does not depend on their number.
        images: the folder ``images.zarr``, where the source is kept decoded; the archive then gives the points alone.

    Raises:
        ValueError: the settings contradict one another.
        SampleError: a sample that was good when indexed is not any more: the archive has changed.
        StoreError: the images are of another source, or a shard of them is damaged.
    """
    settings = LabelSettings(model=model, **{key: value for key, value in labels.items() if key != "face_landmarker"})
    table = read_index(index)
    records = table.iloc[slice(*rows)]
    # The class maps alone are large: they are written as they come.
    values = empty_face_rows(len(records), image_pixels, without=("segmentation",))
    nothing = empty_face_rows(1, image_pixels)["segmentation"][0]
    values["image_id"] = encode_ids(records["image_id"])
    values["status"] = records["status"].to_numpy(np.uint8)
    usable = records[records["status"] == SampleStatus.OK]
    source = open_images(archive, image_pixels, images, table.attrs["source_sha256"])
    labelled = label_rows(open_archive(archive), source, usable, settings, threads)
    with ShardStream(store, "segmentation", shard) as class_maps:
        for row, status in enumerate(tqdm(values["status"], f"label shard {shard}")):
            class_map = nothing
            if status == SampleStatus.OK:
                sample, face = next(labelled)
                class_map = sample.classes
                values["landmarks_70"][row] = sample.landmarks_70
                for name, array in face.arrays().items():
                    values[name][row] = array
            class_maps.append(class_maps.encode(class_map))
        streamed = {"segmentation": class_maps.close()}
    write_shard(store, values, shard)
    counts = {
        **count_codes("source", SampleStatus, values["status"]),
        **count_codes("mesh", MeshStatus, values["landmarks_478_status"]),
        **count_codes("attempt", Attempt, values["landmarks_478_attempt"]),
    }
    made_from = {
        "source_sha256": table.attrs["source_sha256"],
        "labels": {key: value for key, value in labels.items() if key != "face_landmarker"},
        "model_sha256": None if model is None else file_sha256(model),
    }
    finish_shard(manifest, store, faces_layout(image_pixels), shard, rows, made_from, counts, streamed=streamed)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    label_faces(
        manifest=snakemake.output.manifest,
        store=str(Path(snakemake.input.root).parent),
        archive=list(snakemake.input.archive),
        index=snakemake.input.index,
        shard=int(snakemake.wildcards.shard),
        rows=tuple(snakemake.params.rows),
        image_pixels=snakemake.params.image_pixels,
        labels=snakemake.params.labels,
        # An input that is no file at all arrives as an empty list.
        model=snakemake.input.get("model") or None,
        threads=snakemake.threads,
        images=str(Path(snakemake.input.images[0]).parent) if snakemake.input.images else None,
    )
