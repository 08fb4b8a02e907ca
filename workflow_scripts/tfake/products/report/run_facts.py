"""What the report states of a run: its sealed stores, its variants, and how long its rules took."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import pandas as pd

from tfake.config.plan_rules import variant_kind
from tfake.products.report.image_sources import VariantImages
from tfake.store.arrays import open_store
from tfake.store.manifest import file_sha256

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class SealedStore:
    """A folder that holds one store, its ``summary.json``, ``verified.json`` and ``SHA256SUMS``."""

    folder: str
    name: str  # of the store inside
    rows: int
    shards: int
    span: tuple[int, int]  # first row and stop (exclusive); a variant of a slice has not all
    counts: dict[str, int]  # rows by status
    statistics: dict[str, dict[str, float]]  # by class: pixels, mean (°C), sd (K)
    verified_files: int
    verified_bytes: int
    identity: str  # SHA-256 of SHA256SUMS: the same identity, the same bytes

    @property
    def path(self) -> str:
        """The store inside the folder."""
        return os.path.join(self.folder, self.name)

    @property
    def sums(self) -> str:
        """The store's checksum list."""
        return os.path.join(self.folder, SUMS)


def read_store(folder: str | Path) -> SealedStore:
    """Read what sealing and verifying left in a store's folder.

    Raises:
        FileNotFoundError: the store was not sealed, or not verified.
    """
    folder = Path(folder)
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    verified = json.loads((folder / "verified.json").read_text())
    return SealedStore(
        folder=str(folder),
        name=summary["store"],
        rows=summary["rows"],
        shards=len(summary["shards"]),
        span=(summary["shards"][0]["rows"][0], summary["shards"][-1]["rows"][1]),
        counts=summary["counts"],
        statistics=summary["statistics"],
        verified_files=verified["files"],
        verified_bytes=verified["bytes"],
        identity=file_sha256(folder / SUMS),
    )


@dataclass(frozen=True)
class VariantFacts:
    """One line of the page's table of variants."""

    name: str
    made_by: str
    ambient_celsius: float
    size: str  # width x height
    values: str  # the unit, and what a count is
    images: int
    rows: tuple[int, int]  # first and last
    stored_bytes: int
    license: str


def gather_facts(
    config: Mapping[str, Any],
    variants: Mapping[str, SealedStore],
    opened: Sequence[VariantImages],
    ambients: Mapping[str, float],
) -> list[VariantFacts]:
    """Say of each variant what differs between variants.

    Args:
        config: the effective configuration.
        variants: variant to its sealed store.
        opened: the same, open, in the same order.
        ambients: variant to the temperature of its room.
    """
    lines = []
    for images, (name, store) in zip(opened, variants.items(), strict=True):
        width, height = images.size
        counts = store.counts
        lines.append(
            VariantFacts(
                name=name,
                made_by=_made_by(config, name),
                ambient_celsius=ambients[name],
                size=f"{width}x{height}",
                values=f"{images.unit}, {images.scale:g} K a count" if images.radiometric else "gray levels, 8 bit",
                images=counts.get("imported", counts.get("source_ok", 0) - counts.get("without_mesh", 0)),
                rows=(store.span[0], store.span[1] - 1),
                stored_bytes=store.verified_bytes,
                license=open_store(store.path).attrs.get("license", config["source"]["license"]),
            )
        )
    return lines


def _made_by(config: Mapping[str, Any], name: str) -> str:
    settings = config["variants"][name]
    if base := settings.get("of"):
        return f"camera {settings['camera']} looking at {base}"
    if files := settings.get("files"):
        return f"published images, {PurePath(files).name}"
    if variant_kind(settings) == "modelled":
        return ", ".join(("temperature model, no network", *_changes(settings.get("heat", {}))))
    condition = settings["condition"]
    return f"{'imported ' if condition in config['thermalizers'] else ''}thermalizer {condition}"


def _changes(block: Mapping[str, Any]) -> Iterator[str]:
    """Keys and values of a block, and of the blocks inside it."""
    for key, value in block.items():
        if isinstance(value, Mapping):
            yield from _changes(value)
        else:
            yield f"{key} {'none' if value is None else value}"


@dataclass(frozen=True)
class StepTime:
    """All jobs of one rule together; nan where no job ran long enough to be measured."""

    rule: str
    jobs: int
    wall_seconds: float
    cpu_seconds: float
    max_rss_mb: float


def read_timings(folder: str | Path) -> list[StepTime]:
    """Add up the jobs of each rule.

    Args:
        folder: holds ``{rule}.tsv``, or ``{rule}/**/*.tsv`` per job, as Snakemake's ``benchmark`` writes them (columns
            ``s``: wall seconds, ``cpu_time``: seconds, ``max_rss``: MB).

    Returns:
        One entry per rule, the longest first; empty when there is no benchmark file.
    """
    folder = Path(folder)
    tables: dict[str, list[pd.DataFrame]] = {}
    for path in sorted(folder.rglob("*.tsv")):
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        table = pd.read_csv(path, sep="\t", usecols=["s", "cpu_time", "max_rss"], na_values=["-"])
        tables.setdefault(rule, []).append(table)
    steps = [_add_up(rule, pd.concat(parts)) for rule, parts in tables.items()]
    return sorted(steps, key=lambda step: (-step.wall_seconds, step.rule))


def _add_up(rule: str, jobs: pd.DataFrame) -> StepTime:
    return StepTime(
        rule=rule,
        jobs=len(jobs),
        wall_seconds=float(jobs["s"].sum()),
        cpu_seconds=float(jobs["cpu_time"].sum(min_count=1)),
        max_rss_mb=float(jobs["max_rss"].max()),
    )
