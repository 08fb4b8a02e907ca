"""The cluster's profile asks for what the rules ask for, growing with each attempt."""

import re

import pytest
import yaml

from recipes import ROOT, rule_blocks

SLURM = yaml.safe_load((ROOT / "profiles/slurm/profile.yaml").read_text())
DEFAULT = yaml.safe_load((ROOT / "profiles/default/profile.yaml").read_text())
RULES = rule_blocks()
GPU_PARTITION = "gpu"


@pytest.mark.parametrize("rule", SLURM["set-resources"])
def test_a_rule_gets_its_own_memory_and_time_a_multiple_at_each_attempt(rule):
    for resource in ("mem_mb", "runtime"):
        base = re.search(rf"{resource}=(\d+)", RULES[rule])[1]
        assert SLURM["set-resources"][rule][resource] == f"{base} * attempt"


@pytest.mark.parametrize("rule", [rule for rule, block in RULES.items() if "localrule: True" not in block])
def test_every_rule_that_is_submitted_is_in_the_profile(rule):
    asked = SLURM["set-resources"][rule]
    if "gpu=" in RULES[rule]:
        assert (asked["gpu"], asked["slurm_partition"]) == (1, GPU_PARTITION)
    else:
        assert asked.keys() == {"mem_mb", "runtime"}


def test_the_profile_keeps_the_triggers_of_the_default_one():
    for key in ("rerun-triggers", "rerun-incomplete", "show-failed-logs"):
        assert SLURM[key] == DEFAULT[key]


def test_partitions_are_named_in_one_place():
    text = (ROOT / "profiles/slurm/profile.yaml").read_text()
    assert len(re.findall(r"slurm_partition: (?!\*)", text)) == 2
