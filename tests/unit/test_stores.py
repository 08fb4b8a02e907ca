"""Creating, writing, sealing and verifying stores, with the faults that may befall them."""

import json
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
import zarr

from archives import flip_byte
from tfake.core.codes import MeshStatus, decode_ids, encode_ids
from tfake.core.radiometry import NO_IMAGE, decode_counts
from tfake.store.arrays import create_store, write_shard
from tfake.store.layouts import faces_layout, thermal_layout
from tfake.store.manifest import (
    COMPUTED_ON,
    Manifest,
    describe_files,
    file_sha256,
    read_manifest,
    read_sums,
    write_manifest,
    write_sums,
)
from tfake.store.sealing import seal_store
from tfake.store.shards import StoreError
from tfake.store.stream import empty_face_rows
from tfake.store.verification import check_rows, verify_store

PIXELS, ROWS, SHARD = 64, 5, 2
SHARDS = 3


def counts(shard):
    rng = np.random.default_rng(shard)
    return rng.integers(29000, 31000, (min(SHARD, ROWS - shard * SHARD), PIXELS, PIXELS)).astype(np.uint16)


@pytest.fixture
def thermal(tmp_path):
    """A sealed thermal store: 5 rows, the last shard half full."""
    store = tmp_path / "thermal.zarr"
    create_store(store, thermal_layout(PIXELS), ROWS, SHARD, {"title": "test"})
    for shard in range(SHARDS):
        write_shard(store, {"thermal": counts(shard)}, shard)
        write_manifest(tmp_path / f"{shard}.json", manifest(tmp_path, shard))
    seal(tmp_path)
    return tmp_path


def manifest(folder, shard, **made_from):
    start = shard * SHARD
    files = describe_files(folder, [f"thermal.zarr/thermal/c/{shard}/0/0"])
    statistics = {"skin": {"pixels": 4, "mean": 34.0 + shard, "sd": 1.0}}
    rows = min(SHARD, ROWS - start)
    return Manifest(shard, start, start + rows, made_from, files, {"source_ok": rows}, statistics)


def seal(folder, shards=range(SHARDS)):
    manifests = [folder / f"{shard}.json" for shard in reversed(shards)]
    seal_store(folder / "SHA256SUMS", folder / "summary.json", folder / "thermal.zarr", manifests, ROWS)


def test_plain_zarr_reads_what_was_written(thermal):
    expected = np.concatenate([counts(shard) for shard in range(SHARDS)])
    with zarr.config.set({"codec_pipeline.path": "zarr.core.codec_pipeline.BatchedCodecPipeline"}):
        array = zarr.open_group(thermal / "thermal.zarr", mode="r")["thermal"]
        np.testing.assert_array_equal(array[:], expected)
    assert (array.chunks, array.shards) == ((1, PIXELS, PIXELS), (SHARD, PIXELS, PIXELS))
    assert array.metadata.dimension_names == ("image", "y", "x")


def test_attributes_decode_to_celsius(thermal):
    array = zarr.open_group(thermal / "thermal.zarr", mode="r")["thermal"]
    scaled = array[0] * array.attrs["scale_factor"] + array.attrs["add_offset"]
    np.testing.assert_allclose(scaled, decode_counts(array[0]), atol=1e-4)
    assert array.attrs["units"] == "degree_Celsius"
    assert array.attrs["missing_value"] == NO_IMAGE


def test_sha256sum_accepts_the_list(thermal):
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=thermal, check=True)
    assert len(read_sums(thermal / "SHA256SUMS")) == SHARDS + 2


def test_the_summary_pools_the_shards(thermal):
    summary = json.loads((thermal / "summary.json").read_text())
    assert (summary["rows"], summary["counts"]) == (ROWS, {"source_ok": ROWS})
    assert summary["statistics"]["skin"]["mean"] == pytest.approx(35.0)
    assert summary["statistics"]["skin"]["pixels"] == 12


def test_verify_counts_what_it_read(thermal):
    checked = verify_store(thermal / "SHA256SUMS", thermal / "thermal.zarr", threads=2)
    assert checked["files"] == SHARDS + 2
    size = sum(path.stat().st_size for path in (thermal / "thermal.zarr").rglob("*") if path.is_file())
    assert checked["bytes"] == size


def test_verify_names_each_flipped_byte(thermal):
    for name in read_sums(thermal / "SHA256SUMS"):
        path = thermal / name
        flip_byte(path, path.stat().st_size // 2)
        with pytest.raises(StoreError, match=f"1 faults; `snakemake repair`.*:\n  {name}: SHA-256 is"):
            verify_store(thermal / "SHA256SUMS", thermal / "thermal.zarr")
        flip_byte(path, path.stat().st_size // 2)
    verify_store(thermal / "SHA256SUMS", thermal / "thermal.zarr")


def test_verify_names_missing_and_unlisted_files(thermal):
    (thermal / "thermal.zarr/thermal/c/1/0/0").unlink()
    (thermal / "thermal.zarr/stray").write_text("x")
    with pytest.raises(
        StoreError, match=r"(?s)2 faults; `snakemake repair`.*stray: is not listed.*c/1/0/0: is missing"
    ):
        verify_store(thermal / "SHA256SUMS", thermal / "thermal.zarr")


def test_shards_that_do_not_cover_the_rows(thermal):
    with pytest.raises(StoreError, match="row 2 follows, but shard 2 begins at row 4"):
        seal(thermal, [0, 2])
    with pytest.raises(StoreError, match="end at row 4, the store has 5"):
        seal(thermal, [0, 1])


def test_shards_of_different_origin_are_not_mixed(thermal):
    write_manifest(thermal / "1.json", manifest(thermal, 1, thermalizer_sha256="other"))
    with pytest.raises(StoreError, match="shards 0 and 1 were made from different inputs"):
        seal(thermal)


def test_shards_of_another_origin_than_the_store_says_are_refused(thermal):
    create_store(thermal / "thermal.zarr", thermal_layout(PIXELS), ROWS, SHARD, {"ambient_celsius": 20.0})
    for shard in range(SHARDS):
        write_manifest(thermal / f"{shard}.json", manifest(thermal, shard, ambient_celsius=26.0))
    with pytest.raises(StoreError, match=r"say ambient_celsius 20\.0, its shards were made from 26\.0"):
        seal(thermal)


def test_writing_again_gives_the_same_bytes(tmp_path):
    """Several threads would order the chunks of a shard by chance: many chunks, several times."""
    rows = np.random.default_rng(0).integers(29000, 31000, (64, PIXELS, PIXELS)).astype(np.uint16)
    rows[::2] = 30000  # chunks that compress at different speeds
    seen = set()
    for number in range(5):
        store = tmp_path / str(number)
        create_store(store, thermal_layout(PIXELS), 64, 64, {"title": "test"})
        write_shard(store, {"thermal": rows}, 0)
        files = sorted(path for path in store.rglob("*") if path.is_file())
        assert len(files) == 3
        seen.add(tuple(file_sha256(path) for path in files))
    assert len(seen) == 1


def test_a_shard_without_a_single_good_row_is_written(tmp_path):
    create_store(tmp_path / "t", thermal_layout(PIXELS), ROWS, SHARD, {})
    write_shard(tmp_path / "t", {"thermal": np.full((SHARD, PIXELS, PIXELS), NO_IMAGE, np.uint16)}, 1)
    assert (tmp_path / "t/thermal/c/1/0/0").exists()
    create_store(tmp_path / "f", faces_layout(PIXELS), ROWS, SHARD, {})
    write_shard(tmp_path / "f", empty_face_rows(SHARD, PIXELS), 0)
    for array in faces_layout(PIXELS):
        assert (tmp_path / "f" / array.shard_file(0)).exists(), array.name


def test_a_shard_of_zeros_is_written(tmp_path):
    """Zero is a common value of labels: it must never be an array's fill value."""
    create_store(tmp_path / "f", faces_layout(PIXELS), ROWS, SHARD, {})
    zeros = {name: np.zeros_like(rows) for name, rows in empty_face_rows(SHARD, PIXELS).items()}
    write_shard(tmp_path / "f", zeros, 0)
    for array in faces_layout(PIXELS):
        assert (tmp_path / "f" / array.shard_file(0)).exists(), array.name


def test_rows_that_do_not_fit_are_refused(tmp_path):
    create_store(tmp_path / "t", thermal_layout(PIXELS), ROWS, SHARD, {})
    with pytest.raises(StoreError, match=r"shard 2 takes uint16 of shape \(1, 64, 64\); found uint16 of \(2, 64, 64\)"):
        write_shard(tmp_path / "t", {"thermal": counts(0)}, 2)
    with pytest.raises(StoreError, match="found float32"):
        write_shard(tmp_path / "t", {"thermal": counts(0).astype(np.float32)}, 0)


def test_fewer_rows_leave_no_stale_shard(thermal):
    create_store(thermal / "thermal.zarr", thermal_layout(PIXELS), SHARD, SHARD, {})
    left = [path.name for path in (thermal / "thermal.zarr/thermal/c").iterdir() if (path / "0/0").exists()]
    assert left == ["0"]


def test_no_manifest(tmp_path):
    (tmp_path / "0.json").write_text('{"shard": 0}')
    with pytest.raises(StoreError, match=r"0\.json is not a shard manifest"):
        read_manifest(tmp_path / "0.json")


def test_sums_survive_the_round_trip_and_bad_lists_are_refused(tmp_path):
    sums = {"b/c": "0" * 64, "a": "f" * 64}
    write_sums(tmp_path / "SHA256SUMS", sums)
    assert read_sums(tmp_path / "SHA256SUMS") == sums
    assert (tmp_path / "SHA256SUMS").read_text().startswith("f" * 64 + "  a\n")
    (tmp_path / "SHA256SUMS").write_text("abc a\n")
    with pytest.raises(StoreError, match="line 1: expected"):
        read_sums(tmp_path / "SHA256SUMS")
    (tmp_path / "SHA256SUMS").write_text("")
    with pytest.raises(StoreError, match="is empty"):
        read_sums(tmp_path / "SHA256SUMS")


def test_ids_survive_the_round_trip():
    ids = ["000000", "x" * 32, "a"]
    assert list(decode_ids(encode_ids(ids))) == ids


def test_rows_are_checked_against_the_index(tmp_path):
    create_store(tmp_path, faces_layout(PIXELS), 2, 2, {})
    rows = empty_face_rows(2, PIXELS)
    rows["image_id"] = encode_ids(["000000", "000001"])
    write_shard(tmp_path, rows, 0)
    index = pd.DataFrame({"image_id": ["000000", "000001"], "status": [0, 0]})
    check_rows(tmp_path, index)
    with pytest.raises(StoreError, match="has 2 rows, the source's index 1"):
        check_rows(tmp_path, index.iloc[:1])
    index.loc[1, "image_id"] = "000002"
    with pytest.raises(StoreError, match="row 1: id '000001' with status 0; the source's index has '000002'"):
        check_rows(tmp_path, index)


def test_missing_rows_say_so():
    rows = empty_face_rows(1, PIXELS)
    assert rows["landmarks_478_status"].tolist() == [MeshStatus.NO_IMAGE]
    assert np.isnan(rows["landmarks_478"]).all()
    assert (rows["segmentation"] == 255).all()


def test_a_lost_store_is_a_clear_error(thermal):
    shutil.rmtree(thermal / "thermal.zarr")
    with pytest.raises(StoreError, match="5 faults"):
        verify_store(thermal / "SHA256SUMS", thermal / "thermal.zarr")


def computed(precision, device="cpu"):
    return {COMPUTED_ON: {"device": device, "precision": precision, "torch": "2"}}


def test_shards_of_another_number_format_are_told_and_change_no_checksum(thermal, caplog):
    before = (thermal / "SHA256SUMS").read_bytes()
    for shard in range(SHARDS):
        made_from = computed("float32") if shard else computed("bfloat16", "NVIDIA H100 80GB HBM3")
        write_manifest(thermal / f"{shard}.json", manifest(thermal, shard, index="a", **made_from))
    seal(thermal)
    assert (thermal / "SHA256SUMS").read_bytes() == before
    summary = json.loads((thermal / "summary.json").read_text())
    assert summary["made_from"] == {"index": "a"}
    assert summary[COMPUTED_ON] == [
        {"device": "NVIDIA H100 80GB HBM3", "precision": "bfloat16", "torch": "2", "shards": [0]},
        {"device": "cpu", "precision": "float32", "torch": "2", "shards": list(range(1, SHARDS))},
    ]
    assert "computed in bfloat16 and float32, on different machines" in caplog.text


def test_shards_of_two_devices_in_one_number_format_are_told_without_a_warning(thermal, caplog):
    for shard in range(SHARDS):
        write_manifest(thermal / f"{shard}.json", manifest(thermal, shard, **computed("bfloat16", f"card {shard % 2}")))
    seal(thermal)
    assert len(json.loads((thermal / "summary.json").read_text())[COMPUTED_ON]) == 2
    assert not caplog.records
