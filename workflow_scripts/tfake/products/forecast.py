"""What a run will cost, as Markdown: each job that is left costs what jobs of its rule and kind did, by size.

The jobs follow from the configuration; what they have cost, from Snakemake's benchmarks and the manifests of shards.
"""

import csv
import json
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tfake.config.plan import Plan
from tfake.config.plan_rules import without_neutral
from tfake.pages.wording import bytes_in_words, markdown_table, plural, seconds_in_words
from tfake.store.manifest import read_manifest
from tfake.variants.kinds import KINDS


@dataclass(frozen=True)
class Job:
    """One job of a run."""

    rule: str
    name: str = ""  # its wildcards, as in the name of its benchmark
    size: int = 1  # what its cost grows with: images, or optimiser steps; 1 where it costs the same in every run
    kind: str = ""  # what its cost depends on besides, as JSON; jobs of another kind tell nothing about it

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
        for variant in plan.generated:
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
    pixels = _kind(config["source"]["image_pixels"])
    for condition in plan.awaited:
        if config["conditions"][condition]["pairs"]["path"] is None:
            yield Job("render_lab", condition, config["procedural"]["lab_pairs"], pixels)
        settings = without_neutral(config[plan.thermalizers.section_of(condition)])
        if "bank_patches" in settings:
            yield Job("sample_patches", condition, kind=_kind(settings["bank_patches"]))
        yield Job("train_thermalizer", condition, settings.pop("steps"), _kind(settings))
    for condition in plan.released:
        yield Job("import_thermalizer", condition)


def _variants(config: Mapping[str, Any], plan: Plan) -> Iterator[Job]:
    pixels = _kind(config["source"]["image_pixels"])
    for variant in plan.variants:
        store, kind = KINDS[plan.kind_of[variant]], pixels
        if variant in plan.thermalized:
            settings = config[plan.thermalizers.section_of(plan.condition(variant))]
            sampled = (settings["block_channels"], settings["sampling_steps"]) if "block_channels" in settings else ()
            kind = _kind(pixels, *(sampled or (settings["encoder"],)))
        elif variant in plan.recorded:
            camera = plan.cameras[config["variants"][variant]["camera"]]
            kind = _kind(pixels, camera["native_pixels"], camera["output_pixels"])
        first, last = plan.rows(variant)
        yield Job(store.create_rule, variant)
        for shard in plan.shards(variant):
            yield Job(store.shard_rule, f"{variant}/{shard}", _rows(plan, [first, last], shard), kind)
        yield Job("seal_thermal", variant, last - first)
        yield Job("verify_thermal", variant, last - first, kind)
        if variant in plan.generated and config["source"]["archive"] is None:
            yield Job("evaluate_thermal", variant, last - first, pixels)


def _rows(plan: Plan, rows: list[int], shard: int) -> int:
    """How many of some rows are in a shard."""
    start = shard * plan.shard_images
    return min(start + plan.shard_images, rows[1]) - max(start, rows[0])


def _kind(*parts: Any) -> str:
    return json.dumps(parts, sort_keys=True)


_SHARD_RULES = ("label_faces", "thermalize_faces", "model_faces", "record_faces", "import_faces")


@dataclass(frozen=True)
class Cost:
    """What one job has cost."""

    job: Job  # where it made several shards, its size is that of all of them
    seconds: float  # from its start to its end
    cpu_seconds: float  # of all its processes
    bytes: int = 0  # of its shards


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
    # A repeated benchmark has a row each; of jobs that ended before Snakemake first looked, no processor time is known.
    seconds = statistics.fmean(float(row["s"]) for row in rows)
    cpu = statistics.fmean(0.0 if row["cpu_time"] in ("NA", "-") else float(row["cpu_time"]) for row in rows)
    return Cost(job, seconds, cpu or seconds)


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
    """What one rule will cost; None where no job like those that are left was measured."""

    rule: str
    jobs: int  # of the run
    left: int  # of them to be done
    cpu_seconds: float | None  # of those
    seconds: float | None  # from the first one's start to the last one's end on the cores that there are
    bytes: float | None  # of all its shards, those that are made included; 0 for a rule that makes none
    measured: tuple[int, int]  # how many jobs this is taken from, and what they had to do together


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
    """Predict the cost of what is left of a run, rule by rule, in the order of the jobs.

    Args:
        jobs: of the whole run.
        here: what has been done and measured in it.
        elsewhere: what jobs of other runs cost, read where this run has done none like it.
        machine: where the run is.
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
    """A forecast as Markdown; ``sources`` says what the figures come from, a phrase each."""
    known = [stage for stage in stages if stage.seconds is not None]
    unknown = [stage.rule for stage in stages if stage.seconds is None]
    total = (
        "in all",
        sum(stage.jobs for stage in stages),
        sum(stage.left for stage in stages),
        seconds_in_words(sum(stage.cpu_seconds for stage in known), 0),
        seconds_in_words(sum(stage.seconds for stage in known), 0),
        bytes_in_words(sum(stage.bytes for stage in known)),
        "",
    )
    gpus = f" and {plural(machine.gpus, 'GPU')}" if machine.uses_gpu else ""
    lines = [
        "# What this run will cost",
        "",
        *markdown_table(_HEAD, [*map(_row, stages), total]),
        "",
        "Time is what is left; disk is what the stores will have in all. Wall time is on "
        f"{plural(machine.cores, 'core')}{gpus}, one stage after the other: stages that lie side by side take less. "
        "Where jobs of one size alone were measured, cost is taken to grow in proportion, which is too much where they "
        "had far fewer images.",
        f"Based on {'; '.join(sources)}.",
    ]
    if unknown:
        named = "forecast.runs takes the folders of runs that have done them"
        lines.append(f"Not measured, and so not counted: {', '.join(unknown)}; {named}.")
    return "\n".join(lines) + "\n"


def _row(stage: Stage) -> tuple[str | int, ...]:
    counts = (stage.rule, stage.jobs, stage.left)
    if stage.seconds is None:
        return (*counts, "?", "?", "?" if stage.bytes is None else "", "nothing")
    jobs, size = stage.measured
    measured = plural(jobs, "job") + (f", {size:,} {_SIZES.get(stage.rule, 'images')}" if size > jobs else "")
    disk = bytes_in_words(stage.bytes) if stage.bytes else ""
    return (*counts, seconds_in_words(stage.cpu_seconds, 0), seconds_in_words(stage.seconds, 0), disk, measured)
