"""The whole workflow, run small: what comes out, and that it comes out the same again."""

import json
import re
import subprocess

import numpy as np
import pytest
import yaml
import zarr
from scipy import ndimage

from runs import TINY, succeed, sums
from tfake.core.classes import FACE_CLASSES
from tfake.core.codes import Attempt, MeshStatus
from tfake.core.radiometry import decode_counts
from tfake.imaging.foreground import fill_glasses

THERMALIZED = ("warm", "cold")
VARIANTS = (*THERMALIZED, "heat")


def thermal(folder, variant):
    return zarr.open_group(folder / f"results/variants/{variant}/thermal.zarr", mode="r")["thermal"]


def faces(folder):
    return zarr.open_group(folder / "results/faces/faces.zarr", mode="r")


def test_sha256sum_agrees_with_every_store(finished):
    assert list(sums(finished)) == [
        "results/faces/SHA256SUMS",
        "results/variants/cold/SHA256SUMS",
        "results/variants/heat/SHA256SUMS",
        "results/variants/warm/SHA256SUMS",
    ]
    for path in sums(finished):
        folder = (finished / path).parent
        subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True)


def test_a_second_run_has_nothing_to_do(finished):
    assert "Nothing to be done" in succeed(finished)


@pytest.mark.parametrize("variant", THERMALIZED)
def test_the_background_is_ambient_within_the_lens_s_noise(finished, variant):
    ambient = {"warm": 26.0, "cold": 20.0}[variant]
    celsius = decode_counts(thermal(finished, variant)[:])
    background = faces(finished)["segmentation"][:] == 0
    assert background.any()
    assert celsius.shape == background.shape == (5, 128, 128)
    # A person's outline is blurred by a quarter of a pixel; five pixels away there is noise alone.
    far = np.array([ndimage.distance_transform_edt(image) > 5 for image in background])
    assert celsius[far].std() == pytest.approx(0.03, rel=0.1)
    np.testing.assert_allclose(celsius[far], ambient, atol=0.03 * 6)
    assert np.isfinite(celsius).all()


@pytest.mark.parametrize("variant", VARIANTS)
def test_plain_zarr_reads_the_same(finished, variant):
    fast = thermal(finished, variant)[:]
    with zarr.config.set({"codec_pipeline.path": "zarr.core.codec_pipeline.BatchedCodecPipeline"}):
        plain = thermal(finished, variant)[:]
    np.testing.assert_array_equal(fast, plain)


def test_every_row_has_its_labels(finished):
    store = faces(finished)
    assert set(store.array_keys()) == {
        "image_id",
        "status",
        "segmentation",
        "landmarks_70",
        "landmarks_478",
        "landmarks_478_raw",
        "landmarks_478_status",
        "landmarks_478_attempt",
        "landmarks_478_error",
        "landmarks_478_left_out_error",
        "landmarks_478_visibility",
        "head_pose",
        "openings",
        "blendshapes",
        "face_transform",
    }
    assert (store["status"][:] == 0).all()
    assert np.isfinite(store["landmarks_70"][:]).all()
    assert np.isfinite(store["landmarks_478"][:]).all()
    assert (store["landmarks_478_status"][:] <= MeshStatus.FITTED).all()
    found = store["landmarks_478_attempt"][:] != Attempt.NONE
    np.testing.assert_array_equal(np.isfinite(store["landmarks_478_raw"][:]).all(axis=(1, 2)), found)
    np.testing.assert_array_equal(np.isfinite(store["landmarks_478_error"][:]), found)


def test_the_products_say_where_they_come_from(finished):
    for variant in THERMALIZED:
        group = zarr.open_group(finished / f"results/variants/{variant}/thermal.zarr", mode="r")
        source = faces(finished).attrs["source_sha256"]
        assert group.attrs["source_sha256"] == source
        assert group.attrs["thermalizer"]
        assert group.attrs["license"]
        summary = json.loads((finished / f"results/variants/{variant}/summary.json").read_text())
        assert summary["made_from"]["thermalizer_sha256"] == group.attrs["thermalizer_sha256"]
    config = yaml.safe_load((finished / "results/config.yaml").read_text())
    assert config["source"]["images"] == 5
    assert config["device"] == "auto"


def test_the_page_is_there(finished):
    assert (finished / "results/report/index.html").stat().st_size > 10_000


def test_the_page_gives_each_variant_its_own_pictures(finished):
    page = (finished / "results/report/index.html").read_text()
    face = np.isin(fill_glasses(faces(finished)["segmentation"][0]), FACE_CLASSES)
    for variant in VARIANTS:
        shown = re.search(rf"<figcaption><b>{variant}</b> face ([\d.]+)", page)[1]
        celsius = decode_counts(thermal(finished, variant)[0])
        assert float(shown) == pytest.approx(celsius[face].mean(), abs=0.051)
        assert f"{celsius.min():.1f} to {celsius.max():.1f}" in page


def test_the_same_seed_gives_the_same_bytes(finished, tmp_path):
    succeed(tmp_path, "variants", "faces")
    assert sums(tmp_path) == sums(finished)


@pytest.mark.slow
def test_another_shard_size_gives_the_same_pixels(finished, tmp_path):
    config = yaml.safe_load(TINY.read_text())
    config["store"]["shard_images"] = 5
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    succeed(tmp_path, "variants", "faces", config=tmp_path / "config.yaml")
    for variant in VARIANTS:
        np.testing.assert_array_equal(thermal(tmp_path, variant)[:], thermal(finished, variant)[:])
    for name in faces(finished).array_keys():
        np.testing.assert_array_equal(faces(tmp_path)[name][:], faces(finished)[name][:])


def plan(folder, **changes):
    """What a dry run with some config keys changed would do: rule to number of jobs."""
    config = yaml.safe_load(TINY.read_text()) | changes
    changed = folder.parent / "changed.yaml"
    changed.write_text(yaml.safe_dump(config))
    output = succeed(folder, "--dry-run", config=changed)
    return {name: int(count) for name, count in re.findall(r"(?m)^(\w+) +(\d+)$", output)}


def test_a_changed_variant_reruns_itself_alone(finished):
    jobs = plan(finished, variants={"warm": {"condition": "cold"}})
    assert jobs.keys() & {"train_thermalizer", "label_faces", "index_archive", "render_faces"} == set()
    assert (jobs["create_thermal_store"], jobs["thermalize_faces"], jobs["seal_thermal"]) == (1, 3, 1)
    assert "model_faces" not in jobs


def test_a_changed_label_setting_makes_heat_and_what_learns_from_it_anew(finished):
    jobs = plan(finished, labels={"min_detection_confidence": 0.4})
    assert jobs.keys() & {"train_thermalizer", "thermalize_faces", "model_faces"}
    assert jobs.keys() & {"render_faces", "index_archive", "create_faces_store"} == set()
    assert jobs["label_faces"] == 3


def test_another_shard_size_rewrites_every_shard(finished):
    jobs = plan(finished, store={"shard_images": 3})
    assert (jobs["label_faces"], jobs["thermalize_faces"], jobs["model_faces"]) == (2, 4, 2)
    assert jobs.keys() & {"render_faces", "index_archive"} == set()
