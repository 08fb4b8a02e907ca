"""Shards written as a stream: any reader opens them, and nothing half written is ever a shard."""

import errno
import os
import subprocess

import numpy as np
import pytest
import zarr

from tfake.store.arrays import create_store, write_shard
from tfake.store.layouts import thermal_layout
from tfake.store.manifest import file_sha256
from tfake.store.shards import StoreError
from tfake.store.stream import ShardStream

PIXELS, ROWS, SHARD = 64, 7, 4
COUNTS = np.random.default_rng(0).integers(29000, 31000, (ROWS, PIXELS, PIXELS)).astype(np.uint16)


@pytest.fixture
def store(tmp_path):
    create_store(tmp_path / "t.zarr", thermal_layout(PIXELS), ROWS, SHARD, {})
    return tmp_path / "t.zarr"


def write_rows(store, shard, rows):
    with ShardStream(store, "thermal", shard) as stream:
        for row in rows:
            stream.append(stream.encode(row))
        return stream.close()


def stream_shard(store, shard):
    return write_rows(store, shard, COUNTS[shard * SHARD : (shard + 1) * SHARD])


def files(store):
    return sorted(str(path.relative_to(store)) for path in store.rglob("*") if path.is_file() and "c/" in str(path))


@pytest.mark.parametrize("pipeline", ["zarrs.ZarrsCodecPipeline", "zarr.core.codec_pipeline.BatchedCodecPipeline"])
def test_libraries_read_what_was_streamed(store, pipeline):
    for shard in (0, 1):
        assert stream_shard(store, shard) == file_sha256(store / f"thermal/c/{shard}/0/0")
    with zarr.config.set({"codec_pipeline.path": pipeline}):
        array = zarr.open_group(store, mode="r")["thermal"]
        np.testing.assert_array_equal(array[:], COUNTS)
        np.testing.assert_array_equal(array[5], COUNTS[5])


def test_tensorstore_reads_what_was_streamed(store):
    tensorstore = pytest.importorskip("tensorstore")
    for shard in (0, 1):
        stream_shard(store, shard)
    spec = {"driver": "zarr3", "kvstore": {"driver": "file", "path": f"{store}/thermal"}}
    array = tensorstore.open(spec, read=True).result()
    np.testing.assert_array_equal(array.read().result(), COUNTS)
    np.testing.assert_array_equal(array[6].read().result(), COUNTS[6])


def test_zarr_can_write_over_a_streamed_shard(store):
    stream_shard(store, 0)
    write_shard(store, {"thermal": COUNTS[:SHARD][::-1].copy()}, 0)
    np.testing.assert_array_equal(zarr.open_group(store, mode="r")["thermal"][:SHARD], COUNTS[:SHARD][::-1])


@pytest.mark.parametrize(
    ("rows", "message"), [(2, r"shard 1 has 3 rows; 2 were given"), (4, r"has 3 rows; one more was given")]
)
def test_too_few_and_too_many_rows_are_refused(store, rows, message):
    with pytest.raises(StoreError, match=message):
        write_rows(store, 1, COUNTS[:rows])
    assert files(store) == []


@pytest.mark.parametrize("row", [COUNTS[0].astype(np.int16), COUNTS[0][:5]])
def test_a_row_that_does_not_fit_is_refused(store, row):
    with pytest.raises(StoreError, match="takes rows of"), ShardStream(store, "thermal", 0) as stream:
        stream.encode(row)


def test_an_array_of_another_layout_is_refused(tmp_path):
    group = zarr.open_group(tmp_path, mode="w")
    group.create_array("thermal", shape=(4, 8, 8), chunks=(2, 8, 8), dtype="uint16")
    with pytest.raises(StoreError, match="thermal: expected one Blosc chunk a row"):
        ShardStream(tmp_path, "thermal", 0)


def test_an_error_on_the_way_leaves_the_old_shard(store):
    before = stream_shard(store, 0)
    with pytest.raises(StoreError, match="takes rows of"):
        write_rows(store, 0, [COUNTS[6], COUNTS[6].astype(np.float32)])
    assert files(store) == ["thermal/c/0/0/0"]
    assert file_sha256(store / "thermal/c/0/0/0") == before


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KB, where this user may mount one."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("this user may not mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_and_leaves_no_shard(small_disk):
    store = small_disk / "t.zarr"
    create_store(store, thermal_layout(PIXELS), 64, 64, {})
    counts = np.random.default_rng(0).integers(1, 65535, (64, PIXELS, PIXELS)).astype(np.uint16)
    with pytest.raises(OSError, match=r"No space left on device after .* rows: '.*thermal/c/0/0/0\.part'") as caught:
        write_rows(store, 0, counts)
    assert caught.value.errno == errno.ENOSPC
    assert files(store) == []
    # Room is made: the same call succeeds.
    subprocess.run(["mount", "-o", "remount,size=2m", str(small_disk)], check=True)
    write_rows(store, 0, counts)
    np.testing.assert_array_equal(zarr.open_group(store, mode="r")["thermal"][:], counts)


def test_a_disk_that_fills_up_at_the_end_is_named(store, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device after 4 of 4 rows: '.*\.part'"):
        stream_shard(store, 0)
    assert files(store) == []
