"""Exports, each read back by the format's own library, or by what T-FAKE's own code does, and compared."""

import json
import pickle
import shutil

import cv2
import numpy as np
import pytest
import yaml
import zarr

import tfake
from products.export_variant import export_variant
from recipes import ROOT
from tfake.config.completion import complete_config
from tfake.core.classes import FACE_CLASSES
from tfake.core.radiometry import decode_counts, encode_celsius
from tfake.labels.conventions import IBUG_PARTNERS
from tfake.products.exports.coco import FACES_70, MESH_478, run_lengths
from tfake.products.exports.export_formats import FORMATS
from tfake.store.manifest import file_sha256, read_sums
from tiny_dataset import BAD, ROWS, make_dataset

USABLE = [f"{row:06d}" for row in range(ROWS) if row != BAD]
WITHOUT_MESH = "000002"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("exports") / "results", "R-UDA-1.0")


@pytest.fixture(scope="module")
def faces(results):
    return {face.image_id: face for face in tfake.open_dataset(results, ["warm"])}


@pytest.fixture(scope="module")
def exported(results, tmp_path_factory):
    folder = tmp_path_factory.mktemp("formats")
    for format in FORMATS:
        export_variant(str(folder / format / "SHA256SUMS"), str(results), "warm", format)
    return folder


def test_the_configuration_offers_the_formats_of_the_registry():
    defaults = complete_config(yaml.safe_load((ROOT / "config.yaml").read_text()))
    with_formats = {**defaults, "publication": {**defaults["publication"], "formats": list(FORMATS)}}
    assert complete_config(with_formats)["publication"]["formats"] == list(FORMATS)
    for entry in FORMATS.values():
        assert defaults["publication"].keys() >= set(entry.options)


@pytest.mark.parametrize("format", FORMATS)
def test_terms_and_checksums_go_along(exported, format):
    sums = read_sums(exported / format / "SHA256SUMS")
    assert {"LICENSE.txt", "ATTRIBUTION.txt"} <= sums.keys()
    assert all(file_sha256(exported / format / name) == digest for name, digest in sums.items())


@pytest.mark.parametrize("format", FORMATS)
def test_equal_data_gives_equal_bytes(exported, results, tmp_path, format):
    export_variant(str(tmp_path / format / "SHA256SUMS"), str(results), "warm", format)
    assert read_sums(tmp_path / format / "SHA256SUMS") == read_sums(exported / format / "SHA256SUMS")


def test_tfake_layout_reads_back_as_its_own_code_reads_it(exported, faces):
    folder = exported / "tfake"
    annotations = pickle.loads((folder / "annotations.pkl").read_bytes())
    assert sorted(annotations) == [f"{name}.png" for name in USABLE if name != WITHOUT_MESH]
    assert sorted(path.name.split("_")[0] for path in folder.glob("*thermal.png")) == USABLE
    for name, face in faces.items():
        thermal = cv2.imread(str(folder / f"{name}_thermal.png"), cv2.IMREAD_UNCHANGED)
        assert thermal.dtype == np.uint16
        celsius = 20 + 20 * (thermal.astype(float) / (2**16 - 1))
        np.testing.assert_allclose(celsius, np.clip(face.thermal["warm"], 20, 40), atol=20 / 65535)
        classes = cv2.imread(str(folder / f"{name}_seg.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(classes, face.segmentation)
        points = np.loadtxt(folder / f"{name}_ldmks.txt")
        np.testing.assert_allclose(points - 0.5, face.landmarks_70, atol=1e-3)
        if name != WITHOUT_MESH:
            height, width = thermal.shape
            np.testing.assert_allclose(
                annotations[f"{name}.png"] * [width, height] - 0.5, face.landmarks_478, atol=1e-3
            )


def test_webdataset_reads_back(exported, faces):
    webdataset = pytest.importorskip("webdataset")
    shards = sorted(map(str, (exported / "webdataset").glob("*.tar")))
    samples = list(webdataset.WebDataset(shards, shardshuffle=False))
    assert [sample["__key__"] for sample in samples] == USABLE
    for sample in samples:
        face = faces[sample["__key__"]]
        counts = cv2.imdecode(np.frombuffer(sample["thermal.png"], np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(decode_counts(counts), face.thermal["warm"])
        classes = cv2.imdecode(np.frombuffer(sample["classes.png"], np.uint8), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(classes, face.segmentation)
        known = json.loads(sample["json"])
        np.testing.assert_array_equal(np.float32(known["landmarks_70"]), face.landmarks_70)
        np.testing.assert_array_equal(np.float32(known["head_pose"]), face.head_pose)
        if face.image_id == WITHOUT_MESH:
            assert known["landmarks_478"] is None
        else:
            np.testing.assert_array_equal(np.float32(known["landmarks_478"]), face.landmarks_478)


@pytest.mark.parametrize(("name", "points"), [("keypoints_70.json", 70), ("keypoints_478.json", 478)])
def test_coco_reads_back(exported, faces, name, points):
    coco = pytest.importorskip("pycocotools.coco").COCO(str(exported / "coco" / name))
    (category,) = coco.loadCats(coco.getCatIds())
    assert len(category["keypoints"]) == points
    assert [image["file_name"] for image in coco.loadImgs(coco.getImgIds())] == [
        f"images/{name}.png" for name in USABLE
    ]
    (terms,) = coco.dataset["licenses"]
    assert terms["name"] == "Research Use of Data Agreement v1.0"
    assert "Microsoft" in terms["attribution"]
    annotated = 0
    for image in coco.loadImgs(coco.getImgIds()):
        face = faces[image["file_name"].removeprefix("images/").removesuffix(".png")]
        counts = cv2.imread(str(exported / "coco" / image["file_name"]), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(counts, encode_celsius(face.thermal["warm"]))
        for annotation in coco.loadAnns(coco.getAnnIds(image["id"])):
            annotated += 1
            assert image["license"] == terms["id"]
            is_face = np.isin(face.segmentation, FACE_CLASSES)
            np.testing.assert_array_equal(coco.annToMask(annotation), is_face)
            assert annotation["area"] == is_face.sum() > 0
            found = np.reshape(annotation["keypoints"], (-1, 3))
            expected = face.landmarks_70 if points == 70 else face.landmarks_478
            np.testing.assert_allclose(found[:, :2] - 0.5, expected, atol=1e-3)
            x, y, width, _ = annotation["bbox"]
            assert (found[:, 0] <= x + width + 1e-3).all()
            assert (found[:, 1] >= y - 1e-3).all()
            if points == 478:
                assert found[:, 2].tolist() == [1] * 3 + [2] * 475
    assert annotated == len(USABLE) - (points == 478)


@pytest.mark.parametrize("mask", [np.eye(3, 4, dtype=bool), np.zeros((2, 3), bool), np.ones((2, 3), bool)])
def test_run_lengths_are_those_of_the_format(mask):
    coded = pytest.importorskip("pycocotools.mask")
    found = run_lengths(mask)
    np.testing.assert_array_equal(coded.decode(coded.frPyObjects(found, *mask.shape)), mask)
    assert sum(found["counts"]) == mask.size


def test_point_sets_are_described_as_their_sources_do():
    assert len(set(FACES_70.points)) == 70
    assert (FACES_70.points[36], FACES_70.points[45], FACES_70.points[68]) == (
        "right_eye_36",
        "left_eye_45",
        "right_pupil_68",
    )
    # Mirrored, the lines join the same pairs: a slip in a number would not.
    pairs = {frozenset(pair) for pair in FACES_70.skeleton}
    partners = [*IBUG_PARTNERS, 69, 68]
    assert {frozenset(partners[point - 1] + 1 for point in pair) for pair in pairs} == pairs
    connections = pytest.importorskip("mediapipe.python.solutions.face_mesh_connections")
    known = {frozenset(pair) for pair in connections.FACEMESH_CONTOURS | connections.FACEMESH_IRISES}
    assert {frozenset(point - 1 for point in pair) for pair in MESH_478.skeleton} == known


def test_png_folders_read_back(exported, faces):
    folder = exported / "png"
    for name, face in faces.items():
        counts = cv2.imread(str(folder / "thermal" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(decode_counts(counts), face.thermal["warm"])
        classes = cv2.imread(str(folder / "classes" / f"{name}.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(classes, face.segmentation)
        np.testing.assert_allclose(
            np.loadtxt(folder / "landmarks_70" / f"{name}.txt") - 0.5, face.landmarks_70, atol=1e-3
        )
        assert (folder / "landmarks_478" / f"{name}.txt").exists() == (name != WITHOUT_MESH)


def test_grey_values_are_no_tfake_images(results, tmp_path):
    grey = tmp_path / "results"
    shutil.copytree(results, grey)
    store = grey / "variants/warm/thermal.zarr"
    shutil.rmtree(store / "thermal")
    zarr.open_group(store).create_array("thermal", shape=(ROWS, 48, 48), chunks=(1, 48, 48), dtype="uint8")
    with pytest.raises(ValueError, match="variant 'warm' has grey values"):
        export_variant(str(tmp_path / "out/SHA256SUMS"), str(grey), "warm", "tfake")
    export_variant(str(tmp_path / "out/SHA256SUMS"), str(grey), "warm", "png")
    assert cv2.imread(str(tmp_path / "out/thermal/000000.png"), cv2.IMREAD_UNCHANGED).dtype == np.uint8


def test_a_cold_room_is_not_cut_off_in_silence(results, tmp_path, caplog):
    cold = tmp_path / "results"
    shutil.copytree(results, cold)
    thermal = zarr.open_group(cold / "variants/warm/thermal.zarr")["thermal"]
    kept = thermal[:]
    changed = kept.astype(np.int32)
    changed[(kept < encode_celsius(np.float64(21))) & (kept > 0)] -= 800  # a room of 12 degrees Celsius
    thermal[:] = changed.astype(np.uint16)
    out = tmp_path / "out"
    with pytest.raises(ValueError, match=r"clipping would change \d\d\.\d % of the pixels .*most_clipped allows 5 %"):
        export_variant(str(out / "SHA256SUMS"), str(cold), "warm", "tfake")
    assert not list(out.glob("*.png"))
    export_variant(str(out / "SHA256SUMS"), str(cold), "warm", "tfake", most_clipped=1.0)
    assert any(record.levelname == "WARNING" and "were clipped" in record.message for record in caplog.records)
    export_variant(str(out / "SHA256SUMS"), str(cold), "warm", "png")
