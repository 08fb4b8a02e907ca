"""How fast a thermalizing job is beside its floors, what a naive loop does, and how much memory a large job takes.

Every ratio comes from passes in turn within one process, and is that of the medians: on a machine with other work,
single times mean little. ``python tests/speed/job.py FOLDER OUT.json`` reads the workflow's results below FOLDER.
"""

import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import cv2
import numpy as np
import pandas as pd
import torch

from tfake.devices import limit_threads, resolve_device
from tfake.radiometry import encode_celsius
from tfake.sources.archive import Archive
from tfake.sources.index import read_index, write_index
from tfake.sources.samples import read_classes, read_rgb
from tfake.sources.training_set import SourceImages
from tfake.store.arrays import create_store
from tfake.store.layout import thermal_layout
from tfake.store.stream import ShardStream
from tfake.thermalizer.foreground import fill_glasses, mask_background
from tfake.thermalizer.weights import load_thermalizer

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

import thermalize_faces as script

# The measuring processes share one GPU, of which each would wait for the others.
os.environ.setdefault("TFAKE_JOBS_PER_GPU", "4")

PIXELS, THREADS, AMBIENT = 512, 2, 26.0
NETWORK_IMAGES, PLAIN_IMAGES, NAIVE_IMAGES, PASSES = 192, 192, 8, 5
LARGE_JOB = 10_000


def brightness(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) uint8 to (...) float32: 20 to 36 °C."""
    return rgb[..., 1] * np.float32(1 / 16) + np.float32(20)


class Identity:
    """In the network's place: the image's brightness as its temperature, in a room's and a body's range."""

    batch_images = 1

    def start(self, masked, filled, ambient_celsius):
        """As :meth:`tfake.thermalizer.inference.Thermalizer.start`, with next to no work."""
        celsius = brightness(masked)
        return lambda: celsius


class Rates(NamedTuple):
    """Images a second, by the clock and by the processors' time; the latter does not feel a machine's other work."""

    clock: float
    cpu: float


class Bench:
    """The sources and the passes over them; each returns how fast it was."""

    def __init__(self, results: Path, work: Path) -> None:
        """Open the sources; ``work`` is emptied by whoever made it."""
        self.results = results
        self.elsewhere = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        self.archive = [str(results / "source/faces.zip")]
        self.weights = str(results / "thermalizers/warm/weights.pt")
        self.index, self.work = str(results / "source/index.parquet"), work
        self.table = read_index(self.index)
        self.records = list(self.table.itertuples())
        self.thermalizer = load_thermalizer(self.weights, resolve_device("auto"))

    def rows(self, images: int) -> list:
        """That many rows of the index, from the start again where it ends."""
        return [self.records[number % len(self.records)] for number in range(images)]

    def repeated_index(self, images: int) -> str:
        """An index of that many rows over the same members."""
        path = self.work / f"index{images}.parquet"
        if not path.exists():
            table = self.table.iloc[np.arange(images) % len(self.table)].reset_index(drop=True)
            table.attrs = dict(self.table.attrs)
            write_index(table, path)
        return str(path)

    def store(self, images: int) -> Path:
        """A new store of one shard."""
        path = Path(tempfile.mkdtemp(dir=self.work)) / "thermal.zarr"
        create_store(path, thermal_layout(PIXELS), images, images, {})
        return path

    def decode(self, images: int) -> Rates:
        """Both PNGs of each image, by all threads."""

        def read(record):
            archive = Archive(self.archive)
            return read_rgb(archive, record, PIXELS), read_classes(archive, record, PIXELS)

        with clock(images) as rate, ThreadPoolExecutor(THREADS) as pool:
            for _ in pool.map(read, self.rows(images)):
                pass
        return rate()

    def encode(self, images: int) -> Rates:
        """°C to counts to chunks to a shard, by all threads."""
        archive = Archive(self.archive)
        celsius = [brightness(read_rgb(archive, record, PIXELS)) for record in self.rows(len(self.records))]
        store = self.store(images)
        with clock(images) as rate, ShardStream(store, "thermal", 0) as stream, ThreadPoolExecutor(THREADS) as pool:

            def work(number):
                return stream.encode(encode_celsius(celsius[number % len(celsius)]))

            for chunk in pool.map(work, range(images)):
                stream.append(chunk)
            stream.close()
        return rate()

    def network(self, images: int) -> Rates:
        """The network alone on images that are ready, as the job feeds it: by all threads, or in batches on a GPU."""
        archive = Archive(self.archive)
        ready = []
        for record in self.rows(min(images, 16)):
            rgb, classes = read_rgb(archive, record, PIXELS), read_classes(archive, record, PIXELS)
            ready.append((mask_background(rgb, classes), fill_glasses(classes)))
        batch = self.thermalizer.batch_images
        limit_threads(1)

        def work(start):
            chosen = [ready[number % len(ready)] for number in range(start, min(start + batch, images))]
            masked, filled = (np.stack(part) for part in zip(*chosen, strict=True))
            self.thermalizer.start(masked, filled, AMBIENT)()

        with clock(images) as rate, ThreadPoolExecutor(THREADS if batch == 1 else 1) as pool:
            for _ in pool.map(work, range(0, images, batch)):
                pass
        return rate()

    def job(self, images: int) -> Rates:
        """The script's own function, network loaded already, manifest and all."""
        return self._job(images, self.thermalizer)

    def identity_job(self, images: int) -> Rates:
        """The same with next to no network."""
        return self._job(images, Identity())

    def _job(self, images: int, thermalizer) -> Rates:
        index, store = self.repeated_index(images), self.store(images)
        script.load_thermalizer = lambda *_: thermalizer
        with clock(images) as rate:
            script.thermalize_faces(
                manifest=str(store.parent / "0.json"),
                store=str(store),
                archive=self.archive,
                index=index,
                weights=self.weights,
                shard=0,
                rows=(0, images),
                image_pixels=PIXELS,
                ambient_celsius=AMBIENT,
                device="auto",
                threads=THREADS,
            )
        return rate()

    def naive_elsewhere(self, images: int) -> Rates:
        """The naive loop in a process of its own, for the job has changed how this one's memory is handed out."""
        return self.elsewhere.submit(_run_naive, self.results, images).result()

    def naive(self, images: int) -> Rates:
        """What one would write first: fp32, NCHW, plain convolutions, one image after the other, 16-bit PNG files."""
        limit_threads(THREADS)
        network = self.thermalizer.network
        network.set_channels_last(False)
        archive = Archive(self.archive)
        room = torch.full((1,), AMBIENT, device=self.thermalizer.device)
        folder = Path(tempfile.mkdtemp(dir=self.work))
        with plain_convolutions(), clock(images) as rate, torch.inference_mode():
            for number, record in enumerate(self.rows(images)):
                rgb, classes = read_rgb(archive, record, PIXELS), read_classes(archive, record, PIXELS)
                image = torch.from_numpy(mask_background(rgb, classes)).permute(2, 0, 1)[None].contiguous()
                ids = torch.from_numpy(fill_glasses(classes))[None]
                celsius = network(image.to(room.device), ids.to(room.device), room)[0, 0].cpu().numpy()
                celsius = np.where(classes == 0, np.float32(AMBIENT), celsius)
                # T-FAKE's files: 20 to 40 °C over all of 16 bits.
                cv2.imwrite(
                    str(folder / f"{number}_thermal.png"),
                    np.rint(((celsius - 20) / 20).clip(0, 1) * 65535).astype(np.uint16),
                )
        network.set_channels_last(True)
        return rate()


def _run_naive(results: Path, images: int) -> Rates:
    with tempfile.TemporaryDirectory() as work:
        return Bench(results, Path(work)).naive(images)


@contextmanager
def plain_convolutions():
    """The network's last convolutions as torch has them (:mod:`tfake.thermalizer.row_convolution`)."""

    def convolve(features, weight):
        return torch.nn.functional.conv2d(features, weight, padding=weight.shape[-1] // 2)

    with (
        mock.patch("tfake.thermalizer.network.convolve_by_rows", convolve),
        mock.patch("tfake.thermalizer.class_offset.convolve_by_rows", convolve),
    ):
        yield


@contextmanager
def clock(images: int):
    """Yields a function that tells images a second, to be asked behind the block."""
    began, cpu_began, taken = time.perf_counter(), time.process_time(), []
    yield lambda: Rates(images / taken[0], images / taken[1])
    taken += [time.perf_counter() - began, time.process_time() - cpu_began]


def in_turn(passes: dict) -> dict[str, Rates]:
    """Median rates of several passes, one of each in turn, after a first one that does not count."""
    rates = {name: [] for name in passes}
    for number in range(PASSES + 1):
        for name, (run, images) in passes.items():
            rate = run(images)
            if number:
                rates[name].append(rate)
    return {
        name: Rates(*(round(statistics.median(part), 2) for part in zip(*values, strict=True)))
        for name, values in rates.items()
    }


def add_floor(rates: dict[str, Rates]) -> dict[str, Rates]:
    """The rates with the floor of decoding and encoding: both want the same cores, so their times add up."""
    parts = zip(rates["decode alone"], rates["encode alone"], strict=True)
    return rates | {"decode and encode": Rates(*(round(1 / (1 / one + 1 / other), 2) for one, other in parts))}


def measure(folder: Path) -> dict:
    """All figures of the job."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        bench = Bench(folder / "results", Path(work))
        rates = in_turn(
            {
                "network alone": (bench.network, NETWORK_IMAGES),
                "job": (bench.job, NETWORK_IMAGES),
                "naive loop": (bench.naive_elsewhere, NAIVE_IMAGES),
            }
        )
        rates |= in_turn(
            {
                "decode alone": (bench.decode, PLAIN_IMAGES),
                "encode alone": (bench.encode, PLAIN_IMAGES),
                "job, identity network": (bench.identity_job, PLAIN_IMAGES),
            }
        )
    rates = add_floor(rates)
    return {
        "device": str(bench.thermalizer.device),
        "threads": THREADS,
        "images_a_second": {name: rate.clock for name, rate in rates.items()},
        "images_a_cpu_second": {name: rate.cpu for name, rate in rates.items()},
        "ratios": ratios_of(rates, 0),
        "cpu_ratios": ratios_of(rates, 1),
        "memory": json.loads(
            subprocess.run(
                [sys.executable, __file__, str(folder), "--memory"], check=True, capture_output=True, text=True
            ).stdout.splitlines()[-1]
        ),
    }


def ratios_of(rates: dict[str, Rates], part: int) -> dict[str, float]:
    """The ratios that are asked for, by the clock (0) or by processor time (1)."""
    pairs = (("job", "network alone"), ("job, identity network", "decode and encode"), ("job", "naive loop"))
    return {f"{ours} / {other}": round(rates[ours][part] / rates[other][part], 3) for ours, other in pairs}


def measure_memory(folder: Path) -> dict:
    """Peak memory of one job of many images beyond what it takes before its first, in MB; identity network."""
    with tempfile.TemporaryDirectory(dir=folder) as work:
        bench = Bench(folder / "results", Path(work))
        bench.network(1)
        before = peak_megabytes()
        rate = bench.identity_job(LARGE_JOB)
    return {
        "images": LARGE_JOB,
        "megabytes_with_model": before,
        "megabytes_beyond": peak_megabytes() - before,
        "images_a_second": round(rate.clock, 1),
    }


def write_celsius(folder: Path) -> None:
    """Write ``celsius.npy``, (N, H, W) float32 as the network gives them: quantising them is a part of each format."""
    limit_threads(THREADS)
    results = folder / "results"
    thermalizer = load_thermalizer(results / "thermalizers/warm/weights.pt", resolve_device("auto"))
    table = read_index(results / "source/index.parquet")
    sources = SourceImages([str(results / "source/faces.zip")], table, PIXELS)
    celsius = [thermalizer.thermalize(rgb[None], classes[None], AMBIENT) for rgb, classes in sources]
    np.save(folder / "celsius.npy", np.concatenate(celsius))


def peak_megabytes() -> int:
    """The most memory that this process ever had."""
    return next(
        int(line.split()[1]) // 1024
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )


if __name__ == "__main__":
    pd.options.mode.copy_on_write = True
    where = Path(sys.argv[1]).resolve()
    if sys.argv[2:] == ["--celsius"]:
        write_celsius(where)
    else:
        print(json.dumps(measure_memory(where) if sys.argv[2:] == ["--memory"] else measure(where)))
