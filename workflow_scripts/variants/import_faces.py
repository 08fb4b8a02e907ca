"""Write one shard of a variant from published thermal images."""

import logging

import numpy as np
from tqdm import tqdm

from tfake.archive.file_trees import open_tree
from tfake.core.codes import PIXEL_CENTRE, SampleStatus, decode_ids
from tfake.core.radiometry import NO_IMAGE, decode_counts, encode_celsius
from tfake.imaging.foreground import fill_glasses
from tfake.store.arrays import open_store, write_shard
from tfake.store.layouts import imported_layout
from tfake.store.manifest import finish_shard
from tfake.store.statistics import class_statistics, merge_statistics
from tfake.variants.imported import list_images, read_image, read_points


def import_faces(
    manifest: str, store: str, faces_store: str, files: str, points: str | None, shard: int, rows: tuple[int, int]
) -> None:
    """Fill a shard with the published images of its rows.

    Rows without a published image that can be used, or without a usable sample, hold ``NO_IMAGE`` and points of NaN;
    each image that cannot is named in the log. Published points have no depth where they are (x, y); without a pickle
    the points are those of ``faces.zarr``.

    Args:
        manifest: the shard's manifest to write, last of all.
        store: the store's folder, with its metadata in place.
        faces_store: the ``faces.zarr`` of the source; its shard is written.
        files: a folder or zip of ``{id}_thermal.png``.
        points: T-FAKE's pickle of dense points, or None.
        shard: the shard's number.
        rows: first row, and stop (exclusive).

    Raises:
        ValueError: the pickle, or every image of the shard, is not what T-FAKE publishes, or has another size than the
            source.
    """
    faces, start, stop = open_store(faces_store), *rows
    tree = open_tree(files, "published thermal images")
    images = list_images(tree)
    published = None if points is None else read_points(points)
    pixels = faces["segmentation"].shape[1]
    thermal = np.full((stop - start, pixels, pixels), NO_IMAGE, dtype=np.uint16)
    mesh = np.full((stop - start, *faces["landmarks_478"].shape[1:]), np.nan, dtype=np.float32)
    statuses = faces["status"][start:stop]
    statistics, missing, faults = [], 0, []
    ids = decode_ids(faces["image_id"][start:stop])
    for place, image_id in enumerate(tqdm(ids, f"import shard {shard}", stop - start)):
        if statuses[place] != SampleStatus.OK or image_id not in images:
            missing += 1
            continue
        try:
            celsius = read_image(tree, images[image_id], pixels)
        except ValueError as error:
            logging.warning("row %d is left out: %s", start + place, error)
            faults.append(error)
            continue
        thermal[place] = encode_celsius(celsius)
        if published is None:
            mesh[place] = faces["landmarks_478"][start + place]
        elif image_id in published:
            found = published[image_id]
            mesh[place, :, :2] = found[:, :2] * pixels - PIXEL_CENTRE
            mesh[place, :, 2:] = found[:, 2:] * pixels if found.shape[1] == 3 else np.nan
        classes = fill_glasses(faces["segmentation"][start + place])
        statistics.append(class_statistics(decode_counts(thermal[place]), classes))
    if faults and not statistics:
        raise faults[0]
    write_shard(store, {"thermal": thermal, "landmarks_478": mesh}, shard)
    root = open_store(store).attrs
    made_from = {key: root[key] for key in ("source_sha256", "imported", "points", "ambient_celsius")}
    counts = {"imported": len(statistics), "missing": missing, "unusable": len(faults)}
    counts = {name: count for name, count in counts.items() if count}
    pooled = merge_statistics(statistics)
    finish_shard(manifest, store, imported_layout(pixels), shard, rows, made_from, counts, pooled)


if __name__ == "__main__":
    from pathlib import Path

    from tfake.core.runlog import start_log

    start_log(snakemake.log[0])
    import_faces(
        manifest=snakemake.output.manifest,
        store=str(Path(snakemake.input.root).parent),
        faces_store=str(Path(snakemake.input.faces_root).parent),
        files=snakemake.params.settings["files"],
        points=snakemake.params.settings["points"],
        shard=int(snakemake.wildcards.shard),
        rows=tuple(snakemake.params.rows),
    )
