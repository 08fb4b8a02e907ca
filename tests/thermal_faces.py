"""A faces store and a thermal store of a few small faces, made by hand, the fourth without a usable sample."""

import numpy as np

from cameras import face
from tfake.core.codes import SampleStatus, encode_ids
from tfake.core.radiometry import NO_IMAGE, encode_celsius
from tfake.store.arrays import create_store, write_shard
from tfake.store.layouts import faces_layout, thermal_layout
from tfake.store.stream import empty_face_rows

ROWS, BAD, PIXELS, AMBIENT = 5, 3, 64, 20.0
ATTRIBUTES = {
    "title": "test",
    "license": "CC0-1.0",
    "source_sha256": "a" * 64,
    "variant": "cold",
    "ambient_celsius": AMBIENT,
    "thermalizer_sha256": "b" * 64,
}


def make_stores(folder, shard_images: int, source: str = "a" * 64):
    """Write ``faces.zarr`` and ``base/thermal.zarr`` into a folder."""
    values = empty_face_rows(ROWS, PIXELS)
    values["image_id"] = encode_ids([f"{row:06d}" for row in range(ROWS)])
    values["status"][BAD] = SampleStatus.UNDECODABLE_IMAGE
    counts = np.full((ROWS, PIXELS, PIXELS), NO_IMAGE, np.uint16)
    for row in range(ROWS):
        if row != BAD:
            shown = face()
            values["segmentation"][row] = shown["classes"]
            values["landmarks_70"][row] = shown["landmarks_70"]
            values["landmarks_478"][row] = shown["landmarks_478"]
            counts[row] = encode_celsius(shown["celsius"] + 0.1 * row)
    faces, base = folder / "faces.zarr", folder / "base/thermal.zarr"
    create_store(faces, faces_layout(PIXELS), ROWS, shard_images, {"source_sha256": source})
    create_store(base, thermal_layout(PIXELS), ROWS, shard_images, ATTRIBUTES)
    for shard, start in enumerate(range(0, ROWS, shard_images)):
        part = slice(start, start + shard_images)
        write_shard(faces, {name: array[part] for name, array in values.items()}, shard)
        write_shard(base, {"thermal": counts[part]}, shard)
    return faces, base
