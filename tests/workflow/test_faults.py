"""Bad input is refused, with what was expected, what was found, and where."""

import os
import re

import cv2
import numpy as np
import pytest

from archives import flip_byte, write_samples
from runs import ROOT, configured, run, succeed


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sauce", 1, "sauce"),
        ("source__imagse", 3, "imagse"),
        ("source__images", 0, "source.images is 0; expected an integer, at least 1"),
        ("thermalizer__stesp", 3, "thermalizer.stesp is no key; did you mean steps? (config.yaml, line "),
        ("conditions__warm", {"ambient": 3}, "ambient"),
        ("variants__warm__condition", "hot", "variants.warm.condition is 'hot'; the conditions are warm, cold"),
        ("device", "gpu", "gpu"),
        ("conditions__warm__pairs", {"values": "rankine"}, "is 'rankine' (text); expected one of celsius, kelvin, "),
        (
            "conditions__warm__pairs",
            {"values": {"counts": {"per_kelvin": 0}}},
            "counts.per_kelvin is 0; expected a number, above 0",
        ),
        (
            "conditions__warm",
            {"ambient_celsius": 60, "prior": {"table": "charlotte"}},
            "charlotte, which answers for rooms of 10 to 34 °C; it is read at 60 °C",
        ),
        (
            "conditions__warm__prior",
            {"table": "nowhere"},
            "conditions.warm.prior.table is nowhere, which cannot be read",
        ),
    ],
)
def test_a_wrong_key_or_value_stops_before_any_job(tmp_path, key, value, message):
    done = run(tmp_path, config=configured(tmp_path, **{key: value}))
    assert done.returncode != 0
    assert message in done.stdout
    assert not (tmp_path / "results").exists()


def test_a_missing_archive_stops_before_any_job(tmp_path):
    done = run(tmp_path, config=configured(tmp_path, source__archive=["nowhere.zip"]))
    assert done.returncode != 0
    assert "config: source.archive: there is no nowhere.zip (seen from " in done.stdout
    assert "--dry-run plans without it" in done.stdout
    assert not (tmp_path / "results").exists()


def test_a_dataset_can_be_planned_before_its_archive_is_there(tmp_path):
    large = configured(
        tmp_path, source__archive=["dataset_100000.zip"], source__images=100_000, store__shard_images=50_000
    )
    planned = succeed(tmp_path, "--dry-run", "all", config=large)
    assert "there is no dataset_100000.zip" in planned
    assert re.search(r"provide_archive +1\b", planned)
    assert re.search(r"label_faces +2\b", planned)
    assert "shards" not in planned


def test_many_small_shards_are_warned_of_with_a_better_size(tmp_path):
    small = configured(tmp_path, source__archive=["dataset_100000.zip"], source__images=2_002, store__shard_images=2)
    planned = succeed(tmp_path, "--dry-run", "source", config=small)
    assert "store.shard_images is 2, which makes 1,001 shards of 2,002 images" in planned
    assert "with store.shard_images: 1000 there are 3." in planned


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"hello", "it is not a zip"),
        (b"", "it is empty"),
        (None, "it begins like a zip but has no directory at its end"),
    ],
)
def test_an_archive_that_cannot_be_read_stops_the_run(tmp_path, content, reason):
    archive = write_samples(tmp_path / "a.zip", range(5))
    archive.write_bytes(archive.read_bytes()[:-100] if content is None else content)
    done = run(tmp_path, "source", config=configured(tmp_path, source__archive=["a.zip"]))
    assert done.returncode != 0
    assert f"cannot read the archive a.zip: {reason}" in done.stdout
    assert "cannot read the archive" in (tmp_path / "logs/index_archive.log").read_text()
    assert not (tmp_path / "results/source/index.parquet").exists()


def test_a_pair_of_different_sizes_is_named(copy):
    pairs = copy / "pairs"
    pairs.mkdir()
    for stem, size in (("a", 64), ("b", 48)):
        cv2.imwrite(str(pairs / f"{stem}_v.png"), np.zeros((64, 64, 3), np.uint8))
        cv2.imwrite(str(pairs / f"{stem}_t.png"), np.zeros((size, 64), np.uint8))
    config = configured(copy, conditions__warm={"pairs": {"path": "pairs", "values": "relative"}})
    done = run(copy, "thermalizers", config=config)
    assert done.returncode != 0
    assert "b_v.png" in done.stdout
    assert "b_t.png" in done.stdout
    assert "48" in done.stdout
    assert "64" in done.stdout


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("variants/warm/thermal.zarr/thermal/c/1/0/0", "verify_thermal"),
        ("faces/faces.zarr/landmarks_70/c/0/0/0", "verify_faces"),
        ("faces/faces.zarr/zarr.json", "verify_faces"),
    ],
)
def test_a_flipped_byte_fails_verification_and_is_named(copy, name, rule):
    path = copy / "results" / name
    before = path.stat()
    flip_byte(path, before.st_size // 2)
    # Bit rot leaves no time stamp behind.
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    done = run(copy, "--forcerun", rule, "--", "faces", "variants")
    assert done.returncode != 0
    store = name.split("/", 2 if name.startswith("variants") else 1)[-1]
    assert f"{store}: SHA-256 is" in done.stdout


@pytest.mark.slow
def test_a_bad_sample_is_a_status_and_a_count_to_the_end(tmp_path):
    write_samples(tmp_path / "a.zip", range(5), m000003__png=b"broken")
    config = configured(
        tmp_path,
        source__archive=["a.zip"],
        source__image_pixels=64,
        thermalizer__image_pixels=64,
        store__shard_images=3,
    )
    succeed(tmp_path, config=config)
    page = (tmp_path / "results/report/index.html").read_text()
    assert "000003" in page
    assert "its 6 bytes are no image" in page


def test_the_stub_for_other_tools_runs_the_same_workflow(finished):
    plan = succeed(finished, "--snakefile", str(ROOT / "workflow/Snakefile"), "--forcerun", "save_config", "--dry-run")
    assert "save_config" in plan
    assert "train_thermalizer" not in plan
