"""CPU time of making training batches, now and before: ``python tests/speed/loaders.py FOLDER [ARCHIVE]``.

The trees of this checkout and of a commit measure themselves in processes of their own, in turn, over the same stores
of 1,000-row shards, made below FOLDER; ARCHIVE is a zip like FaceSynthetics', the workflow's own below FOLDER by
default. Nothing is cached where that is not said: it is the code path of a set that memory cannot hold. Prints JSON:
milliseconds of CPU a crop.
"""

import inspect
import json
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import torch

ROOT = Path(__file__).parents[2]
#: The last commit whose loaders are measured against.
BEFORE = "2ce1518"
PIXELS, ROWS, SHARD, PASSES = 512, 96, 1000, 3
PRESET = {
    "image_pixels": 224,
    "batch": 64,
    "thermal_share": 0.4,
    "background_share": 0.25,
    "rotation_degrees": 45.0,
    "shear_degrees": 10.0,
    "photometric_strength": 1.0,
    "thermal_strength": 1.0,
}


def make_stores(folder: Path, archive: str) -> None:
    """A faces store and two variants, 96 rows in a shard of 1,000, from the images of an archive over and over."""
    from tfake.archive.index import build_index, write_index
    from tfake.archive.samples import read_sample
    from tfake.archive.zip_archive import Archive
    from tfake.core.codes import MeshStatus, PointState
    from tfake.core.radiometry import encode_celsius
    from tfake.store.arrays import create_store, write_shard
    from tfake.store.layouts import faces_layout, thermal_layout
    from tfake.store.stream import empty_face_rows

    reader = Archive([archive])
    listed = build_index([archive], _count_images(archive), PIXELS)
    usable = listed[listed["status"] == 0]
    table = usable.iloc[np.arange(ROWS) % len(usable)].reset_index(drop=True)
    samples = [read_sample(reader, record, PIXELS) for record in usable.itertuples()]
    shown = [samples[row % len(samples)] for row in range(ROWS)]
    values = empty_face_rows(ROWS, PIXELS)
    values["segmentation"][:] = [sample.classes for sample in shown]
    values["landmarks_70"][:] = [sample.landmarks_70 for sample in shown]
    points = np.stack([sample.landmarks_70[np.arange(478) % 70] for sample in shown])
    values["landmarks_478"][:] = np.concatenate((points, points[..., :1]), 2)
    values["landmarks_478_status"][:] = MeshStatus.OK
    values["landmarks_478_error"][:] = 0.01
    values["landmarks_478_visibility"][:] = PointState.VISIBLE
    values["head_pose"][:] = 0
    create_store(folder / "faces/faces.zarr", faces_layout(PIXELS), ROWS, SHARD, {})
    write_shard(folder / "faces/faces.zarr", values, 0)
    for name in ("warm", "cold"):
        create_store(folder / f"variants/{name}/thermal.zarr", thermal_layout(PIXELS), ROWS, SHARD, {})
        smooth = [encode_celsius(20 + cv2.blur(sample.rgb[..., 1], (5, 5)) / np.float32(16)) for sample in shown]
        write_shard(folder / f"variants/{name}/thermal.zarr", {"thermal": np.stack(smooth)}, 0)
    table.attrs = dict(listed.attrs)
    write_index(table, folder / "index.parquet")


def _count_images(archive: str) -> int:
    from tfake.archive.zip_archive import Archive, list_members

    return sum(member.name.endswith("_seg.png") for member in list_members(Archive([archive])))


def time_batches(make: Callable[[int], object], crops: int, batches: int) -> float:
    """Milliseconds of CPU a crop, after one batch that does not count."""
    make(0)
    start = time.process_time()
    for step in range(1, batches + 1):
        make(step)
    return (time.process_time() - start) * 1000 / (crops * batches)


def measure_here(folder: Path, archive: str) -> dict[str, float]:
    """Every pass with the code of this process's tree, one thread each but in the last."""
    from tfake.core.devices import limit_threads

    limit_threads(1)
    cv2.setNumThreads(1)
    found = {}
    for pixels in (224, 64):
        for landmarks in (70, 478):
            sampler = landmark_sampler(folder, archive, landmarks, pixels)
            found[f"landmarks {landmarks}, {pixels} pixels, from archive and stores"] = time_batches(
                sampler.batch, 64, 2
            )
    for pixels in (224, 64):
        found[f"landmarks 478, {pixels} pixels, visible images in the scratch file"] = time_batches(
            landmark_sampler(folder, archive, 478, pixels, scratch=True).batch, 64, 2
        )
    pairs, cached, uncached = thermalizer_samplers(folder, archive)
    found["thermalizer pairs, cached"] = time_batches(pairs.batch, 64, 2)
    found["thermalizer sources, cached"] = time_batches(cached.batch, 64, 2)
    found["thermalizer sources, from the archive"] = time_batches(uncached.batch, 64, 1)
    found["thermalizer pairs and sources, 8 threads"] = time_threads(
        lambda step: (pairs.batch(step), cached.batch(step))
    )
    return found


def landmark_sampler(folder: Path, archive: str, landmarks: int, pixels: int, scratch: bool = False):
    """A sampler that keeps nothing in memory."""
    from tfake.archive.index import read_index
    from tfake.landmarks.crop_sampling import FaceSampler
    from tfake.landmarks.landmark_job import FIELDS
    from tfake.landmarks.landmark_settings import LandmarkSettings
    from tfake.reader.dataset import open_dataset
    from tfake.training.training_faces import TrainingFaces

    dataset = open_dataset(folder, ("warm", "cold"), fields=FIELDS)
    faces = TrainingFaces(dataset, [archive], read_index(folder / "index.parquet"), landmarks, 0.0)
    settings = LandmarkSettings.from_mapping(PRESET | {"image_pixels": pixels})
    if not scratch or "scratch" not in inspect.signature(FaceSampler).parameters:
        return FaceSampler(faces, landmarks, settings, cache_bytes=0)
    from tfake.training.loading import ScratchFile

    sampler = FaceSampler(faces, landmarks, settings, cache_bytes=0, scratch=ScratchFile(folder))
    for index in (0, *range(len(faces))):
        _ = sampler._faces[index].rgb
    return sampler


def thermalizer_samplers(folder: Path, archive: str) -> tuple:
    """Pairs and sources in memory, and sources that are not, with the crops of ``tfake2025``."""
    from tfake.archive.image_reader import SourceImages
    from tfake.archive.index import read_index
    from tfake.archive.pairs import Pair
    from tfake.imaging.crops import CropSettings
    from tfake.thermalizer.pair_sampling import PairSampler, SourceSampler

    sources = SourceImages([archive], read_index(folder / "index.parquet"), PIXELS)
    kept = [sources[index] for index in range(24)]
    pairs = [Pair(f"{n}", rgb, rgb[..., 1].astype(np.float32), classes) for n, (rgb, classes) in enumerate(kept)]
    crop, room = CropSettings(256, 2.0, 45.0, 15.0, 1.0), (20.0, 20.0)
    return (
        PairSampler(pairs, crop, 64, 0, 20.0),
        SourceSampler(kept, crop, 64, 0, room),
        SourceSampler(sources, crop, 64, 0, room, cache_bytes=0),
    )


def time_threads(make: Callable[[int], tuple]) -> float:
    """CPU of batches made by eight threads, limited as a job beside a GPU limits them, on a machine of eight cores."""
    from tfake.core import processes
    from tfake.core.devices import limit_threads
    from tfake.training.loading import prefetch

    cv2.setNumThreads(8)
    computing, workers = processes.share_threads(8, 1, True) if hasattr(processes, "share_threads") else (8, 8)
    limit_threads(computing)
    start = time.process_time()
    for _ in prefetch(make, range(10), workers):
        pass
    return (time.process_time() - start) * 1000 / (10 * 128)


def extract(commit: str, folder: Path) -> Path:
    """The library as it was at a commit."""
    packed = subprocess.run(
        ["git", "archive", commit, "workflow_scripts"], cwd=ROOT, stdout=subprocess.PIPE, check=True
    )
    with tarfile.open(fileobj=BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder / "workflow_scripts"


def measure(folder: Path, archive: str, times: int = PASSES) -> dict:
    """Medians of both trees' passes, taken in turn, and how many times as fast this one is."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        make_stores(Path(work), archive)
        trees = {"before": extract(BEFORE, Path(work) / "before"), "now": ROOT / "workflow_scripts"}
        found: dict[str, list[dict[str, float]]] = {name: [] for name in trees}
        for _ in range(times):
            for name, tree in trees.items():
                call = [sys.executable, __file__, "--here", work, archive]
                done = subprocess.run(
                    call, env=os.environ | {"PYTHONPATH": str(tree)}, stdout=subprocess.PIPE, check=True
                )
                found[name].append(json.loads(done.stdout.splitlines()[-1]))
    median = {
        name: {key: round(statistics.median(one[key] for one in passes), 3) for key in passes[0]}
        for name, passes in found.items()
    }
    ratios = {key: round(value / median["now"][key], 2) for key, value in median["before"].items()}
    return {"commit": BEFORE, "cpu_milliseconds_a_crop": median, "ratios": ratios}


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    if sys.argv[1] == "--here":
        print(json.dumps(measure_here(Path(sys.argv[2]), sys.argv[3])))
    else:
        where = Path(sys.argv[1]).resolve()
        print(json.dumps(measure(where, sys.argv[2] if len(sys.argv) > 2 else str(where / "results/source/faces.zip"))))
