"""Variants that a camera records, by the workflow: nothing is thermalized for them; a changed camera reruns little."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
import yaml
import zarr

from runs import ROOT, TINY, configured, run, succeed, sums

CAMERAS = {
    "small": {"preset": "lepton_160x120", "native_pixels": [80, 60], "face_pixels": [10, 30]},
    "grey": {"preset": "lepton_160x120", "native_pixels": [64, 48], "face_pixels": None, "values": "agc_plateau"},
}
RECORDED = {
    "warm_small": {"of": "warm", "camera": "small"},
    "cold_grey": {"of": "cold", "camera": "grey", "images": [2, 5]},
}
#: Jobs that recording must never start.
COSTLY = {
    "train_thermalizer",
    "thermalize_faces",
    "create_thermal_store",
    "label_faces",
    "index_archive",
    "render_faces",
}


def config_with(folder, **small):
    """The tiny config with both camera variants, some keys of the first camera changed."""
    config = yaml.safe_load(TINY.read_text())
    config |= {"cameras": {**CAMERAS, "small": {**CAMERAS["small"], **small}}, "variants": RECORDED}
    path = folder / "cameras.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


def planned(folder, *arguments, config):
    """What a dry run would do: rule to number of jobs."""
    output = succeed(folder, "--dry-run", *arguments, config=config)
    return {name: int(count) for name, count in re.findall(r"(?m)^(\w+) +(\d+)$", output) if name != "total"}


@pytest.fixture(scope="module")
def recorded(finished, tmp_path_factory):
    """The finished run with both camera variants added."""
    folder = tmp_path_factory.mktemp("recorded") / "run"
    shutil.copytree(finished, folder)
    config = config_with(folder.parent)
    assert planned(folder, "variants", config=config) == {
        "create_camera_store": 2,
        "record_faces": 5,
        "seal_thermal": 2,
        "verify_thermal": 2,
        "save_config": 1,
        "variants": 1,
    }
    succeed(folder, "variants", config=config)
    return folder


def test_recording_leaves_every_other_store_as_it_was(recorded, finished):
    after = sums(recorded)
    assert {path: after[path] for path in sums(finished)} == sums(finished)
    for name in RECORDED:
        folder = recorded / f"results/variants/{name}"
        subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True)
        assert json.loads((folder / "verified.json").read_text())["faults"] == 0
    assert "Nothing to be done" in succeed(recorded, "variants", config=recorded.parent / "cameras.yaml")


def test_the_stores_hold_images_and_labels_of_the_camera(recorded):
    small, grey = (zarr.open_group(recorded / f"results/variants/{name}/thermal.zarr", mode="r") for name in RECORDED)
    assert (small["thermal"].shape, small["thermal"].dtype) == ((5, 60, 80), np.uint16)
    assert (grey["thermal"].shape, grey["thermal"].dtype) == ((5, 48, 64), np.uint8)
    assert small["segmentation"].shape == (5, 60, 80)
    assert np.isfinite(small["landmarks_478"][:]).all()
    assert np.isfinite(grey["landmarks_70"][2:]).all()
    assert not np.isfinite(grey["landmarks_70"][:2]).any()
    assert grey["thermal"][2:].max() == 255


@pytest.mark.parametrize("change", [{"netd_kelvin": 0.2}, {"face_pixels": [20, 40]}, {"values": "agc_minmax"}])
def test_a_changed_camera_key_reruns_recording_alone(recorded, tmp_path, change):
    jobs = planned(recorded, "variant_warm_small", config=config_with(tmp_path, **change))
    assert not jobs.keys() & COSTLY
    assert jobs == {
        "create_camera_store": 1,
        "record_faces": 3,
        "seal_thermal": 1,
        "verify_thermal": 1,
        "save_config": 1,
        "variant_warm_small": 1,
    }
    others = planned(recorded, "variant_cold_grey", config=config_with(tmp_path, **change))
    assert others == {"save_config": 1, "variant_cold_grey": 1}


def test_a_changed_base_reruns_what_is_recorded_from_it(recorded, tmp_path):
    config = yaml.safe_load((recorded.parent / "cameras.yaml").read_text())
    config["variants"]["warm"] = {"condition": "cold"}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    jobs = planned(recorded, "variants", config=tmp_path / "config.yaml")
    assert (jobs["thermalize_faces"], jobs["record_faces"]) == (3, 3)
    assert "train_thermalizer" not in jobs


def test_two_datasets_are_compared(recorded, finished, tmp_path):
    folders = f"compare=[{finished}, {recorded}]"
    succeed(tmp_path, "compare", "--config", folders)
    text = (tmp_path / "results/comparison.md").read_text()
    assert f"Only in {recorded}: variants/warm_small" in text
    assert text.count("The same: ") == 4
    assert not (tmp_path / "results/variants").exists()


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ({"of": "hot", "camera": "lepton_160x120"}, "variants.seen.of is 'hot'; the variants are warm, cold, heat"),
        ({"of": "warm", "camera": "nikon"}, "variants.seen.camera is 'nikon'"),
        ({"of": "warm"}, "variants.seen has of; expected ambient_celsius; or condition"),
        ({"of": "warm", "camera": "lepton_160x120", "images": [1, 5]}, "it must be whole shards of 2 rows"),
        ({"of": "warm", "camera": "lepton_160x120", "images": [0, 9]}, "within [0, 5]"),
    ],
)
def test_a_variant_that_cannot_be_recorded_stops_before_any_job(tmp_path, variant, message):
    done = run(tmp_path, "--dry-run", config=configured(tmp_path, variants__seen=variant))
    assert done.returncode != 0
    assert message in done.stdout


def test_a_camera_must_be_complete_or_have_a_complete_preset(tmp_path):
    for camera, message in (
        ({"netd_kelvin": 0.1}, "cameras.mine has netd_kelvin; expected preset"),
        ({"preset": "nikon"}, "cameras.mine.preset is 'nikon'"),
    ):
        done = run(tmp_path, "--dry-run", config=configured(tmp_path, cameras__mine=camera))
        assert done.returncode != 0
        assert message in done.stdout


def test_the_preset_makes_five_variants_and_thermalizes_three(tmp_path):
    jobs = planned(tmp_path, "variants", config=ROOT / "config/presets/variants.yaml")
    assert (jobs["train_thermalizer"], jobs["create_thermal_store"], jobs["create_camera_store"]) == (3, 3, 2)
    # Beside them the temperature model's of the default.
    assert (jobs["verify_thermal"], jobs["model_faces"]) == (6, 3)
    assert (jobs["thermalize_faces"], jobs["record_faces"]) == (9, 6)


@pytest.mark.parametrize("variant", ["mild", "cold_handheld", "warm_far", "outdoor_lepton"])
def test_the_readmes_recipes_can_be_planned(tmp_path, variant):
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "config/README.md").read_text(), re.S)
    (recipe,) = (block for block in blocks if f"  {variant}: " in block and "variants:" in block)
    (tmp_path / "config.yaml").write_text(recipe)
    jobs = planned(tmp_path, f"variant_{variant}", config=tmp_path / "config.yaml")
    assert jobs["verify_thermal"] == 1
    assert ("record_faces" in jobs) == (variant != "mild")
