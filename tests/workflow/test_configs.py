"""What users write and type, taken to Snakemake: what runs, what reruns, and what stops before any job."""

import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
import yaml

import tfake
from archives import flip_byte
from runs import ROOT, TINY, command, configured, run, succeed, sums
from tfake.config.plan_rules import NEUTRAL_KEYS

RANGES = {
    "conditions": {"warm": {"ambient_celsius": [22, 30]}, "cold": {"ambient_celsius": [12, 21]}},
    "variants": {"warm": {"ambient_celsius": 25}, "cold": {"ambient_celsius": 15}},
}


def written(folder, **blocks):
    """A config file: the tiny one with some blocks added."""
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(TINY.read_text()) | blocks))
    return path


def planned(folder, *arguments, config=TINY):
    """Rule to number of jobs of what would be done."""
    output = succeed(folder, "--dry-run", *arguments, config=config)
    return {name: int(count) for name, count in re.findall(r"(?m)^(\w+) +(\d+)$", output) if name != "total"}


NEUTRAL_CHANGES = {
    "source__accept_license": True,
    "thermalizer__checkpoint_every": 7,
    "thermalizer__compile": True,
    "diffusion_thermalizer__checkpoint_every": 7,
    "diffusion_thermalizer__compile": True,
    "landmarks__checkpoint_every": 7,
    "landmarks__compile": True,
    "detector__checkpoint_every": 7,
    "detector__compile": True,
    "pretraining__checkpoint_every": 7,
    "pretraining__compile": True,
    "diffusion__checkpoint_every": 7,
    "diffusion__compile": True,
    "diffusion__gradient_checkpointing": False,
    "face_classification__checkpoint_every": 7,
    "face_classification__compile": True,
    "face_classification__accept_ethics_note": True,
    "labels__face_landmarker__url": "https://example.org/other.task",
    "compare": ["results", "results"],
    "store__shards_per_job": 2,
    "forecast__runs": ["runs"],
    "forecast__cores": 3,
    "forecast__gpus": 2,
    "device": "cpu",
}


def test_what_changes_no_result_makes_none_anew(finished, tmp_path):
    assert {name.replace("__", ".") for name in NEUTRAL_CHANGES} == set(NEUTRAL_KEYS)
    jobs = planned(finished, config=configured(tmp_path, **NEUTRAL_CHANGES))
    assert set(jobs) == {"save_config", "build_report", "all"}


@pytest.mark.parametrize(
    "target", ["all", "variants", "thermalizers", "landmark_study", "landmark_evaluation", "publish", "exports"]
)
def test_conditions_may_all_be_ranges(tmp_path, target):
    assert planned(tmp_path, target, config=written(tmp_path, **RANGES))["train_thermalizer"] == 2


@pytest.mark.parametrize("target", ["ablation", "results/ablation/every_room/within_class_r_every_room/0/weights.pt"])
def test_the_ablation_says_that_it_needs_a_condition_of_one_room(tmp_path, target):
    done = run(tmp_path, "--dry-run", target, config=written(tmp_path, **RANGES))
    assert done.returncode != 0
    assert "config: ablation.conditions: the ablation scores conditions of one room, and there is none" in done.stdout


def test_null_takes_a_condition_and_its_variant_away(tmp_path):
    config = written(tmp_path, conditions={"cold": None}, variants={"cold": None})
    jobs = planned(tmp_path, config=config)
    assert (jobs["train_thermalizer"], jobs["thermalize_faces"], jobs["verify_thermal"]) == (1, 3, 2)
    for target in ("landmarks", "ablation", "exports", "landmark_evaluation"):
        assert planned(tmp_path, target, config=config)["train_thermalizer" if target != "ablation" else "train_arm"]


def test_words_of_the_command_line_are_values(tmp_path):
    words = ["thermalizer={learning_rate: 1e-3, steps: 2}", "variants={cold: null}", "compare=null"]
    succeed(tmp_path, "results/config.yaml", "--config", *words)
    config = yaml.safe_load((tmp_path / "results/config.yaml").read_text())
    assert (config["thermalizer"]["learning_rate"], config["thermalizer"]["steps"]) == (1e-3, 2)
    assert (list(config["variants"]), config["compare"]) == (["heat", "warm"], None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source:\n\timages: 3\n", "tab indentation"),
        ("", "Config file must be given as JSON or YAML"),
        ("thermalizer:\n  stesp: 3\n", "config: thermalizer.stesp is no key; did you mean steps? (mine.yaml, line 2)"),
        ("source: {archive: ['a{b}.zip']}\n", "config: source.archive[0] is 'a{b}.zip'"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_few_lines(tmp_path, text, message):
    (tmp_path / "mine.yaml").write_text(text)
    done = run(tmp_path, "--dry-run", config=tmp_path / "mine.yaml")
    assert done.returncode != 0
    assert message in done.stdout
    assert len(done.stdout.splitlines()) < 10


def test_a_folder_with_braces_is_refused(tmp_path):
    done = run(tmp_path / "a{b}", "--dry-run")
    assert done.returncode != 0
    assert "Snakemake takes braces for wildcards" in done.stdout


def test_a_file_dated_ahead_is_refused_before_any_job(copy):
    path = copy / "results/source/index.parquet"
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 10**8))
    before = sums(copy)
    done = run(copy, "--forcerun", "seal_faces", "--", "faces")
    assert done.returncode != 0
    assert "config: results/source/index.parquet is dated" in done.stdout
    assert sums(copy) == before


def test_a_home_that_cannot_be_written_is_not_needed(tmp_path):
    environment = {**os.environ, "HOME": "/proc/nobody", "XDG_CACHE_HOME": ""}
    done = subprocess.run(
        command(tmp_path, "source", "results/config.yaml"), env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "results/source/index.parquet").exists()


def test_comparing_without_datasets_stops_at_the_plan(tmp_path):
    for words, message in (
        ([], "config: compare is empty"),
        (["--config", "compare=[a, b]"], "config: compare[0] is a"),
    ):
        done = run(tmp_path, "--dry-run", "compare", *words)
        assert done.returncode != 0
        assert message in done.stdout


def test_a_variants_own_target_leaves_what_the_reader_opens(finished, tmp_path):
    # As after that target alone: everything is made anew but the costly part.
    for name in ("results/source", "results/thermalizers", "benchmarks"):
        shutil.copytree(finished / name, tmp_path / name)
    jobs = planned(finished, "variant_warm", "--forceall")
    assert {"verify_faces", "verify_thermal", "save_config"} <= set(jobs)
    succeed(tmp_path, "variant_warm")
    dataset = tfake.open_dataset(tmp_path / "results", variants=("warm",))
    assert len(dataset) == 5
    assert np.isfinite(dataset[0].thermal["warm"]).any()
    assert (tmp_path / "results/config.yaml").exists()


def test_verify_names_repair_and_repair_mends(finished, copy):
    succeed(copy, "verify")
    # It looks anew each time.
    assert planned(copy, "verify") == {"verify_stores": 1, "verify": 1}
    damaged = [
        "results/variants/warm/thermal.zarr/thermal/c/1/0/0",
        "results/variants/cold/thermal.zarr/thermal/zarr.json",
        "results/faces/manifests/2.json",
    ]
    for name in damaged:
        before = (copy / name).stat()
        flip_byte(copy / name, before.st_size // 2)
        os.utime(copy / name, ns=(before.st_atime_ns, before.st_mtime_ns))
    failed = run(copy, "verify")
    assert failed.returncode != 0
    assert "3 faults in the stores; `snakemake repair`" in failed.stdout
    for name in damaged:
        assert name in failed.stdout
    output = succeed(copy, "repair")
    # Trainings read the labels, so what learnt from a damaged shard is made again, to the same bytes.
    assert "Modelling shard 2 of heat." in output
    assert "Modelling shard 1 of heat." not in output
    assert "Thermalizing warm: results/variants/warm/manifests/1.json." in output
    assert "Labelling shard 2" in output
    assert sums(copy) == sums(finished)
    succeed(copy, "verify")
    # And once more, for repair too looks anew: nothing is found.
    assert re.findall(r"(?m)^Job \d+: (.*)$", succeed(copy, "repair")) == ["Looking for damage in every store."]


def test_a_forecast_from_another_run_makes_nothing(finished, tmp_path):
    config = written(tmp_path, source={"images": 40, "image_pixels": 128}, forecast={"runs": [str(finished)]})
    assert planned(tmp_path, "forecast", config=config) == {"forecast_run": 1, "forecast": 1}
    output = succeed(tmp_path, "forecast", config=config)
    page = (tmp_path / "results/forecast.md").read_text()
    assert page in output
    assert re.search(r"\| label_faces +\| 20 +\| 20 +\| .* \| 3 jobs, 5 images +\|", page)
    assert "?" not in page


def test_a_forecast_without_one_makes_the_first_shards(tmp_path):
    jobs = planned(tmp_path, "forecast")
    # All labels, for trainings learn from the heat of all sources.
    assert (jobs["label_faces"], jobs["thermalize_faces"], jobs["model_faces"], jobs["forecast_run"]) == (3, 2, 1, 1)
    assert "seal_thermal" not in jobs


def test_a_target_after_the_config_file_is_taken_for_another_one(tmp_path):
    """The trap that config/README.md names, as it is."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(tmp_path)]
        + ["--cores", "1", "--dry-run", "--configfile", str(TINY), "exports"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "No such file or directory: 'exports'" in done.stdout + done.stderr
