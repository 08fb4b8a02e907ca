"""Measure job, store, verification, plan and training batches, and write ``docs/benchmarks.json``: ``make benchmark``.

``python tests/speed/measure.py FOLDER PYTHON``: the workflow runs below FOLDER, and PYTHON is the interpreter of an
environment with ``tests/speed/formats.txt``, whose libraries do not install beside the workflow's.
"""

import hashlib
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "workflow_scripts")]

from runs import ROOT, command  # noqa: E402 - the tests' own module
from tfake.store.arrays import create_store  # noqa: E402
from tfake.store.layouts import thermal_layout  # noqa: E402
from tfake.store.manifest import file_sha256, write_sums  # noqa: E402
from tfake.store.verification import inspect_store  # noqa: E402

FIGURES = ROOT / "docs/benchmarks.json"
IMAGES, PASSES, THREADS = 96, 5, 2
#: Files and bytes of the store that is verified: large enough to tell, small enough for the page cache.
VERIFIED_SHARDS, SHARD_BYTES = 16, 32 << 20
#: Of the full plan, with the shards that docs/benchmarks.md advises.
PLANNED_IMAGES, PLANNED_SHARD_IMAGES = 100_000, 1000


def measure(folder: Path, formats_python: str) -> dict:
    """All figures; the workflow's own products below ``folder`` are made if they are not there."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "settings.yaml"
    config.write_text(yaml.safe_dump({"source": {"images": IMAGES}, "conditions": {"warm": {}}}))
    call = [*command(folder, config=config), "results/variants/warm/verified.json"]
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    job = [sys.executable, str(Path(__file__).with_name("job.py")), str(folder)]
    # In processes of their own: what forks from one that has loaded torch counts its memory.
    subprocess.run([*job, "--celsius"], check=True)
    return {
        "machine": describe_machine(),
        "job": output_of(job),
        "stores": output_of([formats_python, str(Path(__file__).with_name("stores.py")), str(folder / "celsius.npy")]),
        "verification": measure_verification(folder),
        "plan": measure_plan(folder / "plan"),
        "training_data": output_of([sys.executable, str(Path(__file__).with_name("loaders.py")), str(folder)]),
    }


def output_of(call: list[str]) -> dict:
    """The JSON in a process's last line."""
    done = subprocess.run(call, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure_verification(folder: Path) -> dict:
    """GB a second of our verification and of plain SHA-256 over the same files, in turn; both with two threads."""
    where = folder / "verified"
    create_store(where / "thermal.zarr", thermal_layout(64), VERIFIED_SHARDS, 1, {})
    block = os.urandom(SHARD_BYTES)
    for shard in range(VERIFIED_SHARDS):
        path = where / f"thermal.zarr/thermal/c/{shard}/0/0"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(block)
    files = [path for path in where.glob("thermal.zarr/**/*") if path.is_file()]
    write_sums(where / "SHA256SUMS", {str(path.relative_to(where)): file_sha256(path) for path in files})
    size = sum(path.stat().st_size for path in files)
    rates = {"plain": [], "ours": []}
    for _ in range(PASSES):
        for name, check in (
            ("plain", lambda: plain_sha256(files)),
            ("ours", lambda: inspect_store(where / "SHA256SUMS", where / "thermal.zarr", THREADS)),
        ):
            began = time.perf_counter()
            check()
            rates[name].append(size / 1e9 / (time.perf_counter() - began))
    for path in files:
        path.unlink()
    plain, ours = (statistics.median(rates[name]) for name in ("plain", "ours"))
    return {
        "plain_gigabytes_a_second": round(plain, 2),
        "gigabytes_a_second": round(ours, 2),
        "ratio": round(ours / plain, 3),
    }


def hash_file(path: Path) -> str:
    """As short as it can be said."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def plain_sha256(files: list[Path]) -> list[str]:
    """Nothing but the hashes."""
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(hash_file, files))


def measure_plan(where: Path) -> dict:
    """Seconds and megabytes of a dry run of 100,000 images and two variants, on a made archive that nobody opens."""
    where.mkdir(exist_ok=True)
    (where / "archive.zip").touch()
    config = where / "settings.yaml"
    source = {"archive": ["archive.zip"], "images": PLANNED_IMAGES}
    config.write_text(yaml.safe_dump({"source": source, "store": {"shard_images": PLANNED_SHARD_IMAGES}}))
    call = [*command(where, config=config), "--dry-run", "--quiet", "all"]
    began = time.monotonic()
    process = subprocess.Popen(call, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("the plan failed")
    return {
        "images": PLANNED_IMAGES,
        "variants": 2,
        "shard_images": PLANNED_SHARD_IMAGES,
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "megabytes": round(usage.ru_maxrss / 1024),
    }


def describe_machine() -> str:
    """Processor and threads."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(": ")[1] for line in lines if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} hyperthreads"


if __name__ == "__main__":
    FIGURES.write_text(json.dumps(measure(Path(sys.argv[1]).resolve(), sys.argv[2]), indent=1) + "\n")
