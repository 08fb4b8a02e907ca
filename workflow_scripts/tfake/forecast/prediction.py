"""What the jobs that are left will cost: each as jobs of its rule and kind did, in proportion to what it has to do."""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tfake.forecast.jobs import Job
from tfake.forecast.measured import Cost, Measured, is_shard


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
