"""The reader: rows, filters, splits, crops, places and workers."""

import functools
import http.server
import json
import os
import pickle
import re
import shutil
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import zarr

import tfake
from products.export_variant import export_variant
from recipes import ROOT
from tfake.core.codes import MeshStatus, SampleStatus
from tfake.core.radiometry import decode_counts
from tfake.products.exports.export_formats import FORMATS
from tfake.reader.dataset_store import DatasetError, DatasetStore, read_rows, runs
from tiny_dataset import BAD, MOVED, PIXELS, ROWS, face_values, make_dataset


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("dataset") / "results")


@pytest.fixture(scope="module")
def faces(results):
    return tfake.open_dataset(results)


def zip_folder(folder, path, inside=""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, inside + str(file.relative_to(folder)))
    return path


def test_a_row_is_what_the_stores_hold(results, faces):
    expected = face_values()
    thermal = zarr.open_array(results / "variants/warm/thermal.zarr/thermal", mode="r")[:]
    assert len(faces) == ROWS - 1
    assert faces.variants == ("cold", "warm")
    face = faces[3]
    assert (face.image_id, face.row, face.status, face.landmarks_478_status) == ("000003", 3, 0, MeshStatus.OK)
    np.testing.assert_array_equal(face.thermal["warm"], decode_counts(thermal[3]))
    assert face.thermal["cold"].dtype == np.float32
    np.testing.assert_array_equal(face.segmentation, expected["segmentation"][3])
    np.testing.assert_array_equal(face.landmarks_70, expected["landmarks_70"][3])
    np.testing.assert_array_equal(face.landmarks_478, expected["landmarks_478"][3, :, :2])
    np.testing.assert_array_equal(face.landmarks_478_depth, expected["landmarks_478"][3, :, 2])
    np.testing.assert_array_equal(face.landmarks_478_visibility, expected["landmarks_478_visibility"][3])
    assert face.landmarks_478_error == expected["landmarks_478_error"][3]


def test_rows_that_cannot_be_used_are_there_when_asked_for(results):
    everything = tfake.open_dataset(results, variants="warm", statuses=None)
    assert len(everything) == ROWS
    assert everything[BAD].status is SampleStatus.UNDECODABLE_IMAGE
    assert np.isnan(everything[BAD].thermal["warm"]).all()
    assert np.isnan(everything[2].landmarks_478).all()


def test_slices_and_places_behave_as_a_list(faces):
    rows = [face.row for face in faces]
    assert [face.row for face in faces[2:8:2]] == rows[2:8:2]
    assert faces[-1].row == rows[-1]
    assert [face.row for face in faces.batch([5, 0, 5, -1])] == [rows[5], rows[0], rows[5], rows[-1]]
    assert faces.batch([]) == []
    with pytest.raises(IndexError):
        faces[len(rows)]


def test_filters_by_status_quality_and_pose(faces):
    assert 2 not in faces.where(label_statuses=("ok", "retried", "fitted")).rows
    assert faces.where(largest_error=0.02).rows.tolist() == [0, 1, 2]
    assert faces.where(yaw=(-16, 16)).rows.tolist() == [3, 4, 5]
    assert faces.where(statuses="undecodable_image").rows.tolist() == []
    with pytest.raises(DatasetError, match="'fine' is no status; they are ok, retried"):
        faces.where(label_statuses=["fine"])


def test_a_moved_mirrored_copy_is_in_its_originals_part(results, faces):
    groups = faces.columns.groups
    assert groups[MOVED] == groups[1]
    assert len(set(groups.tolist())) == ROWS - 1
    for seed in range(20):
        shares = {"left": 0.5, "right": 0.5}
        parts = [set(faces.split(name, shares, seed).rows.tolist()) for name in shares]
        assert parts[0] | parts[1] == set(faces.rows.tolist())
        assert not parts[0] & parts[1]
        assert any({1, MOVED} <= part for part in parts)
    # Filters do not move a face from part to part.
    filtered = faces.where(yaw=(0, 45)).split("train").rows
    assert set(filtered) == set(faces.split("train").rows) & set(faces.where(yaw=(0, 45)).rows)
    assert tfake.open_dataset(results, split="test").rows.tolist() == faces.split("test").rows.tolist()


def test_a_split_that_cannot_be_is_refused(faces):
    with pytest.raises(DatasetError, match="'dev' is no part of the split; they are train, validation, test"):
        faces.split("dev")
    with pytest.raises(DatasetError, match="add up to 1"):
        faces.split("a", {"a": 0.5, "b": 0.6})


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_read_what_the_parent_reads(faces, method):
    faces.batch([0, 5])  # the codecs' thread pool is running before workers are forked
    loader = torch.utils.data.DataLoader(
        faces.torch(), batch_size=4, num_workers=2, multiprocessing_context=method, timeout=60
    )
    batches = list(loader)
    assert torch.cat([batch["row"] for batch in batches]).tolist() == faces.rows.tolist()
    thermal = torch.cat([batch["thermal"]["warm"] for batch in batches])
    assert thermal.shape == (len(faces), 1, PIXELS, PIXELS)
    np.testing.assert_array_equal(thermal[4, 0], faces[4].thermal["warm"])
    assert batches[0]["image_id"][1] == "000001"


def test_a_batch_visits_each_shard_once(results, monkeypatch):
    array = zarr.open_array(results / "faces/faces.zarr/segmentation", mode="r")
    asked = []
    read = type(array).__getitem__
    monkeypatch.setattr(type(array), "__getitem__", lambda self, key: asked.append(key) or read(self, key))
    rows = np.array([9, 0, 5, 1, 2, 9, 4, 3])
    found = read_rows(array, rows)
    assert found[:, 0, 0].tolist() == rows.tolist()
    assert asked == [slice(0, 4), slice(4, 6), slice(9, 10)]
    assert list(runs(np.array([0, 2, 3, 4, 7]), 4)) == [(0, 0), (1, 2), (3, 3), (4, 4)]


def test_zips_and_urls_are_datasets_too(results, faces, tmp_path):
    import fsspec

    plain = zip_folder(results, tmp_path / "plain.zip")
    nested = zip_folder(results, tmp_path / "nested.zip", inside="warm-1.0/")
    memory = fsspec.filesystem("memory")
    memory.put(str(results), "/reader/results", recursive=True)
    memory.pipe("/reader/nested.zip", nested.read_bytes())
    for address in (plain, nested, "memory://reader/results", "memory://reader/nested.zip"):
        opened = tfake.open_dataset(address)
        assert opened.variants == faces.variants
        for face, expected in zip(opened.batch([1, 7]), faces.batch([1, 7]), strict=True):
            np.testing.assert_array_equal(face.thermal["cold"], expected.thermal["cold"])
            np.testing.assert_array_equal(face.landmarks_478, expected.landmarks_478)


class _Ranges(http.server.SimpleHTTPRequestHandler):
    """A folder over HTTP, with byte ranges."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = self.translate_path(self.path)
        asked = self.headers.get("Range")
        if not asked or not os.path.isfile(path):
            super().do_GET()
            return
        data = Path(path).read_bytes()
        first, last = asked.removeprefix("bytes=").split("-")
        start = int(first) if first else len(data) - int(last)
        part = data[start : int(last) + 1] if first and last else data[start:]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{start + len(part) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        self.wfile.write(part)


def test_a_dataset_is_read_over_http(results, faces, tmp_path):
    pytest.importorskip("aiohttp")
    zip_folder(results, tmp_path / "results.zip")
    (tmp_path / "results").symlink_to(results)
    handler = functools.partial(_Ranges, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in ("results", "results.zip"):
            opened = tfake.open_dataset(f"http://127.0.0.1:{server.server_port}/{name}")
            assert opened.variants == faces.variants
            np.testing.assert_array_equal(opened[4].thermal["warm"], faces[4].thermal["warm"])
        server.shutdown()


def test_the_readme_reads(results, monkeypatch):
    (block,) = re.findall(r"```python\n([^`]*?open_dataset\(\"results.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert len([line for line in block.splitlines() if line]) <= 6
    monkeypatch.chdir(results.parent)
    names: dict = {}
    exec(block, names)
    assert names["face"].row in names["faces"].rows
    assert names["celsius"].dtype == np.float32
    assert names["points"].shape == (478, 2)
    batches = list(torch.utils.data.DataLoader(names["batches"], batch_size=4))
    assert sum(len(batch["row"]) for batch in batches) == len(names["faces"]) > 0


def test_variants_of_a_slice_have_its_rows(results, tmp_path):
    sliced = tmp_path / "results"
    shutil.copytree(results, sliced)
    summary = json.loads((sliced / "variants/warm/summary.json").read_text())
    summary["shards"] = summary["shards"][1:2]
    (sliced / "variants/warm/summary.json").write_text(json.dumps(summary))
    assert tfake.open_dataset(sliced, ["warm"], statuses=None).rows.tolist() == [4, 5, 6, 7]
    assert len(tfake.open_dataset(sliced, ["cold"], statuses=None)) == ROWS


def test_a_variant_of_another_geometry_brings_its_labels(results, tmp_path):
    moved = tmp_path / "results"
    shutil.copytree(results, moved)
    group = zarr.open_group(moved / "variants/warm/thermal.zarr")
    group.create_array("segmentation", data=np.full((ROWS, 5, 7), 2, np.uint8), chunks=(1, 5, 7))
    face = tfake.open_dataset(moved, ["warm"])[0]
    assert face.segmentation.shape == (5, 7)
    np.testing.assert_array_equal(face.landmarks_70, face_values()["landmarks_70"][0])
    with pytest.raises(DatasetError, match="variant 'warm' has a geometry and labels of its own"):
        tfake.open_dataset(moved, ["cold", "warm"])
    # Unless they are named, those that go together are opened.
    assert tfake.open_dataset(moved).variants == ("cold",)
    shutil.rmtree(moved / "variants/cold")
    assert tfake.open_dataset(moved).variants == ("warm",)
    shutil.copytree(moved / "variants/warm", moved / "variants/warmer")
    with pytest.raises(DatasetError, match="warm, warmer each have a geometry and labels of their own; name one of"):
        tfake.open_dataset(moved)


def test_a_dataset_travels_without_its_files(faces):
    faces[0]
    copy = pickle.loads(pickle.dumps(faces))
    assert copy._store._opened is None
    np.testing.assert_array_equal(copy[4].segmentation, faces[4].segmentation)


def test_what_is_no_dataset_is_refused(results, tmp_path):
    with pytest.raises(DatasetError, match="does not exist"):
        tfake.open_dataset(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match=r"holds no faces/faces.zarr .* found SHA256SUMS, faces.zarr, manifests"):
        DatasetStore(results / "faces").names("")
    for inside in ("variants", "variants/warm", "variants/warm/thermal.zarr", "variants/warm/thermal.zarr/thermal"):
        with pytest.raises(DatasetError, match=rf"it lies in the dataset {results}: open that, and name a variant"):
            tfake.open_dataset(results / inside)
    with pytest.raises(DatasetError, match=rf"open {results}$"):
        tfake.open_dataset(results.parent)
    with pytest.raises(DatasetError, match="no variant 'hot'; it has cold, warm"):
        tfake.open_dataset(results, variants=["hot"])
    with pytest.raises(DatasetError, match="'depth' is no field"):
        tfake.open_dataset(results, fields=["depth"])
    (tmp_path / "broken.zip").write_bytes(b"PK")
    with pytest.raises(DatasetError, match="is no zip"):
        tfake.open_dataset(tmp_path / "broken.zip")


def test_what_a_target_leaves_is_opened_or_says_what_is_lacking(results, tmp_path):
    faces = shutil.copytree(results / "faces", tmp_path / "faces_alone/faces").parent
    opened = tfake.open_dataset(faces)
    assert (len(opened), opened.variants, opened[0].thermal) == (ROWS - 1, (), {})
    assert opened.torch()[0]["landmarks_70"].shape == (70, 2)
    (faces / "faces/faces.zarr/status/zarr.json").unlink()
    with pytest.raises(DatasetError, match=r"has no array faces/faces.zarr/status: .* `snakemake --cores all faces`"):
        tfake.open_dataset(faces)
    variants = shutil.copytree(results / "variants", tmp_path / "variants_alone/variants")
    for address in (variants.parent, variants / "warm", zip_folder(variants.parent, tmp_path / "alone.zip")):
        with pytest.raises(DatasetError, match=r"holds no faces/faces.zarr .*made by `snakemake --cores all faces`"):
            tfake.open_dataset(address)
    for format in FORMATS:
        folder = tmp_path / "results/exports" / format
        export_variant(str(folder / "SHA256SUMS"), str(results), "warm", format)
        with pytest.raises(DatasetError, match="an export for other programs"):
            tfake.open_dataset(folder)


def test_only_what_was_asked_for_is_read(results):
    face = tfake.open_dataset(results, variants=["warm"], fields=["landmarks_70"])[0]
    assert face.thermal == {}
    assert face.segmentation is None
    assert face.landmarks_478 is None
    assert face.landmarks_70.shape == (70, 2)
