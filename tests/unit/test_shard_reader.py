"""Single rows straight from a shard's file: what Zarr reads, and clear words where the file is damaged."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import zarr

from tfake.store import shard_reader
from tfake.store.arrays import StoreError, create_store, write_shard
from tfake.store.layout import faces_layout, thermal_layout
from tfake.store.shard_reader import ShardReader
from tfake.store.stream import ShardStream

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
    return ShardReader(store / name, zarr.open_group(store, mode="r")[name])


def test_rows_are_what_zarr_reads(store):
    reader, array = open_reader(store), zarr.open_group(store, mode="r")["thermal"]
    for row in np.random.default_rng(1).permutation(ROWS).tolist():
        np.testing.assert_array_equal(reader.row(row), array[row])
    assert not reader.row(7).any()  # of the shard that is not there: the fill value


def test_few_files_are_held_open_and_threads_share_them(store, monkeypatch):
    monkeypatch.setattr(shard_reader, "_SHARDS_OPEN", 1)
    reader = open_reader(store)
    wanted = np.random.default_rng(2).choice([0, 1, 2, 3, 4, 5, 9, 10], 400).tolist()
    with ThreadPoolExecutor(4) as pool:
        for row, found in zip(wanted, pool.map(reader.row, wanted), strict=True):
            np.testing.assert_array_equal(found, COUNTS[row])


@pytest.mark.parametrize(
    ("place", "row", "message"),
    [
        (-10, 1, r"c/0/0/0: the index at its end does not have the checksum"),
        (5, 0, r"c/0/0/0: row 0's chunk cannot be read"),
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


def test_another_layout_is_left_to_zarr(tmp_path):
    create_store(tmp_path / "f.zarr", faces_layout(PIXELS), ROWS, SHARD, {})
    with pytest.raises(StoreError, match="expected one chunk a row in shards"):
        open_reader(tmp_path / "f.zarr", "status")
