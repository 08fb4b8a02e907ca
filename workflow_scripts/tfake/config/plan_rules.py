"""What rules of every stage need: constraints of wildcards, the kind of a variant, params, and what jobs ask for.

Params leave out the keys that no result depends on, or changing one would make everything anew. Rounding aside, a
network's weights and temperatures are the same on every device and with compiled kernels. Which keys these are is
declared in the models (``key(..., neutral=True)``); ``neutral_keys.txt`` is made from them
(:mod:`tfake.config.generated`), for jobs run in environments without pydantic.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
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


#: What says that all labels are there, the store's root first.
FINISHED_LABELS = ["results/faces/faces.zarr/zarr.json", "results/faces/SHA256SUMS"]
#: A key that tells the kind of an entry that does not state it.
_TOLD_BY = {"of": "recorded", "files": "imported", "condition": "thermalized"}


def variant_kind(settings: Mapping[str, Any]) -> str:
    """Name the kind of a variant.

    Args:
        settings: the variant's entry of the config.

    Returns:
        Its ``kind``, a key of :data:`tfake.variants.kinds.KINDS`; where none is stated, what its other keys tell.
    """
    return settings.get("kind") or told_kind(settings)


def told_kind(settings: Mapping[str, Any]) -> str:
    """The kind that a variant's keys tell."""
    return next((kind for key, kind in _TOLD_BY.items() if key in settings), "modelled")


#: Keys that no result depends on, from the top: ``device``, ``thermalizer.compile``.
NEUTRAL_KEYS = tuple(Path(__file__).with_name("neutral_keys.txt").read_text(encoding="utf-8").split())
#: Those of a block of training settings.
NEUTRAL_SETTINGS = frozenset(
    key.split(".")[1]
    for key in NEUTRAL_KEYS
    if key.startswith(("thermalizer.", "diffusion.", "landmarks.", "detector.", "pretraining."))
)


def without_neutral(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Training settings that a result depends on: what is a rule's param, and what tells one run from another.

    Args:
        settings: a block of training settings.
    """
    return {key: value for key, value in settings.items() if key not in NEUTRAL_SETTINGS}


def with_neutral(settings: Mapping[str, Any], block: Mapping[str, Any]) -> dict[str, Any]:
    """The same with the neutral ones again, as the config now has them.

    Args:
        settings: a rule's param, made by :func:`without_neutral`.
        block: the config's block.
    """
    return {**settings, **{key: block[key] for key in block if key in NEUTRAL_SETTINGS}}
