"""Write one shard of a variant that a camera records."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from tqdm import tqdm

from tfake.camera.camera_model import Camera
from tfake.camera.recording import record_rows
from tfake.core.codes import SampleStatus
from tfake.store.arrays import open_store, write_shard
from tfake.store.layouts import recorded_layout
from tfake.store.manifest import count_codes, finish_shard
from tfake.store.shards import StoreError

#: What a base's store says of what made it.
_MADE_BY = ("thermalizer_sha256", "heat", "modelled")


def record_faces(
    manifest: str,
    store: str,
    base_store: str,
    faces_store: str,
    shard: int,
    rows: tuple[int, int],
    of: str,
    camera: Mapping[str, Any],
) -> None:
    """Record the shard's thermal faces with a camera, and its labels with them.

    Args:
        manifest: the shard's manifest to write, last of all.
        store: the store's folder, with its metadata in place.
        base_store: the thermal store that the camera records; its shard is written.
        faces_store: the ``faces.zarr`` of the same source; its shard is written.
        shard: the shard's number.
        rows: first row, and stop (exclusive).
        of: name of the variant in ``base_store``.
        camera: settings of the camera (:class:`tfake.camera.camera_model.Camera`).

    Raises:
        StoreError: the two stores are not of the same source.
    """
    base, faces = open_store(base_store), open_store(faces_store)
    source = base.attrs["source_sha256"]
    if faces.attrs["source_sha256"] != source:
        raise StoreError(f"{base_store} has the source {source}, {faces_store} {faces.attrs['source_sha256']}")
    settings = Camera.of(camera)
    progress = tqdm(range(*rows), f"record shard {shard}")
    values, statistics = record_rows(base, faces, progress, settings, base.attrs["ambient_celsius"])
    write_shard(store, values, shard)
    made_from = {
        "source_sha256": source,
        **{key: base.attrs[key] for key in _MADE_BY if key in base.attrs},
        "ambient_celsius": base.attrs["ambient_celsius"],
        "of": of,
        "camera": dict(camera),
    }
    width, height = settings.image_pixels
    layout = recorded_layout(height, width, settings.values)
    statuses = faces["status"][slice(*rows)]
    counts = count_codes("source", SampleStatus, statuses)
    # A modelled base has none of a face without a mesh.
    lacking = np.isnan(values["source_to_image"]).all(axis=(1, 2)) & (statuses == SampleStatus.OK)
    if lacking.any():
        counts["without_mesh"] = int(lacking.sum())
    finish_shard(manifest, store, layout, shard, rows, made_from, counts, statistics)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    record_faces(
        manifest=snakemake.output.manifest,
        store=str(Path(snakemake.input.root).parent),
        base_store=str(Path(snakemake.input.base_root).parent),
        faces_store=str(Path(snakemake.input.faces_root).parent),
        shard=int(snakemake.wildcards.shard),
        rows=tuple(snakemake.params.rows),
        of=snakemake.params.of,
        camera=snakemake.params.camera,
    )
