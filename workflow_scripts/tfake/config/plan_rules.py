"""What rules of every stage need: constraints of wildcards, params in order, and what jobs ask for."""

import re
from collections.abc import Callable, Iterable
from typing import Any

#: A job's wildcards: strings, each an attribute of its name.
Wildcards = Any


def one_of(names: Iterable[str]) -> str:
    """A wildcard's constraint to some names; without any, to what nothing is."""
    return "|".join(map(re.escape, names)) or "(?!)"


def in_key_order(block: Any) -> Any:
    """A config block whose keys are sorted: Snakemake would take another order for another setting."""
    if not isinstance(block, dict):
        return block
    return {key: in_key_order(block[key]) for key in sorted(block)}


def uses_gpu(device: str, has_gpu: bool) -> bool:
    """Whether networks run on a GPU.

    Args:
        device: the config's ``device``.
        has_gpu: whether there is one, here or where jobs are sent.
    """
    return {"auto": has_gpu, "cpu": False}.get(device, True)


def network_resources(on_gpu: bool, partition: str | None) -> dict[str, int | str]:
    """Resources of a rule that runs a network.

    Args:
        on_gpu: of :func:`uses_gpu`.
        partition: of a cluster's GPUs, where jobs are sent to one.
    """
    return {"gpu": int(on_gpu)} | ({"slurm_partition": partition} if on_gpu and partition is not None else {})


def network_threads(on_gpu: bool) -> int:
    """Threads of a rule that trains a network or runs it over a dataset.

    Beside a GPU, they decode images and make batches. Training a network as small as the default gains little from a
    second thread: on a CPU, jobs lie side by side.
    """
    return 8 if on_gpu else 1


def memory_mb(count_gpus: Callable[[str], int | None], megabytes: int) -> Callable[..., int]:
    """Memory of a job in MB; a training has a process a GPU, and each attempt asks for more.

    Args:
        count_gpus: tells how many GPUs the jobs of a rule have.
        megabytes: of one process.
    """

    def ask(wildcards: Wildcards, attempt: int, rulename: str) -> int:
        return megabytes * max(1, count_gpus(rulename) or 1) * attempt

    return ask


def minutes(count: int) -> Callable[..., int]:
    """Time of a job; each attempt asks for more."""
    return lambda wildcards, attempt: count * attempt


def fixed_threads(rules: Iterable[Any]) -> dict[str, int]:
    """Threads of a job of each rule, those that are the same for all of its jobs.

    Args:
        rules: Snakemake's.
    """
    asked = {rule.name: rule.resources["_cores"].raw for rule in rules if "_cores" in rule.resources}
    return {name: threads for name, threads in sorted(asked.items()) if isinstance(threads, int)}


def gpu_rules(rules: Iterable[Any]) -> list[str]:
    """Names of the rules whose jobs take a GPU.

    Args:
        rules: Snakemake's.
    """
    return sorted(rule.name for rule in rules if "gpu" in rule.resources and rule.resources["gpu"].raw)
