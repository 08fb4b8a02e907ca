"""Time by step, from the benchmark files that Snakemake leaves behind."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd


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
        folder: holds ``{rule}.tsv``, or ``{rule}/**/*.tsv`` with a file a job, as Snakemake's ``benchmark`` writes them
            (columns ``s``: wall seconds, ``cpu_time``: seconds, ``max_rss``: MB).

    Returns:
        One entry a rule, the longest first; empty when there is no benchmark file.
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
