"""What the rules ask of a config, as plain values: which variants are made how, at which temperature, of which rows.

A :class:`Plan` answers by name. What belongs to one stage is in a part of it (``plan.stores``, ``plan.ablation``, …),
whose methods take a rule's ``wildcards``, so that a rule names them instead of holding functions of its own.
"""

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from tfake.config.plan_classification import ClassificationPlan
from tfake.config.plan_diffusion import DiffusionPlan
from tfake.config.plan_distillation import DistillationPlan
from tfake.config.plan_label_efficiency import LabelEfficiencyPlan
from tfake.config.plan_pretraining import PretrainingPlan
from tfake.config.plan_retargeting import RetargetingPlan
from tfake.config.plan_rules import variant_kind
from tfake.config.plan_sequences import SequencePlan, SequenceTasksPlan
from tfake.config.plan_stages import ProductPlan, SourcePlan, ThermalizerPlan
from tfake.config.plan_stores import StoreFiles, StorePlan
from tfake.config.plan_studies import AblationPlan, LandmarkPlan, LandmarkSpeedPlan, RealismPlan, TestSetPlan

#: More shards than this, and Snakemake takes long to plan their jobs.
MOST_SHARDS = 1000


class Plan:
    """A config that was found sound, read by name."""

    def __init__(self, config: Mapping[str, Any], store_kinds: Mapping[str, StoreFiles] | None = None) -> None:
        """Take a config.

        Args:
            config: complete, and found sound by :func:`tfake.config.checks.find_conflicts`.
            store_kinds: the kinds of stores by name, for whoever asks for a store's files
                (:data:`tfake.variants.kinds.KINDS`).
        """
        self.config = config
        variants = config["variants"]
        #: Conditions by how they come to their thermalizer.
        self.conditions = tuple(config["conditions"])
        self.released = tuple(config["thermalizers"])
        self.trained = tuple(name for name in self.conditions if name not in self.released)
        #: Variants by how they are made: recorded from another one, published by others, thermalized, or modelled.
        self.variants = tuple(variants)
        self.kind_of = {name: variant_kind(settings) for name, settings in variants.items()}
        self.recorded, self.imported, self.thermalized = map(self.of_kind, ("recorded", "imported", "thermalized"))
        self.modelled = self.of_kind("modelled")
        #: Those that are made here of the source's images, in its geometry.
        self.generated = self.thermalized + self.modelled
        used = {variants[name]["condition"] for name in self.thermalized}
        #: Conditions whose training a variant waits for.
        self.awaited = tuple(name for name in self.trained if name in used)
        self.store_kinds = store_kinds or {}
        self.images: int = config["source"]["images"]
        self.shard_images: int = config["store"]["shard_images"]
        #: Numbers of the source's shards.
        self.source_shards = range(math.ceil(self.images / self.shard_images))

    @cached_property
    def source(self) -> SourcePlan:
        """Where the archive comes from."""
        return SourcePlan(self.config)

    @cached_property
    def stores(self) -> StorePlan:
        """The files of the stores."""
        return StorePlan(self)

    @cached_property
    def thermalizers(self) -> ThermalizerPlan:
        """What thermalizers are trained with."""
        return ThermalizerPlan(self)

    @cached_property
    def landmarks(self) -> LandmarkPlan:
        """Landmark networks and label adapters."""
        return LandmarkPlan(self.config)

    @cached_property
    def distillation(self) -> DistillationPlan:
        """Landmark networks that learn from others."""
        return DistillationPlan(self)

    @cached_property
    def diffusion(self) -> DiffusionPlan:
        """LoRAs of diffusion models."""
        return DiffusionPlan(self)

    @cached_property
    def pretraining(self) -> PretrainingPlan:
        """Encoders that are pretrained without points."""
        return PretrainingPlan(self.config)

    @cached_property
    def label_efficiency(self) -> LabelEfficiencyPlan:
        """Networks that are fine-tuned with few labels."""
        return LabelEfficiencyPlan(self)

    @cached_property
    def ablation(self) -> AblationPlan:
        """The study of the loss's terms."""
        return AblationPlan(self)

    @cached_property
    def test_sets(self) -> TestSetPlan:
        """Annotated sets that landmarks are scored on."""
        return TestSetPlan(self)

    @cached_property
    def realism(self) -> RealismPlan:
        """Variants judged by real images."""
        return RealismPlan(self)

    @cached_property
    def landmark_speed(self) -> LandmarkSpeedPlan:
        """Landmark networks whose speed is measured."""
        return LandmarkSpeedPlan(self.config)

    @cached_property
    def sequences(self) -> SequencePlan:
        """Sequences of procedural people."""
        return SequencePlan(self.config)

    @cached_property
    def face_classification(self) -> ClassificationPlan:
        """Classes of faces in sequences."""
        return ClassificationPlan(self.config)

    @cached_property
    def retargeting(self) -> RetargetingPlan:
        """Stills that are set in motion."""
        return RetargetingPlan(self)

    @cached_property
    def sequence_tasks(self) -> SequenceTasksPlan:
        """What a landmarker does on them."""
        return SequenceTasksPlan(self.config)

    @cached_property
    def products(self) -> ProductPlan:
        """Publication, exports, comparison, repair and forecast."""
        return ProductPlan(self)

    @cached_property
    def fixed_ambient(self) -> tuple[str, ...]:
        """Conditions that are trained for one ambient temperature, not for a range."""
        conditions = self.config["conditions"]
        return tuple(name for name in self.conditions if not isinstance(conditions[name]["ambient_celsius"], list))

    @cached_property
    def ambients(self) -> dict[str, float]:
        """Ambient temperature of each variant in °C."""
        by_kind = (*self.thermalized, *self.imported, *self.recorded)
        return {name: self.ambient(name) for name in dict.fromkeys((*by_kind, *self.variants))}

    @cached_property
    def cameras(self) -> dict[str, dict[str, Any]]:
        """Settings of each camera, its preset's included, in the order of their keys."""
        cameras = self.config["cameras"]
        complete = {name: {**cameras.get(own.get("preset"), {}), **own} for name, own in cameras.items()}
        return {name: {key: own[key] for key in sorted(own) if key != "preset"} for name, own in complete.items()}

    def ambient_range(self, condition: str) -> tuple[float, float]:
        """Lowest and highest ambient temperature of a condition in °C; equal where it is one number."""
        ambient = self.config["conditions"][condition]["ambient_celsius"]
        return tuple(ambient) if isinstance(ambient, list) else (ambient, ambient)

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """The variants of a kind."""
        return tuple(name for name in self.variants if self.kind_of[name] == kind)

    def base(self, variant: str) -> str:
        """The variant that a camera records; any other variant itself."""
        return self.config["variants"][variant].get("of", variant)

    def condition(self, variant: str) -> str:
        """The condition whose thermalizer makes a variant."""
        return self.config["variants"][self.base(variant)]["condition"]

    def ambient(self, variant: str) -> float:
        """Ambient temperature of a variant in °C: its own, or its condition's."""
        own = self.config["variants"][self.base(variant)]["ambient_celsius"]
        return self.ambient_range(self.condition(variant))[0] if own is None else own

    def heat(self, variant: str) -> dict[str, Any]:
        """The settings of a variant's temperatures, complete: its own, and for the rest those of all."""
        common, own = self.config["heat"], self.config["variants"][variant].get("heat", {})
        state = {**common["state"], **own.get("state", {})}
        lens = own.get("lens", common["lens"])
        return {**common, **own, "state": state, "lens": None if lens is None else {**(common["lens"] or {}), **lens}}

    def rows(self, variant: str) -> list[int]:
        """First row of a variant and its stop (exclusive): its own, its base's, or all."""
        variants = self.config["variants"]
        return variants[variant].get("images") or variants[self.base(variant)].get("images") or [0, self.images]

    def shards(self, variant: str) -> range:
        """Numbers of a variant's shards."""
        start, stop = self.rows(variant)
        return range(start // self.shard_images, math.ceil(stop / self.shard_images))

    def shard_rows(self, shard: int) -> list[int]:
        """First row of a shard and its stop (exclusive)."""
        start = shard * self.shard_images
        return [start, min(start + self.shard_images, self.images)]

    def check_files(self, dry_run: bool) -> Iterator[str]:
        """Look for the files and folders that the config names, seen from the working directory.

        Args:
            dry_run: nothing will be made, so the archive need not be there.

        Yields:
            What a user should know, though the run can go on.

        Raises:
            ConfigError: something is not there, or terms are not accepted.
        """
        if len(self.source_shards) > MOST_SHARDS:
            better = max(1000, math.ceil(self.images / MOST_SHARDS))
            yield (
                f"config: store.shard_images is {self.shard_images}, which makes {len(self.source_shards):,} shards of "
                f"{self.images:,} images, each with jobs of its own; with store.shard_images: {better} there are "
                f"{math.ceil(self.images / better):,}."
            )
        yield from self.source.check_files(dry_run)
        parts = (
            self.thermalizers,
            self.landmarks,
            self.pretraining,
            self.diffusion,
            self.label_efficiency,
            self.test_sets,
            self.realism,
            self.landmark_speed,
            self.face_classification,
            self.retargeting,
            self.sequence_tasks,
        )
        for part in parts:
            part.check_files()
