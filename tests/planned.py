"""Plans of configs that are made of the defaults, and the wildcards of a job."""

import copy
from types import SimpleNamespace
from typing import Any

import yaml
from snakemake.utils import update_config

from recipes import ROOT
from tfake.config.plan import Plan
from tfake.variants.kinds import KINDS

DEFAULTS = yaml.safe_load((ROOT / "config.yaml").read_text())


def plan_of(**blocks: dict[str, Any]) -> Plan:
    """The plan of the defaults with some blocks merged over them; names stand where null means all."""
    config = copy.deepcopy(DEFAULTS)
    named = {"landmarks": {"variants": ["warm"]}, "ablation": {"conditions": ["warm", "cold"]}}
    update_config(config, {**named, "realism": {"variants": ["warm", "cold"]}})
    update_config(config, copy.deepcopy(blocks))
    return Plan(config, KINDS)


def wildcards(**values: object) -> SimpleNamespace:
    """Wildcards as Snakemake gives them: text."""
    return SimpleNamespace(**{name: str(value) for name, value in values.items()})
