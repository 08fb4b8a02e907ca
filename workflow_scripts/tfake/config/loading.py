"""From what Snakemake merged to a config that the rules can use, or one message that says all that is wrong with it."""

from collections.abc import Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

import yaml

from tfake.config.explaining import find_faults, find_unusual
from tfake.config.faults import stop_at
from tfake.config.files import ConfigFiles
from tfake.config.plan import Plan
from tfake.config.references import find_conflicts
from tfake.config.removal import take_away
from tfake.config.schema import Schema
from tfake.config.values import take_values


def complete_config(
    config: Mapping[str, Any], schema: str | FilePath, files: Sequence[str | FilePath] = ()
) -> dict[str, Any]:
    """Check a merged config and complete it.

    Args:
        config: the defaults with a user's files and words merged over them; not changed.
        schema: the schema's file.
        files: the user's files, for the lines that messages name.

    Returns:
        The config: values of the types that its keys hold, entries set to null removed, and names filled in where null
        stands for all that fit.

    Raises:
        ConfigError: naming every fault, where it is, and the nearest thing that is known.
    """
    known = Schema(yaml.safe_load(FilePath(schema).read_text(encoding="utf-8")))
    given = ConfigFiles(files)
    stop_at([*given.find_repeated(), *find_unusual(config)], given.locate)
    complete, removed = take_away(take_values(config, known.root, known), known)
    stop_at(find_faults(complete, known), given.locate)
    stop_at(find_conflicts(complete, removed), given.locate)
    _fill_in(complete)
    return complete


def _fill_in(config: dict[str, Any]) -> None:
    """Give names where null stands for all that fit."""
    plan = Plan(config)
    landmarks, ablation, reference = config["landmarks"], config["ablation"], config["report"]["reference"]
    if landmarks["variants"] is None:
        landmarks["variants"] = list(plan.thermalized)
    if ablation["conditions"] is None:
        ablation["conditions"] = list(plan.fixed_ambient)
    if reference["variant"] is None:
        reference["variant"] = plan.variants[0]
