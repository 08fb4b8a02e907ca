"""What is timed: the job, its floors, and a naive loop; each pass over the images returns how fast it was."""

import multiprocessing
import os
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
import torch

from tfake.archive.index import read_index, write_index
from tfake.archive.samples import read_classes, read_rgb
from tfake.archive.zip_archive import Archive
from tfake.core.devices import limit_threads, resolve_device
from tfake.core.radiometry import encode_celsius
from tfake.imaging.foreground import fill_glasses, mask_background
from tfake.store.arrays import create_store
from tfake.store.layouts import thermal_layout
from tfake.store.stream import ShardStream
from tfake.thermalizer.thermalizer_file import load_thermalizer
from tfake.variants.kinds import KINDS

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow_scripts"))

from source.decode_images import decode_images
from variants import thermalize_faces as script

# The measuring processes share one GPU, of which each would wait for the others.
os.environ.setdefault("TFAKE_JOBS_PER_GPU", "4")

PIXELS, THREADS, AMBIENT = 512, 2, 26.0


def brightness(rgb: np.ndarray) -> np.ndarray:
    """(..., 3) uint8 to (...) float32: 20 to 36 °C."""
    return rgb[..., 1] * np.float32(1 / 16) + np.float32(20)


class Identity:
    """In the network's place: the image's brightness as its temperature, in a room's and a body's range."""

    batch_images = 1

    def computed_on(self):
        """As :meth:`tfake.thermalizer.inference.Thermalizer.computed_on`."""
        return {"device": "cpu", "precision": "float32", "torch": torch.__version__}

    def start(self, masked, filled, ambient_celsius, field=None, image_ids=None):
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

    def kept_identity_job(self, images: int) -> Rates:
        """The same with the images kept decoded (``store.rgb: kept``); decoding them is not timed."""
        return self._job(images, Identity(), self.kept_images(images))

    def kept_images(self, images: int) -> str:
        """A store of that many decoded images, made at first use."""
        index, store = self.repeated_index(images), self.work / f"kept{images}/images.zarr"
        if not store.exists():
            given = {"index": index, "image_pixels": PIXELS, "source_license": "CC0-1.0"}
            described = KINDS["images"].describe(given)
            create_store(store, described.layout, described.rows, images, described.attributes)
            manifest = str(store.parent / "0.json")
            decode_images(manifest, str(store), self.archive, index, 0, (0, images), PIXELS, THREADS)
        return str(store)

    def _job(self, images: int, thermalizer, kept: str | None = None) -> Rates:
        index, store = self.repeated_index(images), self.store(images)
        script.load_thermalizer = lambda *_: thermalizer
        with clock(images) as rate:
            script.thermalize_faces(
                manifests=[str(store.parent / "0.json")],
                store=str(store),
                archive=self.archive,
                index=index,
                weights=self.weights,
                shard_images=images,
                image_pixels=PIXELS,
                ambient_celsius=AMBIENT,
                device="auto",
                threads=THREADS,
                recipe=0,
                images=kept,
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
    """The network's last convolutions as torch has them (:mod:`tfake.thermalizer.thermal_unet`)."""

    def convolve(features, weight):
        return torch.nn.functional.conv2d(features, weight, padding=weight.shape[-1] // 2)

    with (
        mock.patch("tfake.thermalizer.thermal_unet.convolve_by_rows", convolve),
        mock.patch("tfake.thermalizer.thermal_unet.convolve_by_rows", convolve),
    ):
        yield


@contextmanager
def clock(images: int):
    """Yields a function that tells images a second, to be asked behind the block."""
    began, cpu_began, taken = time.perf_counter(), time.process_time(), []
    yield lambda: Rates(images / taken[0], images / taken[1])
    taken += [time.perf_counter() - began, time.process_time() - cpu_began]
