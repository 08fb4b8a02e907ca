"""Single rows straight from a shard's file: what Zarr reads, and clear words where the file is damaged."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, GzipCodec

from tfake.store import shards
from tfake.store.arrays import create_store, write_shard
from tfake.store.layouts import faces_layout, thermal_layout
from tfake.store.shards import ShardReader, StoreError
from tfake.store.stream import ShardStream
from tiny_dataset import face_values

PIXELS, ROWS, SHARD = 32, 11, 3
COUNTS = np.random.default_rng(0).integers(29000, 31000, (ROWS, PIXELS, PIXELS)).astype(np.uint16)


@pytest.fixture
def store(tmp_path):
    """Shards 0 and 3 (its last row behind the array's end) as streams, 1 by Zarr, 2 not written."""
    path = tmp_path / "t.zarr"
    create_store(path, thermal_layout(PIXELS), ROWS, SHARD, {})
    for shard in (0, 3):
        with ShardStream(path, "thermal", shard) as stream:
            for row in COUNTS[shard * SHARD : (shard + 1) * SHARD]:
                stream.append(stream.encode(row))
            stream.close()
    write_shard(path, {"thermal": COUNTS[SHARD : 2 * SHARD]}, 1)
    return path


def open_reader(store, name="thermal"):
    return ShardReader(store / name)


def test_rows_are_what_zarr_reads(store):
    reader, array = open_reader(store), zarr.open_group(store, mode="r")["thermal"]
    for row in np.random.default_rng(1).permutation(ROWS).tolist():
        np.testing.assert_array_equal(reader.row(row), array[row])
    wanted = np.array([10, 0, 7, 5, 0, 9, 4, 3])
    np.testing.assert_array_equal(reader.rows(wanted), array[:][wanted])
    assert not reader.row(7).any()  # of the shard that is not there: the fill value
    assert reader.rows(wanted[:0]).shape == (0, PIXELS, PIXELS)
    for outside in (-1, ROWS):
        with pytest.raises(IndexError, match=f"has {ROWS} rows"):
            reader.row(outside)


def test_files_of_one_chunk_are_what_zarr_reads(tmp_path):
    path = tmp_path / "f.zarr"
    create_store(path, faces_layout(PIXELS), ROWS, SHARD, {})
    values = face_values(rows=ROWS, pixels=PIXELS)
    for shard, start in enumerate(range(0, ROWS - SHARD, SHARD)):  # but for the last shard
        write_shard(path, {name: rows[start : start + SHARD] for name, rows in values.items()}, shard)
    for name, array in zarr.open_group(path, mode="r").arrays():
        np.testing.assert_array_equal(open_reader(path, name).rows(np.arange(ROWS)), array[:])
        assert (shards.read_metadata(path / name).attributes, array.dtype) == (array.attrs.asdict(), values[name].dtype)


def test_threads_share_a_reader_and_no_file_stays_open(store, monkeypatch):
    monkeypatch.setattr(shards, "_INDICES_KEPT", 1)
    before = len(os.listdir("/proc/self/fd"))
    reader = open_reader(store)
    wanted = np.random.default_rng(2).choice([0, 1, 2, 3, 4, 5, 9, 10], 400).tolist()
    with ThreadPoolExecutor(4) as pool:
        for row, found in zip(wanted, pool.map(reader.row, wanted), strict=True):
            np.testing.assert_array_equal(found, COUNTS[row])
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_shard_that_was_repaired_meanwhile_is_read_anew(store):
    reader = open_reader(store)
    np.testing.assert_array_equal(reader.row(1), COUNTS[1])
    with ShardStream(store, "thermal", 0) as stream:
        for row in COUNTS[5:8]:
            stream.append(stream.encode(row))
        stream.close()
    np.testing.assert_array_equal(reader.row(1), COUNTS[6])


@pytest.mark.parametrize(
    ("place", "row", "message"),
    [
        (-10, 1, r"c/0/0/0: the index at its end does not have the checksum"),
        *((place, 0, r"c/0/0/0: row 0's chunk does not have its \d+ bytes") for place in (4, 7, 12, 15)),
        *((place, 0, r"c/0/0/0: row 0's chunk cannot be decompressed") for place in (0, 10)),
    ],
)
def test_damage_is_named(store, place, row, message):
    path = store / "thermal/c/0/0/0"
    data = bytearray(path.read_bytes())
    data[place] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(StoreError, match=message):
        open_reader(store).row(row)


def test_a_file_cut_short_is_named(store):
    path = store / "thermal/c/0/0/0"
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(StoreError, match="c/0/0/0: is too short to hold the index of 3 rows"):
        open_reader(store).row(0)


def rewrite(store, name, change):
    path = store / name / "zarr.json"
    metadata = json.loads(path.read_text())
    change(metadata)
    path.write_text(json.dumps(metadata))


def test_another_layout_is_left_to_zarr(tmp_path, store):
    group = zarr.create_group(tmp_path / "other.zarr")
    group.create_array("gzip", shape=(4, 2), chunks=(2, 2), dtype="uint16", compressors=GzipCodec())
    group.create_array("tiles", shape=(4, 4, 4), chunks=(1, 2, 2), dtype="uint16", compressors=BloscCodec())
    group.create_array("number", shape=(), dtype="float32")
    for name in group.array_keys():
        with pytest.raises(StoreError, match=f"{name}: expected one Blosc chunk a row in shards"):
            open_reader(tmp_path / "other.zarr", name)
    for text in ("", "{}", "[]", '{"shape": [1], "data_type": "r16"}'):
        with pytest.raises(StoreError, match="no metadata of a Zarr v3 array"):
            shards.parse_metadata(text)
    create_store(tmp_path / "f.zarr", faces_layout(PIXELS), ROWS, SHARD, {})
    with pytest.raises(StoreError, match="status: expected one chunk a row in shards"):
        ShardStream(tmp_path / "f.zarr", "status", 0)
    inner = ["codecs", 0, "configuration", "codecs", 0, "configuration", "endian"]

    def turn(metadata):
        for key in inner[:-1]:
            metadata = metadata[key]
        metadata["endian"] = "big"

    rewrite(store, "thermal", turn)
    with pytest.raises(StoreError, match="expected one Blosc chunk a row in shards"):
        open_reader(store)


def test_files_are_found_under_the_names_that_the_metadata_give(store):
    rewrite(store, "thermal", lambda metadata: metadata["chunk_key_encoding"]["configuration"].update(separator="."))
    (store / "thermal/c/0/0/0").rename(store / "thermal/c.0.0.0")
    np.testing.assert_array_equal(open_reader(store).row(2), COUNTS[2])
