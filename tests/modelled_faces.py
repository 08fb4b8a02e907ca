"""Painted heads as a source: an archive, its index, and a faces store with the mesh that each head was painted to."""

import numpy as np

from archives import encode_png, write_archive
from painted_head import paint_head
from source.index_archive import index_archive
from stores.create_store import create_store
from tfake.archive.index import read_index
from tfake.core.codes import LANDMARKS, MESH_POINTS, MeshStatus, SampleStatus, encode_ids
from tfake.mesh.template import FACE_VERTICES, face_vertices
from tfake.store.arrays import write_shard
from tfake.store.stream import empty_face_rows
from tfake.variants.kinds import KINDS

PIXELS, ROWS, SHARD, AMBIENT = 128, 5, 2, 20.0
#: Rows whose sample cannot be used, and whose face has no mesh.
BROKEN, MESHLESS = 3, 1
#: A variant's settings that change nothing: drawn people as they are, without a lens.
PLAIN = {
    "persons": "drawn",
    "seed": 0,
    "tables": "measured",
    "state": {"fever_kelvin": 0.0, "nose_kelvin": 0.0, "canthi_kelvin": 0.0, "perfusion": 1.0, "breath": None},
    "lens": None,
}


def painted_points(pixels: int = PIXELS) -> np.ndarray:
    """FaceMesh's 478 points on a painted head: (478, 3) pixels and depth."""
    x, y, z = face_vertices()[:FACE_VERTICES].T
    scale, middle = pixels / 32.0, (pixels - 1) / 2
    points = np.stack((middle + scale * x, middle - scale * (y + 2.0), -scale * z), axis=1)
    return np.concatenate((points, np.repeat(points[:1], MESH_POINTS - FACE_VERTICES, axis=0))).astype(np.float32)


def make_source(folder, pixels: int = PIXELS) -> None:
    """Write ``a.zip``, ``index.parquet`` and ``faces.zarr``: five painted heads, one broken and one without a mesh."""
    classes = paint_head(pixels).classes
    rng = np.random.default_rng(0)
    points = painted_points(pixels)[:LANDMARKS, :2]  # any 70 do: nobody reads them
    members = {}
    for row in range(ROWS):
        rgb = rng.integers(0, 255, (pixels, pixels, 3), dtype=np.uint8)
        members[f"{row:06d}.png"] = b"broken" if row == BROKEN else encode_png(rgb)
        members[f"{row:06d}_seg.png"] = encode_png(classes)
        members[f"{row:06d}_ldmks.txt"] = "".join(f"{x:.3f} {y:.3f}\n" for x, y in points).encode()
    archive, index = write_archive(folder / "a.zip", members), str(folder / "index.parquet")
    index_archive(index, [str(archive)], ROWS, pixels, threads=1)
    given = {"index": index, "image_pixels": pixels, "source_license": "CC0-1.0"}
    create_store(str(folder / "faces.zarr"), KINDS["faces"], ROWS, given)
    values = empty_face_rows(ROWS, pixels)
    values["image_id"] = encode_ids(read_index(index)["image_id"])
    values["status"][:] = SampleStatus.OK
    values["status"][BROKEN] = SampleStatus.UNDECODABLE_IMAGE
    for row in set(range(ROWS)) - {BROKEN}:
        values["segmentation"][row] = classes
        values["landmarks_478"][row] = np.nan if row == MESHLESS else painted_points(pixels)
        values["landmarks_478_status"][row] = MeshStatus.NOT_FOUND if row == MESHLESS else MeshStatus.OK
    write_shard(folder / "faces.zarr", values, 0)
