"""What jobs have cost: Snakemake's benchmarks, and the shards that were made."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tfake.forecast.jobs import Job, list_jobs
from tfake.store.manifest import read_manifest

_SHARD_RULES = ("label_faces", "thermalize_faces", "record_faces", "import_faces")


@dataclass(frozen=True)
class Cost:
    """What one job has cost.

    Attributes:
        job: the job; where it made several shards, its size is that of all of them.
        seconds: from its start to its end.
        cpu_seconds: of all its processes.
        bytes: of its shards; 0 for a job that makes none.
    """

    job: Job
    seconds: float
    cpu_seconds: float
    bytes: int = 0


@dataclass(frozen=True)
class Measured:
    """What was measured in a run, and which of its jobs have been done."""

    costs: tuple[Cost, ...]
    done: frozenset[Job]


def is_shard(job: Job) -> bool:
    """Whether a job makes a shard."""
    return job.rule in _SHARD_RULES


def read_costs(run: Path, config: Mapping[str, Any]) -> Measured:
    """Read what the jobs of one run have cost, those that have run.

    Args:
        run: the run's folder, with ``benchmarks`` and ``results``.
        config: its config, complete.

    Raises:
        StoreError: a manifest is damaged.
    """
    costs: list[Cost] = []
    done: set[Job] = set()
    stores: dict[tuple[str, str], list[Job]] = defaultdict(list)
    for job in list_jobs(config):
        if is_shard(job):
            stores[job.rule, job.name.rpartition("/")[0]].append(job)
        elif (cost := _read_cost(run, job)) is not None:
            costs.append(cost)
            done.add(job)
    for jobs in stores.values():
        made = {job: sizes for job in jobs if (sizes := _read_shard(run, job)) is not None}
        costs += _read_shard_costs(run, jobs, made)
        done |= made.keys()
    return Measured(tuple(costs), frozenset(done))


def _read_shard_costs(run: Path, jobs: Sequence[Job], made: Mapping[Job, tuple[int, int]]) -> Iterator[Cost]:
    """Costs of a store's shards: one benchmark stands for its shard and those after it that have none of their own."""
    spans: list[tuple[Cost, list[Job]]] = []
    for job in jobs:
        if job in made and (cost := _read_cost(run, job)) is not None:
            spans.append((cost, [job]))
        elif job in made and spans:
            spans[-1][1].append(job)
    for cost, span in spans:
        rows, count = (sum(values) for values in zip(*(made[job] for job in span), strict=True))
        yield replace(cost, job=replace(cost.job, size=rows), bytes=count)


def _read_cost(run: Path, job: Job) -> Cost | None:
    try:
        with (run / job.benchmark).open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    except FileNotFoundError:
        return None
    if not rows:
        return None
    # A repeated benchmark has a row each.
    seconds = sum(float(row["s"]) for row in rows) / len(rows)
    cpu = sum(_number(row["cpu_time"]) for row in rows) / len(rows)
    return Cost(job, seconds, cpu or seconds)


def _number(text: str) -> float:
    """Snakemake writes NA for jobs that ended before it first looked."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def _read_shard(run: Path, job: Job) -> tuple[int, int] | None:
    """Rows and bytes of the shard that a job makes; None where it is not there."""
    variant, _, shard = job.name.rpartition("/")
    path = run / "results" / (f"variants/{variant}" if variant else "faces") / f"manifests/{shard}.json"
    if not path.exists():
        return None
    manifest = read_manifest(path)
    return manifest.stop - manifest.start, sum(file.bytes for file in manifest.files)
