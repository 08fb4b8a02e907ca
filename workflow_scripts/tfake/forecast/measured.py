"""What jobs have cost: Snakemake's benchmarks, and the bytes of the shards that were made."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfake.forecast.jobs import Job, list_jobs
from tfake.store.manifest import read_manifest


@dataclass(frozen=True)
class Cost:
    """What one job has cost.

    Attributes:
        job: the job.
        seconds: from its start to its end.
        cpu_seconds: of all its processes.
        bytes: of its shard; 0 for a job that makes none.
    """

    job: Job
    seconds: float
    cpu_seconds: float
    bytes: int = 0


def read_costs(run: Path, config: Mapping[str, Any]) -> dict[Job, Cost]:
    """Read what the jobs of one run have cost, those that have run.

    Args:
        run: the run's folder, with ``benchmarks`` and ``results``.
        config: its config, complete.
    """
    costs = {}
    for job in list_jobs(config):
        rows = _read_rows(run / job.benchmark)
        if rows:
            # A repeated benchmark has a row each.
            seconds = sum(float(row["s"]) for row in rows) / len(rows)
            cpu = sum(_number(row["cpu_time"]) for row in rows) / len(rows)
            costs[job] = Cost(job, seconds, cpu or seconds, _shard_bytes(run, job))
    return costs


def _read_rows(path: Path) -> list[Mapping[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file, delimiter="\t"))
    except FileNotFoundError:
        return []


def _number(text: str) -> float:
    """Snakemake writes NA for jobs that ended before it first looked."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def _shard_bytes(run: Path, job: Job) -> int:
    manifest = manifest_of(run, job)
    return sum(file.bytes for file in read_manifest(manifest).files) if manifest and manifest.exists() else 0


def manifest_of(run: Path, job: Job) -> Path | None:
    """The manifest of the shard that a job makes; None for a job that makes none."""
    if job.rule == "label_faces":
        return run / f"results/faces/manifests/{job.name}.json"
    if job.rule in ("thermalize_faces", "record_faces", "import_faces"):
        variant, shard = job.name.split("/")
        return run / f"results/variants/{variant}/manifests/{shard}.json"
    return None


def is_shard(job: Job) -> bool:
    """Whether a job makes a shard."""
    return manifest_of(Path(), job) is not None
