"""A forecast as a person reads it: a table by stage, and what it is based on."""

from collections.abc import Sequence
from itertools import pairwise

from tfake.forecast.prediction import Machine, Stage

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
