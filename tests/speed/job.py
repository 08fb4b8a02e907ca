"""How fast a thermalizing job is beside its floors, what a naive loop does, and how much memory a large job takes.

Every ratio comes from passes in turn within one process, and is that of the medians: on a machine with other work,
single times mean little. ``python tests/speed/job.py FOLDER`` reads the workflow's results below FOLDER and prints
JSON; with ``--memory``, that of the large job alone; with ``--celsius`` it writes the temperatures instead.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from passes import AMBIENT, PIXELS, THREADS, Bench, Rates

from tfake.archive.image_reader import SourceImages
from tfake.archive.index import read_index
from tfake.core.devices import limit_threads, resolve_device
from tfake.thermalizer.thermalizer_file import load_thermalizer

NETWORK_IMAGES, PLAIN_IMAGES, NAIVE_IMAGES, PASSES = 192, 192, 8, 5
LARGE_JOB = 10_000


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
                "job, identity network, images kept": (bench.kept_identity_job, PLAIN_IMAGES),
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
    pairs = (
        ("job", "network alone"),
        ("job, identity network", "decode and encode"),
        ("job, identity network, images kept", "job, identity network"),
        ("job", "naive loop"),
    )
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
