"""What rules of every stage take: constraints, what jobs ask for, the run's lock; and Snakemake's own linter."""

import re
import subprocess
import sys
from types import SimpleNamespace

import pytest

from recipes import ROOT
from tfake.config import plan_rules
from tfake.config.preflight import hold_run_lock


def test_a_constraint_is_met_by_its_names_alone():
    for names in (["a", "a.b"], ["x+y"], []):
        pattern = re.compile(plan_rules.one_of(names))
        assert all(pattern.fullmatch(name) for name in names)
        assert not any(pattern.fullmatch(other) for other in ("", "axb", "xxy", "b"))


@pytest.mark.parametrize(
    ("device", "has_gpu", "expected"),
    [("auto", True, True), ("auto", False, False), ("cpu", True, False), ("cuda", False, True)],
)
def test_networks_run_on_a_gpu_where_there_is_one_or_it_is_asked_for(device, has_gpu, expected):
    assert plan_rules.uses_gpu(device, has_gpu) is expected


def test_a_network_asks_for_a_gpu_and_a_clusters_partition():
    assert plan_rules.network_resources(True, "big") == {"gpu": 1, "slurm_partition": "big"}
    assert plan_rules.network_resources(True, None) == {"gpu": 1}
    assert plan_rules.network_resources(False, "big") == {"gpu": 0}


@pytest.mark.parametrize(("gpus", "attempt", "expected"), [(None, 1, 100), (0, 2, 200), (1, 1, 100), (4, 3, 1200)])
def test_memory_grows_with_processes_and_attempts(gpus, attempt, expected):
    ask = plan_rules.memory_mb({"train": gpus}.get, 100)
    assert ask(None, attempt=attempt, rulename="train") == expected
    assert plan_rules.minutes(10)(None, attempt=attempt) == 10 * attempt


def test_a_forecast_learns_from_the_rules_what_their_jobs_take():
    def rule(name, **resources):
        return SimpleNamespace(name=name, resources={key: SimpleNamespace(raw=raw) for key, raw in resources.items()})

    rules = [rule("b", _cores=2, gpu=1), rule("a", _cores=1, gpu=0), rule("c", _cores=lambda wildcards: 1), rule("all")]
    assert plan_rules.fixed_threads(rules) == {"a": 1, "b": 2}
    assert plan_rules.gpu_rules(rules) == ["b"]


def test_a_stale_lock_is_cleared_and_a_living_runs_is_left(tmp_path):
    folder = tmp_path / ".snakemake"
    first = hold_run_lock(folder)
    assert first is not None
    (folder / "locks").mkdir()
    assert hold_run_lock(folder) is None
    assert (folder / "locks").is_dir()
    first.close()
    second = hold_run_lock(folder)
    assert second is not None
    assert not (folder / "locks").exists()
    second.close()


def test_a_folder_that_cannot_be_written_is_left_to_snakemake(tmp_path):
    (tmp_path / "file").touch()
    assert hold_run_lock(tmp_path / "file/.snakemake") is None


def test_snakemakes_linter_finds_no_fault(tmp_path):
    words = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(tmp_path)]
    done = subprocess.run([*words, "--lint"], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rule_files_hold_no_functions():
    for path in (ROOT / "Snakefile", *(ROOT / "rules").rglob("*.smk")):
        assert not re.search(r"(?m)^\s*(def|class) ", path.read_text()), path


def test_rules_and_their_scripts_lie_under_one_word_a_stage():
    for path in (ROOT / "rules").rglob("*.smk"):
        stage = "studies" if path.parent.name == "studies" else path.stem
        assert set(re.findall(r"workflow_scripts/(\w+)/\w+\.py", path.read_text())) <= {stage}, path
