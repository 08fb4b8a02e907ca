"""Stores are opened with the fast pipeline, and Zarr's settings, which are the whole process', stay as they were."""

import copy
import subprocess
import sys

import numpy as np
import pytest
import zarr
from zarr.core.codec_pipeline import BatchedCodecPipeline
from zarr.storage import MemoryStore
from zarrs import ZarrsCodecPipeline

import tfake
from recipes import ROOT
from tfake.store.arrays import create_store, open_store, with_pipeline, write_shard
from tfake.store.layouts import thermal_layout
from tiny_dataset import make_dataset

PIXELS, ROWS, SHARD = 16, 7, 4
COUNTS = np.random.default_rng(0).integers(29000, 31000, (ROWS, PIXELS, PIXELS)).astype(np.uint16)
WATCHED = """
import copy, importlib, pkgutil, zarr
before = copy.deepcopy(zarr.config.config)
import tfake
for module in pkgutil.walk_packages(tfake.__path__, "tfake."):
    if module.name.split(".")[1] in ("store", "dataset", "exports", "publication", "comparison"):
        importlib.import_module(module.name)
assert zarr.config.config == before, zarr.config.config
"""


def make_store(path):
    create_store(path, thermal_layout(PIXELS), ROWS, SHARD, {"title": "test"})
    write_shard(path, {"thermal": COUNTS[:SHARD]}, 0)
    write_shard(path, {"thermal": COUNTS[SHARD:]}, 1)
    return path


def test_importing_changes_no_setting_of_zarr():
    subprocess.run([sys.executable, "-c", WATCHED], check=True)


def test_reading_and_writing_change_no_setting_of_zarr(tmp_path, monkeypatch):
    before = copy.deepcopy(zarr.config.config)
    changes = []
    change = type(zarr.config).set
    monkeypatch.setattr(
        type(zarr.config), "set", lambda *args, **kwargs: changes.append(args) or change(*args, **kwargs)
    )
    make_store(tmp_path / "t.zarr")
    faces = tfake.open_dataset(make_dataset(tmp_path / "results"))
    assert faces[0].thermal["warm"].shape == (48, 48)
    assert len(faces.batch([0, 1, 2, 3])) == 4
    # Not for a moment either: what another thread opens meanwhile would follow it.
    assert (changes, zarr.config.config) == ([], before)


def test_our_arrays_have_the_fast_pipeline_and_others_their_own(tmp_path):
    store = open_store(make_store(tmp_path / "t.zarr"))
    assert isinstance(store["thermal"].async_array.codec_pipeline, ZarrsCodecPipeline)
    np.testing.assert_array_equal(store["thermal"][:], COUNTS)
    other = zarr.open_group(tmp_path / "t.zarr", mode="r")["thermal"]
    assert isinstance(other.async_array.codec_pipeline, BatchedCodecPipeline)
    np.testing.assert_array_equal(other[:], COUNTS)
    assert (list(store), len(store), "thermal" in store, "status" in store) == (["thermal"], 1, True, False)
    with pytest.raises(KeyError):
        store["status"]
    with pytest.raises(FileNotFoundError):
        open_store(tmp_path / "nothing.zarr")


@pytest.mark.parametrize("pipeline", ["zarrs.ZarrsCodecPipeline", "zarr.core.codec_pipeline.BatchedCodecPipeline"])
def test_what_is_written_does_not_depend_on_the_process_settings(tmp_path, pipeline):
    make_store(tmp_path / "a.zarr")
    with zarr.config.set({"codec_pipeline.path": pipeline, "threading.max_workers": 3}):
        make_store(tmp_path / "b.zarr")
    for path in sorted(path for path in (tmp_path / "a.zarr").rglob("*") if path.is_file()):
        assert path.read_bytes() == (tmp_path / "b.zarr" / path.relative_to(tmp_path / "a.zarr")).read_bytes()


def test_arrays_elsewhere_are_read_by_zarr_itself():
    array = zarr.create_array(MemoryStore(), data=COUNTS, chunks=(1, PIXELS, PIXELS))
    with zarr.config.set({"codec_pipeline.path": "zarrs.ZarrsCodecPipeline"}):
        assert isinstance(with_pipeline(array).async_array.codec_pipeline, BatchedCodecPipeline)
    np.testing.assert_array_equal(array[:], COUNTS)


def test_nothing_opens_stores_past_this_module():
    """Else it would be read with whatever pipeline the process has, at a third of the speed."""
    own = {"arrays.py": "open_group", "dataset_store.py": "open_array"}
    for path in sorted((ROOT / "workflow_scripts").rglob("*.py")):
        text = path.read_text()
        found = {name for name in ("open_group", "open_array", "open_consolidated") if f"zarr.{name}(" in text}
        assert found <= {own.get(path.name)}, f"{path}: use tfake.store.arrays.open_store"
        assert "config.set(" not in text, f"{path}: changes settings of the whole process"
