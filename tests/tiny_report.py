"""A finished run of three images of 64 pixels in one shard, one of them broken, and its page."""

import numpy as np
import pandas as pd

from archives import PIXELS, write_samples
from products.build_report import build_report
from source.index_archive import index_archive
from tfake.archive.index import read_index
from tfake.archive.samples import read_sample
from tfake.archive.zip_archive import open_archive
from tfake.core.codes import Attempt, MeshStatus, SampleStatus, encode_ids
from tfake.core.radiometry import NO_IMAGE, decode_counts, encode_celsius
from tfake.store.arrays import create_store, write_shard
from tfake.store.layouts import ArrayLayout, faces_layout, thermal_layout
from tfake.store.manifest import Manifest, describe_files, write_manifest
from tfake.store.sealing import seal_store
from tfake.store.statistics import class_statistics
from tfake.store.stream import empty_face_rows
from tfake.store.verification import verify_store, write_verified

ROWS, BAD = 3, 1
#: Height and width of the camera variant's images: the upper left of the faces, at half their pixels, 8 bit.
CAMERA = (24, 32)
CONFIG = {
    "source": {"archive": None, "images": ROWS, "image_pixels": PIXELS, "license": "CC0-1.0"},
    "procedural": {"seed": 7},
    "conditions": {
        name: {
            "ambient_celsius": ambient,
            "prior": {"table": "tfake2025", "read_at_celsius": None, "offsets_kelvin": {}},
            "pairs": {"path": None, "values": "celsius", "supervision": "absolute"},
            "bank": {"path": None, "values": "celsius"},
        }
        for name, ambient in (("warm", 26.0), ("cold", 20.0))
    },
    "variants": {
        "warm": {"condition": "warm"},
        "chilly<b>": {"condition": "cold"},
        "camera": {"of": "warm", "camera": "lepton"},
    },
    "thermalizers": {},
    "thermalizer": {"weight_prior": 0.25},
    "labels": {"retry_above": 0.025, "reject_above": 0.06},
    "report": {"gallery_images": 24, "reference": {"path": None, "variant": "warm"}},
}
BENCHMARK = "s\th:m:s\tmax_rss\tcpu_time\n{seconds}\t0:00:01\t{rss}\t{cpu}\n"


def close_store(folder, store, layout, statistics, counts):
    files = describe_files(folder, [f"{store}/{array.shard_file(0)}" for array in layout])
    write_manifest(folder / "0.json", Manifest(0, 0, ROWS, {}, files, counts, statistics))
    seal_store(folder / "SHA256SUMS", folder / "summary.json", folder / store, [folder / "0.json"], ROWS)
    write_verified(folder / "verified.json", verify_store(folder / "SHA256SUMS", folder / store))


def make_faces(folder, archive, index):
    values = empty_face_rows(ROWS, PIXELS)
    values["image_id"] = encode_ids(index["image_id"])
    values["status"] = index["status"].to_numpy(np.uint8)
    for record in index[index["status"] == SampleStatus.OK].itertuples():
        sample = read_sample(open_archive([archive]), record, PIXELS)
        values["segmentation"][record.Index] = sample.classes
        values["landmarks_70"][record.Index] = sample.landmarks_70
        values["landmarks_478_status"][record.Index] = MeshStatus.NOT_FOUND
    values["landmarks_478"][0] = 20.0
    values["landmarks_478_raw"][0] = 21.0
    values["landmarks_478_status"][0] = MeshStatus.RETRIED
    values["landmarks_478_attempt"][0] = Attempt.WIDE
    values["landmarks_478_error"][0] = 0.03
    values["landmarks_478_left_out_error"][0] = 0.018
    values["head_pose"][[0, 2]] = 0.0
    create_store(folder / "faces.zarr", faces_layout(PIXELS), ROWS, ROWS, {})
    write_shard(folder / "faces.zarr", values, 0)
    counts = {"source_ok": 2, "source_undecodable_image": 1, "mesh_retried": 1, "mesh_not_found": 1, "mesh_no_image": 1}
    close_store(folder, "faces.zarr", faces_layout(PIXELS), {}, counts)
    return values["segmentation"], values["landmarks_70"]


def make_thermal(folder, classes, skin, ambient, condition):
    counts = encode_celsius(np.where(classes == 1, skin, ambient) + np.linspace(0, 1, PIXELS))
    counts[BAD] = NO_IMAGE
    attributes = {"condition": condition, "thermalizer_sha256": condition * 16}
    create_store(folder / "thermal.zarr", thermal_layout(PIXELS), ROWS, ROWS, attributes)
    write_shard(folder / "thermal.zarr", {"thermal": counts}, 0)
    statistics = class_statistics(decode_counts(counts), classes)
    close_store(folder, "thermal.zarr", thermal_layout(PIXELS), statistics, {"source_ok": 2})


def make_camera(folder, classes, points):
    """A variant with a geometry, labels and a unit of its own."""
    height, width = CAMERA
    cut = classes[:, : 2 * height : 2, : 2 * width : 2]
    values = {
        "thermal": (np.arange(ROWS * height * width).reshape(ROWS, height, width) % 251).astype(np.uint8),
        "segmentation": np.ascontiguousarray(cut),
        "landmarks_70": (points - 0.5) / 2,
        "landmarks_478": np.full((ROWS, 478, 3), np.nan, dtype=np.float32),
        "source_to_image": np.tile(np.array([[0.5, 0, -0.25], [0, 0.5, -0.25]], dtype=np.float32), (ROWS, 1, 1)),
    }
    layout = [
        ArrayLayout(name, str(array.dtype), dict(zip("abc", array.shape[1:], strict=False)), fill_value=254)
        for name, array in values.items()
    ]
    create_store(folder / "thermal.zarr", layout, ROWS, ROWS, {"license": "R-UDA-1.0 AND CC-BY-4.0"})
    write_shard(folder / "thermal.zarr", values, 0)
    close_store(folder, "thermal.zarr", layout, {}, {"source_ok": 2})


def make_report(run):
    """Fill a working directory with stores, tables and the page."""
    for folder in ("faces", "variants/0", "variants/1", "variants/2", "benchmarks/label_faces"):
        (run / folder).mkdir(parents=True)
    archive = str(write_samples(run / "faces.zip", range(ROWS), m000001__png=b"broken"))
    index_archive(str(run / "index.parquet"), [archive], ROWS, PIXELS, threads=1)
    classes, points = make_faces(run / "faces", archive, read_index(run / "index.parquet"))
    make_thermal(run / "variants/0", classes, 34.8, 26.0, "warm")
    make_thermal(run / "variants/1", classes, 32.3, 20.0, "cold")
    (run / "config.yaml").write_text("source: {}\n")
    make_camera(run / "variants/2", classes, points)
    steps = pd.DataFrame({"step": range(50), "total": 2.0, "supervised": 1.0, "wasserstein": 0.0, "learning_rate": 1.0})
    steps.to_csv(run / "losses.csv", index=False)
    errors = {"class": ["skin", "face"], "pixels": [9, 9], "mae_expected": [0.61, 0.62]}
    errors |= {"rmse_expected": [0.7, 0.7], "bias_expected": [-0.33, -0.3], "mae_camera": [0.8, 0.8]}
    pd.DataFrame(errors).to_csv(run / "evaluation.csv", index=False)
    for job, seconds in enumerate((1.5, 2.0)):
        text = BENCHMARK.format(seconds=seconds, rss=100 + job, cpu=1.0)
        (run / f"benchmarks/label_faces/{job}.tsv").write_text(text)
    (run / "benchmarks/index_archive.tsv").write_text(BENCHMARK.format(seconds=9.0, rss="NA", cpu="-"))
    sequences = run / "sequences/page/index.html"
    sequences.parent.mkdir(parents=True)
    sequences.write_text("<!doctype html>")
    build_report(
        page=str(run / "report/index.html"),
        viewer=str(run / "report/faces"),
        files=str(run / "report/files"),
        figures={name: str(run / f"report/figures/{name}.svg") for name in ("temperatures", "labels", "lineage")},
        config=CONFIG,
        config_file=str(run / "config.yaml"),
        archive=[archive],
        index=str(run / "index.parquet"),
        faces=str(run / "faces"),
        variants={name: str(run / f"variants/{number}") for number, name in enumerate(CONFIG["variants"])},
        ambients={"warm": 26.0, "chilly<b>": 20.0, "camera": 26.0},
        losses={condition: str(run / "losses.csv") for condition in CONFIG["conditions"]},
        evaluations={"warm": str(run / "evaluation.csv")},
        benchmarks=str(run / "benchmarks"),
        sequences=str(sequences),
    )
