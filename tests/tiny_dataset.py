"""A small dataset made without any network: results as the workflow leaves them, ten faces in three shards."""

from pathlib import Path

import numpy as np

from tfake.core.classes import FaceClass
from tfake.core.codes import MeshStatus, PointState, SampleStatus, encode_ids
from tfake.core.radiometry import NO_IMAGE, encode_celsius
from tfake.store.arrays import create_store, write_shard
from tfake.store.layouts import faces_layout, thermal_layout
from tfake.store.manifest import Manifest, describe_files, write_manifest
from tfake.store.sealing import seal_store
from tfake.store.stream import empty_face_rows
from tfake.store.verification import verify_store, write_verified

ROWS, SHARD, PIXELS = 10, 4, 48
BAD = 6  # this row has no usable sample
MOVED = 8  # this row is row 1 moved, enlarged and mirrored
SKIN_CELSIUS = {"warm": 34.8, "cold": 32.3}


def face_values(seed: int = 0, rows: int = ROWS, pixels: int = PIXELS) -> dict[str, np.ndarray]:
    """Label arrays of made-up faces: a disc of skin, points at random, a yaw that grows with the row."""
    rng = np.random.default_rng(seed)
    values = empty_face_rows(rows, pixels)
    y, x = np.mgrid[:pixels, :pixels]
    disc = np.hypot(y - pixels / 2, x - pixels / 2) < pixels / 3
    values["segmentation"][:] = np.where(disc, FaceClass.SKIN, FaceClass.BACKGROUND)
    values["segmentation"][:, 0, 0] = np.arange(rows)
    values["landmarks_70"][:] = rng.uniform(pixels / 4, pixels * 3 / 4, (rows, 70, 2))
    values["landmarks_478"][:] = values["landmarks_478_raw"][:] = rng.uniform(0, pixels, (rows, 478, 3))
    values["landmarks_478_status"][:] = MeshStatus.OK
    values["landmarks_478_status"][2] = MeshStatus.NOT_FOUND
    values["landmarks_478"][2] = np.nan
    values["landmarks_478_error"][:] = np.linspace(0.01, 0.05, rows)
    values["landmarks_478_visibility"][:] = PointState.VISIBLE
    values["landmarks_478_visibility"][:, :3] = PointState.HAIR
    values["head_pose"][:] = np.stack([np.linspace(-45, 45, rows), np.zeros(rows), np.zeros(rows)], axis=1)
    values["image_id"][:] = encode_ids(f"{row:06d}" for row in range(rows))
    missing = empty_face_rows(1, pixels)
    for name in values:
        if name != "image_id":
            values[name][BAD] = missing[name][0]
    values["status"][BAD] = SampleStatus.UNDECODABLE_IMAGE
    return values


def thermal_counts(classes: np.ndarray, skin_celsius: float, seed: int = 0) -> np.ndarray:
    """Counts of made-up thermal images: skin on a room of 20 °C, with noise; the bad row has none."""
    noise = np.random.default_rng(seed).normal(0, 0.1, classes.shape)
    counts = encode_celsius(np.where(classes == FaceClass.SKIN, skin_celsius, 20.0) + noise)
    counts[BAD] = NO_IMAGE
    return counts


def write_store(folder: Path, name: str, layout, values: dict[str, np.ndarray], attributes: dict):
    """A store of made-up rows, sealed and verified as the workflow does it."""
    manifests = []
    create_store(folder / name, layout, ROWS, SHARD, attributes)
    for shard, start in enumerate(range(0, ROWS, SHARD)):
        stop = min(start + SHARD, ROWS)
        write_shard(folder / name, {key: rows[start:stop] for key, rows in values.items()}, shard)
        files = describe_files(folder, [f"{name}/{array.shard_file(shard)}" for array in layout])
        manifests.append(folder / "manifests" / f"{shard}.json")
        manifests[-1].parent.mkdir(exist_ok=True)
        write_manifest(manifests[-1], Manifest(shard, start, stop, {}, files, {"source_ok": stop - start}, {}))
    seal_store(folder / "SHA256SUMS", folder / "summary.json", folder / name, manifests, ROWS)
    write_verified(folder / "verified.json", verify_store(folder / "SHA256SUMS", folder / name))


def make_dataset(results: Path, license: str = "CC0-1.0", source_sha256: str = "5" * 64) -> Path:
    """Write the results of a run: the faces store, and the variants warm and cold."""
    values = face_values()
    flipped = (values["landmarks_70"][1] * [-1.0, 1.0]).astype(np.float64)[MIRROR]
    values["landmarks_70"][MOVED] = flipped * 1.25 + [PIXELS, 3.0]
    (results / "faces").mkdir(parents=True)
    origin = {"license": license, "source_sha256": source_sha256, "history": "made by tests"}
    write_store(results / "faces", "faces.zarr", faces_layout(PIXELS), values, {**origin, "title": "Faces"})
    for seed, (name, skin) in enumerate(SKIN_CELSIUS.items()):
        folder = results / "variants" / name
        folder.mkdir(parents=True)
        attributes = {
            **origin,
            "title": f"Thermal faces, variant {name}",
            "variant": name,
            "condition": name,
            "ambient_celsius": 20.0,
            "thermalizer_sha256": "7" * 64,
            "thermalizer": {"steps": 1},
        }
        counts = thermal_counts(values["segmentation"], skin, seed)
        write_store(folder, "thermal.zarr", thermal_layout(PIXELS), {"thermal": counts}, attributes)
    return results


#: The point that each of iBUG's 68 and the pupils becomes in a mirror, written out.
MIRROR = np.array(
    [
        *range(16, -1, -1),
        *range(26, 16, -1),
        *(27, 28, 29, 30, 35, 34, 33, 32, 31),
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
        *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65),
        *(69, 68),
    ]
)
