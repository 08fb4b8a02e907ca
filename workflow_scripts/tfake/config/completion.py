"""From what Snakemake merged to a config that the rules can use, or one message that says all that is wrong with it."""

from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from tfake.config.checks import find_conflicts
from tfake.config.coercion import coerce_values, fill_in_defaults
from tfake.config.faults import ConfigFiles, stop_at
from tfake.config.plan import Plan
from tfake.config.schema import json_schema
from tfake.config.validation import find_faults, find_unusual


def complete_config(config: Mapping[str, Any], files: Sequence[str | FilePath] = ()) -> dict[str, Any]:
    """Check a merged config and complete it.

    Args:
        config: the defaults with a user's files and words merged over them; not changed.
        files: the user's files, for the lines that messages name.

    Returns:
        The config: values of the types that its keys hold, entries set to null removed, and names filled in where null
        stands for all that fit.

    Raises:
        ConfigError: naming every fault, where it is, and the nearest thing that is known.
    """
    given = ConfigFiles(files)
    stop_at([*given.find_repeated(), *find_unusual(config)], given.locate)
    coerced, removed = coerce_values(config, json_schema())
    complete = fill_in_defaults(coerced, json_schema())
    stop_at(find_faults(complete), given.locate)
    stop_at(find_conflicts(complete, removed), given.locate)
    _name_all_that_fit(complete)
    return complete


def _name_all_that_fit(config: dict[str, Any]) -> None:
    """Give names where null stands for all that fit."""
    plan = Plan(config)
    landmarks, ablation, reference = config["landmarks"], config["ablation"], config["report"]["reference"]
    if landmarks["variants"] is None:
        landmarks["variants"] = list(plan.thermalized)
    if config["realism"]["variants"] is None:
        config["realism"]["variants"] = [name for name in plan.variants if name not in plan.recorded]
    if ablation["conditions"] is None:
        ablation["conditions"] = list(plan.fixed_ambient)
    if reference["variant"] is None:
        reference["variant"] = plan.variants[0]
