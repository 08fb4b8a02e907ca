"""A forecast follows from what was measured: closed forms, and the words that say what it is based on."""

import copy

import pytest
import yaml

from products.forecast_run import forecast_run
from recipes import ROOT, derived_rules, rule_blocks
from tfake.config.completion import complete_config
from tfake.pages.wording import bytes_in_words, seconds_in_words
from tfake.products.forecast import (
    Cost,
    Job,
    Machine,
    Measured,
    is_shard,
    list_jobs,
    predict,
    read_costs,
)
from tfake.store.manifest import Manifest, ShardFile, write_manifest

DEFAULTS = complete_config(yaml.safe_load((ROOT / "config.yaml").read_text()))
FOUR_CORES = Machine(cores=4, gpus=1, threads={"index": 2}, uses_gpu=frozenset({"train"}))
NOTHING = Measured((), frozenset())
HEAD = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"


def configured(**changes):
    config = copy.deepcopy(DEFAULTS)
    for key, value in changes.items():
        block, leaf = key.split("__")
        config[block][leaf] = value
    return config


def measure(run, job, seconds, cpu):
    path = run / job.benchmark
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{HEAD}{seconds}\t0:00:01\t1\t1\t1\t1\t0\t0\t50\t{cpu}\n")


def make_run(folder, config, jobs):
    """A run whose jobs cost a second and half a CPU second an image, and shards 100 bytes an image."""
    for job in jobs:
        measure(folder, job, job.size, job.size / 2)
        if is_shard(job):
            variant, _, shard = job.name.rpartition("/")
            manifest = folder / "results" / (f"variants/{variant}" if variant else "faces") / f"manifests/{shard}.json"
            manifest.parent.mkdir(parents=True, exist_ok=True)
            files = (ShardFile("c/0", 100 * job.size, "0"),)
            write_manifest(manifest, Manifest(int(shard), 0, job.size, {}, files, {}, {}))
    (folder / "results").mkdir(exist_ok=True)
    (folder / "results/config.yaml").write_text(yaml.safe_dump(config))


def test_the_jobs_are_those_of_the_workflow():
    jobs = list_jobs(DEFAULTS)
    assert {job.rule for job in jobs} <= rule_blocks().keys() | derived_rules().keys()
    assert [job.name for job in jobs if job.rule == "thermalize_faces"][:2] == ["warm/0", "warm/1"]
    assert sum(job.size for job in jobs if job.rule == "label_faces") == 96
    assert len(set(jobs)) == len(jobs)
    sizes = [job.size for job in list_jobs(configured(source__images=70)) if job.rule == "label_faces"]
    assert sizes == [32, 32, 6]


def test_cost_grows_with_size_and_jobs_lie_side_by_side():
    jobs = [Job("label_faces", str(shard), 50) for shard in range(10)]
    here = Measured((Cost(jobs[0], seconds=20, cpu_seconds=15, bytes=1000),), frozenset(jobs[:1]))
    (stage,) = predict(jobs, here, [], FOUR_CORES)
    assert (stage.jobs, stage.left, stage.cpu_seconds, stage.bytes) == (10, 9, 9 * 15, 10_000)
    # Nine jobs on four cores are three rounds.
    assert stage.seconds == 3 * 20
    assert stage.measured == (1, 50)


def test_two_sizes_tell_the_start_from_the_rest():
    costs = [Cost(Job("index", size=size), seconds=3 + size / 10, cpu_seconds=1 + size / 10) for size in (10, 110)]
    (stage,) = predict([Job("index", "mine", 1000)], NOTHING, costs, FOUR_CORES)
    assert stage.seconds == pytest.approx(103)
    assert stage.cpu_seconds == pytest.approx(101)


def test_jobs_of_another_kind_tell_nothing():
    elsewhere = [Cost(Job("train", size=10, kind="small"), 1, 1)]
    (stage,) = predict([Job("train", "warm", 10, "large")], NOTHING, elsewhere, FOUR_CORES)
    assert (stage.seconds, stage.cpu_seconds, stage.measured) == (None, None, (0, 0))


def test_what_this_run_measured_counts_before_what_others_did():
    jobs = [Job("label", "0", 10), Job("label", "1", 10)]
    elsewhere = [Cost(Job("label", "0", 10), 100, 100)]
    here = Measured((Cost(jobs[0], 2, 2),), frozenset(jobs[:1]))
    (stage,) = predict(jobs, here, elsewhere, FOUR_CORES)
    assert stage.seconds == 2


def test_threads_and_gpus_limit_what_lies_side_by_side():
    assert [FOUR_CORES.side_by_side(rule) for rule in ("label", "index", "train")] == [4, 2, 1]
    assert Machine(2, 1, {"render": 16}, frozenset()).side_by_side("render") == 1


def test_benchmarks_and_manifests_are_read(tmp_path):
    config = configured(source__images=64)
    jobs = [job for job in list_jobs(config) if job.rule in ("label_faces", "index_archive")]
    make_run(tmp_path, config, jobs)
    measured = read_costs(tmp_path, config)
    assert measured.done == set(jobs)
    assert {cost.bytes for cost in measured.costs if cost.job.rule == "label_faces"} == {3200}
    measure(tmp_path, jobs[0], 7, "NA")
    assert {cost.cpu_seconds for cost in read_costs(tmp_path, config).costs if cost.job == jobs[0]} == {7}


def test_a_benchmark_stands_for_all_the_shards_of_its_job(tmp_path):
    config = configured(source__images=160)
    jobs = [job for job in list_jobs(config) if job.rule == "label_faces"]
    make_run(tmp_path, config, jobs[:4])
    for job in (jobs[1], jobs[3]):
        (tmp_path / job.benchmark).unlink()
    measured = read_costs(tmp_path, config)
    assert measured.done == set(jobs[:4])
    assert [(cost.job.name, cost.job.size, cost.bytes) for cost in measured.costs] == [("0", 64, 6400), ("2", 64, 6400)]
    # What a benchmark tells nothing of without its shard.
    (tmp_path / "results/faces/manifests/2.json").unlink()
    assert [cost.job.name for cost in read_costs(tmp_path, config).costs] == ["0"]


def test_the_page_says_what_it_is_based_on(tmp_path, monkeypatch):
    other = tmp_path / "other"
    config = configured(source__images=64)
    make_run(other, config, [job for job in list_jobs(config) if job.rule != "build_report"])
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    page = tmp_path / "page.md"
    forecast_run(str(page), configured(source__images=6400, store__shard_images=640), ["../other"], FOUR_CORES)
    text = page.read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    assert ["label_faces", "10", "10", "53 min 20 s", "32 min 00 s", "640 kB", "2 jobs, 64 images"] in rows
    assert "Based on 0 jobs of this run; " in text
    assert "Not measured, and so not counted: build_report;" in text
    with pytest.raises(FileNotFoundError, match=r"forecast.runs: nowhere is no run"):
        forecast_run(str(page), config, ["nowhere"], FOUR_CORES)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0.4 s"),
        (59, "59.0 s"),
        (60, "1 min 00 s"),
        (61.2, "1 min 01 s"),
        (12000, "3 h 20 min"),
        (86400 * 2.5, "2 d 12 h"),
        (float("nan"), "not measured"),
    ],
)
def test_times_are_told_in_two_units(seconds, text):
    assert seconds_in_words(seconds) == text


def test_bytes_are_told_in_one():
    assert [bytes_in_words(count) for count in (0, 999, 1500, 13.1e9)] == ["0 B", "999 B", "1.5 kB", "13.1 GB"]
