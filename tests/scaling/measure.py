"""Measure what an image, a shard and a plan cost, and write it to ``docs/scaling.json``: ``make scaling``.

The figures are those of the machine it runs on, in CPU time, so that its other work matters less. A workflow of its own
is run on 96 procedural faces of 512 pixels in shards of 80 and 16, one job at a time: two sizes tell a job's fixed cost
from an image's. Plans are dry runs.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from runs import ROOT, command  # noqa: E402 - the tests' own module

FIGURES = ROOT / "docs/scaling.json"
SHARD_RULES = {"label_faces": "label_faces", "thermalize_faces": "thermalize_faces/warm"}
#: Rules whose memory is the same for every shard: they write it as a stream (docs/benchmarks.md has a large one's).
STREAMED = {"thermalize_faces"}
IMAGES, SHARD_IMAGES = 96, 80
SETTINGS = {
    "source": {"images": IMAGES},
    "thermalizer": {"steps": 20},
    "conditions": {"warm": {}},
    "store": {"shard_images": SHARD_IMAGES},
}
#: Images and images a shard of the plans that are timed.
PLANS = ((100_000, 1000), (1_000_000, 1000), (2_000_000, 1000))


def measure(folder: Path) -> dict:
    """Run the workflow below ``folder`` and gather its figures: CPU seconds, bytes, megabytes of memory."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "settings.yaml"
    config.write_text(yaml.safe_dump(SETTINGS))
    call = [*command(folder, config=config), "--cores", "1", "faces", "variants"]
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    rules = {}
    for rule, place in SHARD_RULES.items():
        large, small = (_benchmark(folder / f"benchmarks/{place}/{shard}.tsv") for shard in (0, 1))
        seconds = (large["cpu_time"] - small["cpu_time"]) / (2 * SHARD_IMAGES - IMAGES)
        megabytes = 0 if rule in STREAMED else (large["max_rss"] - small["max_rss"]) / (2 * SHARD_IMAGES - IMAGES)
        rules[rule] = {
            "seconds_a_job": large["cpu_time"] - SHARD_IMAGES * seconds,
            "seconds_an_image": seconds,
            "megabytes_a_job": large["max_rss"] - SHARD_IMAGES * megabytes,
            "megabytes_an_image": megabytes,
        }
    for rule in ("index_archive", "verify_faces"):
        rules[rule] = {"seconds_an_image": _benchmark(folder / f"benchmarks/{rule}.tsv")["cpu_time"] / IMAGES}
    return {
        "rules": {rule: {key: _round(value) for key, value in figures.items()} for rule, figures in rules.items()},
        "bytes_an_image": {
            "source": round((folder / "results/source/faces.zip").stat().st_size / IMAGES),
            "faces store": _store_bytes(folder / "results/faces"),
            "thermal store": _store_bytes(folder / "results/variants/warm"),
        },
        "files_a_shard": {"faces store": _arrays(folder / "results/faces"), "thermal store": 1},
        "plans": [_plan(folder, images, shard_images) for images, shard_images in PLANS],
        "machine": f"CPU time and memory on {os.cpu_count()} hyperthreads, no GPU",
    }


def _benchmark(path: Path) -> dict[str, float]:
    names, values = (line.split("\t") for line in path.read_text().splitlines()[:2])
    return {name: float(value) for name, value in zip(names, values, strict=True) if name in ("cpu_time", "max_rss")}


def _store_bytes(folder: Path) -> int:
    return round(sum(path.stat().st_size for path in folder.glob("*.zarr/**/*") if path.is_file()) / IMAGES)


def _arrays(folder: Path) -> int:
    """A shard is one file of each array."""
    return len(list(folder.glob("*.zarr/*/zarr.json")))


def _plan(folder: Path, images: int, shard_images: int) -> dict:
    where = folder / "plan"
    where.mkdir(exist_ok=True)
    (where / "archive.zip").touch()
    config = where / "settings.yaml"
    source = {"archive": ["archive.zip"], "images": images}
    config.write_text(yaml.safe_dump({"source": source, "store": {"shard_images": shard_images}}))
    call = [*command(where, config=config), "--dry-run", "--quiet", "all"]
    process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    # By its own account: a sum over all children would have the training's memory.
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"the plan of {images} images failed")
    seconds = round(usage.ru_utime + usage.ru_stime, 1)
    return {
        "images": images,
        "shard_images": shard_images,
        "seconds": seconds,
        "megabytes": round(usage.ru_maxrss / 1024),
    }


def _round(value: float) -> float:
    return float(f"{value:.3g}")


if __name__ == "__main__":
    FIGURES.write_text(json.dumps(measure(Path(sys.argv[1]).resolve()), indent=1) + "\n")
