"""A camera's variant as a store: the same pixels in any shards, sealed, verified, and plain about its units."""

import json

import numpy as np
import pytest
import zarr

from archives import flip_byte
from cameras import settings
from stores.create_store import create_store
from stores.seal_store import seal_store
from stores.verify_store import verify_store
from tfake.core.radiometry import NO_IMAGE
from tfake.store.shards import StoreError
from tfake.variants.kinds import KINDS
from thermal_faces import AMBIENT, BAD, ROWS, make_stores
from variants.record_faces import record_faces

FAULTY = settings(
    native_pixels=[48, 40],
    face_pixels=[8.0, 20.0],
    face_position="anywhere",
    background="indoor",
    background_kelvin=0.8,
    blur_pixels=0.6,
    netd_kelvin=0.05,
    pixel_pattern_kelvin=0.03,
    gain_drift=0.02,
    offset_drift_kelvin=0.5,
    dead_share=0.01,
)


def make_variant(folder, shard_images=2, rows=(0, ROWS), **changes):
    """Record the base's rows and seal the store; returns the opened group."""
    camera = {**FAULTY, **changes}
    faces, base = folder / "faces.zarr", folder / "base/thermal.zarr"
    if not faces.exists():
        make_stores(folder, shard_images)
    store = folder / "variant/thermal.zarr"
    given = {"variant": "seen", "of": "cold", "base_root": str(base / "zarr.json"), "camera": camera}
    create_store(str(store), KINDS["recorded"], shard_images, given)
    manifests = []
    for shard in range(rows[0] // shard_images, -(-rows[1] // shard_images)):
        manifests.append(str(folder / f"variant/{shard}.json"))
        shard_rows = (shard * shard_images, min((shard + 1) * shard_images, ROWS))
        record_faces(manifests[-1], str(store), str(base), str(faces), shard, shard_rows, "cold", camera)
    sums = str(folder / "variant/SHA256SUMS")
    seal_store(sums, str(folder / "variant/summary.json"), str(store), manifests, rows)
    verify_store(str(folder / "variant/verified.json"), sums, str(store), threads=1)
    return zarr.open_group(store, mode="r")


def test_the_shards_size_changes_no_pixel_and_no_label(tmp_path):
    groups = [make_variant(tmp_path / str(size), size) for size in (1, 2, 5)]
    assert set(groups[0].array_keys()) == {
        "thermal",
        "segmentation",
        "landmarks_70",
        "landmarks_478",
        "source_to_image",
    }
    for name in groups[0].array_keys():
        for other in groups[1:]:
            np.testing.assert_array_equal(groups[0][name][:], other[name][:])
    assert groups[0]["thermal"].shape == (ROWS, 40, 48)


def test_another_seed_is_another_picture_and_the_same_one_the_same_bytes(tmp_path):
    sums = []
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        make_variant(tmp_path / folder, seed=seed)
        sums.append((tmp_path / folder / "variant/SHA256SUMS").read_text())
    assert sums[0] == sums[1]
    assert sums[0] != sums[2]


def test_a_row_without_a_sample_keeps_its_place(tmp_path):
    group = make_variant(tmp_path)
    assert (group["thermal"][BAD] == NO_IMAGE).all()
    assert (group["segmentation"][BAD] == 255).all()
    assert np.isnan(group["landmarks_70"][BAD]).all()
    assert np.isnan(group["source_to_image"][BAD]).all()
    assert (group["thermal"][BAD + 1] != NO_IMAGE).all()
    summary = json.loads((tmp_path / "variant/summary.json").read_text())
    assert summary["counts"] == {"source_ok": 4, "source_undecodable_image": 1}


def test_the_store_says_what_it_was_made_from_and_by_what(tmp_path):
    group = make_variant(tmp_path)
    assert (group.attrs["of"], group.attrs["variant"], group.attrs["ambient_celsius"]) == ("cold", "seen", AMBIENT)
    assert group.attrs["camera"]["netd_kelvin"] == 0.05
    assert group["thermal"].attrs["units"] == "degree_Celsius"
    statistics = json.loads((tmp_path / "variant/summary.json").read_text())["statistics"]
    assert statistics["skin"]["mean"] == pytest.approx(34.0, abs=1.5)
    assert statistics["background"]["mean"] == pytest.approx(AMBIENT, abs=1.5)


def test_grey_values_are_not_called_temperatures(tmp_path):
    group = make_variant(tmp_path, values="agc_percentile")
    thermal = group["thermal"]
    assert thermal.dtype == np.uint8
    assert thermal.attrs["units"] == "1"
    assert "not a temperature" in thermal.attrs["long_name"]
    assert not {"scale_factor", "add_offset"} & thermal.attrs.keys()
    assert thermal[:].max() == 255
    assert (thermal[BAD] == 0).all()
    statistics = json.loads((tmp_path / "variant/summary.json").read_text())["statistics"]
    assert statistics["skin"]["mean"] > 150 > 100 > statistics["background"]["mean"]


def test_grey_shards_are_written_whatever_they_hold(tmp_path):
    """A shard of bad rows alone is 0 throughout, which the array's fill value is not."""
    make_variant(tmp_path, shard_images=1, values="agc_minmax")
    for name in ("thermal", "segmentation", "landmarks_70", "landmarks_478", "source_to_image"):
        assert (tmp_path / f"variant/thermal.zarr/{name}/c/{BAD}/0/0").exists()


def test_a_slice_has_the_sources_rows_and_leaves_no_stale_shard(tmp_path):
    whole = make_variant(tmp_path)["thermal"][:]
    part = make_variant(tmp_path, rows=(2, 4))["thermal"]
    assert part.shape == whole.shape
    np.testing.assert_array_equal(part[2:4], whole[2:4])
    assert (part[:2] == 0).all()
    assert not (tmp_path / "variant/thermal.zarr/thermal/c/0/0/0").exists()
    summary = json.loads((tmp_path / "variant/summary.json").read_text())
    assert (summary["rows"], [shard["rows"] for shard in summary["shards"]]) == (2, [[2, 4]])


def test_a_flipped_byte_of_a_label_is_named(tmp_path):
    make_variant(tmp_path)
    flip_byte(tmp_path / "variant/thermal.zarr/landmarks_70/c/1/0/0", 20)
    with pytest.raises(StoreError, match=r"landmarks_70/c/1/0/0: SHA-256 is"):
        verify_store("v", str(tmp_path / "variant/SHA256SUMS"), str(tmp_path / "variant/thermal.zarr"), threads=1)


def test_stores_of_two_sources_are_refused(tmp_path):
    make_stores(tmp_path, 2, source="c" * 64)
    with pytest.raises(StoreError, match="has the source"):
        make_variant(tmp_path)
