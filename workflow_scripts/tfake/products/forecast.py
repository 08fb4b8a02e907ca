"""The jobs of a whole run, each with how much it has to do.

What jobs have cost: Snakemake's benchmarks, and the shards that were made.

What the jobs that are left will cost: each as jobs of its rule and kind did, in proportion to what it has to do.

A forecast as a person reads it: a table by stage, and what it is based on.
"""

import csv
import json
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from tfake.config.neutral import without_neutral
from tfake.config.plan import Plan
from tfake.store.manifest import read_manifest


@dataclass(frozen=True)
class Job:
    """One job of a run.

    Attributes:
        rule: the rule.
        name: its wildcards, as in the name of its benchmark; empty without any.
        size: what its cost grows with: images, or optimiser steps; 1 where it costs the same in every run.
        kind: what its cost depends on besides, as JSON; jobs of another kind tell nothing about it.
    """

    rule: str
    name: str = ""
    size: int = 1
    kind: str = ""

    @property
    def benchmark(self) -> str:
        """Its benchmark, below the folder of a run."""
        return f"benchmarks/{self.rule}{'/' * bool(self.name)}{self.name}.tsv"


def list_jobs(config: Mapping[str, Any]) -> list[Job]:
    """The jobs of `all`, in the order of the data; downloads are left out, for their time is the network's.

    Args:
        config: complete (:func:`tfake.config.completion.complete_config`).
    """
    plan = Plan(config)
    return [*_source(config, plan), *_faces(config, plan), *_thermalizers(config, plan), *_variants(config, plan)] + [
        Job("save_config"),
        Job("build_report"),
    ]


def _source(config: Mapping[str, Any], plan: Plan) -> Iterator[Job]:
    pixels = _kind(config["source"]["image_pixels"])
    if config["source"]["archive"] is None:
        yield Job("render_faces", size=plan.images, kind=pixels)
        for variant in plan.thermalized:
            yield Job("render_truth", variant, plan.images, pixels)
    yield Job("index_archive", size=plan.images, kind=pixels)


def _faces(config: Mapping[str, Any], plan: Plan) -> Iterator[Job]:
    pixels = _kind(config["source"]["image_pixels"])
    yield Job("create_faces_store")
    for shard in range(-(-plan.images // plan.shard_images)):
        yield Job(
            "label_faces", str(shard), _rows(plan, [0, plan.images], shard), _kind(pixels, config["labels"]["backend"])
        )
    yield Job("seal_faces", size=plan.images)
    yield Job("verify_faces", size=plan.images, kind=pixels)


def _thermalizers(config: Mapping[str, Any], plan: Plan) -> Iterator[Job]:
    settings = without_neutral(config["thermalizer"])
    steps = settings.pop("steps")
    pixels = _kind(config["source"]["image_pixels"])
    for condition in plan.trained:
        if config["conditions"][condition]["pairs"]["path"] is None:
            yield Job("render_lab", condition, config["procedural"]["lab_pairs"], pixels)
        yield Job("sample_patches", condition, kind=_kind(settings["bank_patches"]))
        yield Job("train_thermalizer", condition, steps, _kind(settings))
    for condition in plan.released:
        yield Job("import_thermalizer", condition)


def _variants(config: Mapping[str, Any], plan: Plan) -> Iterator[Job]:
    pixels = _kind(config["source"]["image_pixels"])
    for variant in plan.variants:
        create, fill, kind = "create_thermal_store", "thermalize_faces", _kind(pixels, config["thermalizer"]["encoder"])
        if variant in plan.recorded:
            create, fill = "create_camera_store", "record_faces"
            camera = plan.cameras[config["variants"][variant]["camera"]]
            kind = _kind(pixels, camera["native_pixels"], camera["output_pixels"])
        elif variant in plan.imported:
            create, fill, kind = "create_import_store", "import_faces", pixels
        first, last = plan.rows(variant)
        yield Job(create, variant)
        for shard in plan.shards(variant):
            yield Job(fill, f"{variant}/{shard}", _rows(plan, [first, last], shard), kind)
        yield Job("seal_thermal", variant, last - first)
        yield Job("verify_thermal", variant, last - first, kind)
        if variant in plan.thermalized and config["source"]["archive"] is None:
            yield Job("evaluate_thermal", variant, last - first, pixels)


def _rows(plan: Plan, rows: list[int], shard: int) -> int:
    """How many of some rows are in a shard."""
    start = shard * plan.shard_images
    return min(start + plan.shard_images, rows[1]) - max(start, rows[0])


def _kind(*parts: Any) -> str:
    return json.dumps(parts, sort_keys=True)


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


@dataclass(frozen=True)
class Stage:
    """What one rule will cost.

    Attributes:
        rule: the rule.
        jobs: how many jobs the run has of it.
        left: how many of them are to be done.
        cpu_seconds: of those; None where no job like them was measured.
        seconds: from the first one's start to the last one's end on the cores that there are; None likewise.
        bytes: of all its shards, those that are made included; 0 for a rule that makes none, None as above.
        measured: how many jobs this is taken from, and what they had to do together.
    """

    rule: str
    jobs: int
    left: int
    cpu_seconds: float | None
    seconds: float | None
    bytes: float | None
    measured: tuple[int, int]


@dataclass(frozen=True)
class Machine:
    """Where the run will be: its cores and GPUs, and what one job of a rule takes of either."""

    cores: int
    gpus: int
    threads: Mapping[str, int]
    uses_gpu: frozenset[str]

    def side_by_side(self, rule: str) -> int:
        """How many jobs of a rule run at once."""
        by_cores = max(1, self.cores // max(1, self.threads.get(rule, 1)))
        return min(by_cores, max(1, self.gpus)) if rule in self.uses_gpu else by_cores


def predict(jobs: Sequence[Job], here: Measured, elsewhere: Sequence[Cost], machine: Machine) -> list[Stage]:
    """Predict the cost of what is left of a run.

    Args:
        jobs: of the whole run.
        here: what has been done and measured in it.
        elsewhere: what jobs of other runs cost.
        machine: where the run is.

    Returns:
        One entry a rule, in the order of the jobs.
    """
    by_rule: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        by_rule[job.rule].append(job)
    return [_predict_rule(rule, own, here, elsewhere, machine) for rule, own in by_rule.items()]


def _predict_rule(rule: str, jobs: Sequence[Job], here: Measured, elsewhere: Sequence[Cost], machine: Machine) -> Stage:
    done = [cost for cost in here.costs if cost.job.rule == rule]
    left = [job for job in jobs if job not in here.done]
    cpu = seconds = 0.0
    size: float = sum(cost.bytes for cost in done)
    used: list[Cost] = []
    for kind in dict.fromkeys(job.kind for job in left):
        alike = [cost for cost in done if cost.job.kind == kind] or [
            cost for cost in elsewhere if (cost.job.rule, cost.job.kind) == (rule, kind)
        ]
        if not alike:
            return Stage(rule, len(jobs), len(left), None, None, None if is_shard(jobs[0]) else 0, (0, 0))
        used += alike
        own = [job.size for job in left if job.kind == kind]
        cpu += sum(map(_line(alike, lambda cost: cost.cpu_seconds), own))
        size += sum(map(_line(alike, lambda cost: cost.bytes), own))
        rounds = math.ceil(len(own) / machine.side_by_side(rule))
        seconds += rounds * max(map(_line(alike, lambda cost: cost.seconds), own))
    measured = used or done
    return Stage(
        rule, len(jobs), len(left), cpu, seconds, size, (len(measured), sum(cost.job.size for cost in measured))
    )


def _line(costs: Sequence[Cost], value: Callable[[Cost], float]) -> Callable[[int], float]:
    """A cost as a line over size: with a start of its own where jobs of several sizes tell, else in proportion."""
    sizes, values = [cost.job.size for cost in costs], [value(cost) for cost in costs]
    if len(set(sizes)) > 1:
        slope, start = statistics.linear_regression(sizes, values)
        if slope >= 0 and start >= 0:
            return lambda size: start + slope * size
    each = sum(values) / sum(sizes)
    return lambda size: each * size


_HEAD = ("stage", "jobs", "left", "CPU time", "wall time", "disk", "measured on")
# What the size of a rule's jobs counts, where it is not images.
_SIZES = {"train_thermalizer": "steps", "render_lab": "pairs"}


def write_forecast(stages: Sequence[Stage], machine: Machine, sources: Sequence[str]) -> str:
    """Write a forecast as Markdown.

    Args:
        stages: what each rule will cost.
        machine: where the run will be.
        sources: what the figures come from, a phrase each.

    Returns:
        The page.
    """
    known = [stage for stage in stages if stage.seconds is not None]
    unknown = [stage.rule for stage in stages if stage.seconds is None]
    total = (
        "in all",
        str(sum(stage.jobs for stage in stages)),
        str(sum(stage.left for stage in stages)),
        format_seconds(sum(stage.cpu_seconds for stage in known)),
        format_seconds(sum(stage.seconds for stage in known)),
        format_bytes(sum(stage.bytes for stage in known)),
        "",
    )
    rows = [_HEAD, tuple("---" for _ in _HEAD), *map(_row, stages), total]
    cores = f"{machine.cores} {'core' if machine.cores == 1 else 'cores'}"
    gpus = f" and {machine.gpus} {'GPU' if machine.gpus == 1 else 'GPUs'}" if machine.uses_gpu else ""
    lines = [
        "# What this run will cost",
        "",
        *("| " + " | ".join(row) + " |" for row in rows),
        "",
        f"Time is what is left; disk is what the stores will have in all. Wall time is on {cores}{gpus}, one stage "
        "after the other: stages that lie side by side take less. Where jobs of one size alone were measured, cost is "
        "taken to grow in proportion, which is too much where they had far fewer images.",
        f"Based on {'; '.join(sources)}.",
    ]
    if unknown:
        named = "forecast.runs takes the folders of runs that have done them"
        lines.append(f"Not measured, and so not counted: {', '.join(unknown)}; {named}.")
    return "\n".join(lines) + "\n"


def format_seconds(seconds: float) -> str:
    """A time in two units that suit it: ``3 h 20 min``."""
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    for (name, size), (lower, lower_size) in pairwise(units):
        if seconds >= size:
            whole, rest = divmod(round(seconds / lower_size), size // lower_size)
            return f"{whole} {name} {rest} {lower}" if rest else f"{whole} {name}"
    return f"{seconds:.0f} s"


def format_bytes(count: float) -> str:
    """A number of bytes in a unit that suits it: ``13.1 GB``."""
    for name, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {name}"
    return f"{count:.0f} B"


def _row(stage: Stage) -> tuple[str, ...]:
    counts = (stage.rule, str(stage.jobs), str(stage.left))
    if stage.seconds is None:
        return (*counts, "?", "?", "?" if stage.bytes is None else "", "nothing")
    jobs, size = stage.measured
    measured = f"{jobs} {'job' if jobs == 1 else 'jobs'}" + (
        f", {size:,} {_SIZES.get(stage.rule, 'images')}" if size > jobs else ""
    )
    disk = format_bytes(stage.bytes) if stage.bytes else ""
    return (*counts, format_seconds(stage.cpu_seconds), format_seconds(stage.seconds), disk, measured)
