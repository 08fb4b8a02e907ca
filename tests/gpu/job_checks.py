"""Thermalizing on a card: temperatures against the CPU's, and how fast the network alone and a whole job are."""

import json
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from sizes import Size

from archives import encode_png, write_archive
from source.index_archive import index_archive
from stores.create_store import create_store
from tfake.core.devices import synchronise
from tfake.thermalizer.inference import Thermalizer
from tfake.thermalizer.thermal_unet import ThermalUNet
from tfake.thermalizer.thermalizer_file import load_thermalizer, save_weights
from tfake.variants.kinds import KINDS
from tiny_training import samples
from variants.thermalize_faces import thermalize_faces

CPU = torch.device("cpu")
AMBIENT = 26.0
PROJECTED = 200_000
#: Largest and mean differences from the CPU's float32, in K; bfloat16 has 8 bits.
LIMITS = {"float32": (0.1, 0.01), "bfloat16": (1.5, 0.1)}


def compare_temperatures(size: Size, device: torch.device, folder: Path) -> dict:
    """The same network on both, in each number format."""
    rgb, classes = (np.stack(parts) for parts in zip(*samples(3, size.pixels), strict=True))
    network = _network(size)
    expected = Thermalizer(network, CPU, "float32").thermalize(rgb, classes, AMBIENT)
    found = {}
    for precision, (largest, mean) in LIMITS.items():
        celsius = Thermalizer(network, device, precision).thermalize(rgb, classes, AMBIENT)
        difference = np.abs(celsius - expected)
        found[f"{precision}: largest, mean K"] = [
            round(float(each), 5) for each in (difference.max(), difference.mean())
        ]
        assert difference.max() <= largest, found
        assert difference.mean() <= mean, found
    network.to(CPU)
    return found


def measure_job(size: Size, device: torch.device, folder: Path) -> dict:
    """Images a second of the network alone and of a job from archive to shard, and what 200,000 would take."""
    weights, archive, index = folder / "weights.pt", folder / "faces.zip", folder / "index.parquet"
    save_weights(weights, _network(size), "check")
    points = np.random.default_rng(0).uniform(0.3 * size.pixels, 0.7 * size.pixels, (70, 2))
    landmarks = "".join(f"{x:.3f} {y:.3f}\n" for x, y in points).encode()
    members = {}
    for number, (rgb, classes) in enumerate(samples(size.images, size.pixels)):
        image = {f"{number:06d}.png": encode_png(rgb), f"{number:06d}_seg.png": encode_png(classes)}
        members |= {**image, f"{number:06d}_ldmks.txt": landmarks}
    write_archive(archive, members)
    index_archive(str(index), [str(archive)], size.images, size.pixels, threads=size.workers)
    (folder / "provenance.json").write_text("{}")
    given = {
        "index": str(index),
        "weights": str(weights),
        "provenance": str(folder / "provenance.json"),
        "variant": "check",
        "condition": "check",
        "ambient_celsius": AMBIENT,
        "heat": {},
        "image_pixels": size.pixels,
        "source_license": "CC0-1.0",
    }
    create_store(str(folder / "thermal.zarr"), KINDS["thermalized"], size.images, given)
    network_alone = _network_rate(load_thermalizer(weights, device), size, device)
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    began = perf_counter()
    thermalize_faces(
        manifests=[str(folder / "0.json")],
        store=str(folder / "thermal.zarr"),
        archive=[str(archive)],
        index=str(index),
        weights=str(weights),
        shard_images=size.images,
        image_pixels=size.pixels,
        ambient_celsius=AMBIENT,
        device=str(device),
        threads=size.workers,
        recipe=1,
    )
    rate = size.images / (perf_counter() - began)
    made = json.loads((folder / "0.json").read_text())
    assert made["counts"] == {"source_ok": size.images}, made["counts"]
    memory = torch.cuda.max_memory_allocated(device) / 2**30 if device.type == "cuda" else 0.0
    return {
        "computed on": made["made_from"]["computed_on"],
        "network alone, images/s": round(network_alone, 1),
        "whole job, images/s": round(rate, 1),
        "fraction of the job that it is busy": round(rate / network_alone, 3),
        "threads": size.workers,
        "memory at the most, GiB": round(memory, 2),
        f"{PROJECTED} images, minutes": round(PROJECTED / rate / 60, 1),
    }


def _network(size: Size) -> ThermalUNet:
    torch.manual_seed(0)
    return ThermalUNet(size.default_thermalizer().architecture((AMBIENT, AMBIENT))).eval()


def _network_rate(thermalizer: Thermalizer, size: Size, device: torch.device) -> float:
    """Images a second, batch behind batch, their way to the card and back included."""
    shape = (thermalizer.batch_images, size.pixels, size.pixels)
    images, classes = np.zeros((*shape, 3), np.uint8), np.ones(shape, np.uint8)
    for batches in (2, size.network_batches):
        synchronise(device)
        began, waiting = perf_counter(), []
        for _ in range(batches):
            waiting.append(thermalizer.start(images, classes, AMBIENT))
            if len(waiting) > 1:
                waiting.pop(0)()
        waiting.pop()()
        rate = batches * len(images) / (perf_counter() - began)
    return rate
