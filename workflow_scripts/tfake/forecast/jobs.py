"""The jobs of a whole run, each with how much it has to do."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tfake.config.neutral import without_neutral
from tfake.config.plan import Plan


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
        config: complete (:func:`tfake.config.loading.complete_config`).
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
