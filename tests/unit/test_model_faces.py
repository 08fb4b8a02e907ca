"""Variants by the temperature model alone: rows, statuses, persons, states, and what a store says of them."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
import zarr

import tfake
from cameras import settings
from modelled_faces import AMBIENT, BROKEN, MESHLESS, PIXELS, PLAIN, ROWS, SHARD, make_source, painted_points
from painted_head import paint_head, region_masks
from recipes import LIBRARY
from source.decode_images import decode_images
from stores.create_store import create_store
from stores.seal_store import seal_store
from stores.verify_store import verify_store
from tfake.core.classes import FaceClass
from tfake.core.radiometry import NO_IMAGE, decode_counts
from tfake.reader.presence import ImageStatus
from tfake.store.manifest import read_manifest
from tfake.store.shards import StoreError
from tfake.variants.kinds import KINDS
from tfake.variants.modelled import HeatModel
from variants.model_faces import model_faces
from variants.record_faces import record_faces

LENS = {"blur_pixels": 4.0, "netd_kelvin": 0.1}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    make_source(folder)
    return folder


def make_variant(source, folder, shard_images=SHARD, threads=1, heat=PLAIN, ambient=AMBIENT, **changes):
    """Model every row and seal the store; returns the opened group."""
    store = folder / "thermal.zarr"
    index = str(source / "index.parquet")
    given = {"index": index, "image_pixels": PIXELS, "source_license": "CC0-1.0", "variant": "heat", "recipe": 1}
    given |= {"ambient_celsius": ambient, "heat": heat}
    create_store(str(store), KINDS["modelled"], shard_images, given)
    manifests = []
    for shard in range(-(-ROWS // shard_images)):
        manifests.append(str(folder / f"{shard}.json"))
        arguments = {
            "manifest": manifests[-1],
            "store": str(store),
            "faces_store": str(source / "faces.zarr"),
            "archive": [str(source / "a.zip")],
            "index": index,
            "shard": shard,
            "rows": (shard * shard_images, min((shard + 1) * shard_images, ROWS)),
            "image_pixels": PIXELS,
            "ambient_celsius": ambient,
            "heat": heat,
            "threads": threads,
        }
        model_faces(**arguments | changes)
    sums = str(folder / "SHA256SUMS")
    seal_store(sums, str(folder / "summary.json"), str(store), manifests, (0, ROWS))
    verify_store(str(folder / "verified.json"), sums, str(store), threads=1)
    return zarr.open_group(store, mode="r")


def render(image_id="a", ambient=AMBIENT, state=None, **changes):
    """A painted head by the model, (H, W) °C."""
    heat = {**PLAIN, **changes, "state": {**PLAIN["state"], **(state or {})}}
    rgb = np.full((PIXELS, PIXELS, 3), 128, np.uint8)
    return HeatModel(heat, ambient).render(image_id, rgb, paint_head(PIXELS).classes, painted_points())


def test_a_store_from_end_to_end(source, tmp_path):
    group = make_variant(source, tmp_path)
    celsius = decode_counts(group["thermal"][:])
    for row in (BROKEN, MESHLESS):
        assert (group["thermal"][row] == NO_IMAGE).all()
    made = [0, 2, 4]
    assert np.isfinite(celsius[made]).all()
    classes = paint_head(PIXELS).classes
    np.testing.assert_allclose(celsius[made][:, classes == 0], AMBIENT, atol=1e-4)
    assert (celsius[made].max(axis=(1, 2)) > 34.0).all()
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["counts"] == {"source_ok": 4, "source_undecodable_image": 1, "without_mesh": 1}
    assert summary["statistics"]["background"]["sd"] == 0
    assert group.attrs["heat"] == PLAIN
    assert group.attrs["modelled"].keys() == {"recipe", "tables", "tables_sha256"}
    assert (group.attrs["ambient_celsius"], group.attrs["variant"]) == (AMBIENT, "heat")
    assert "condition" not in group.attrs


def test_neither_shards_nor_threads_change_a_pixel(source, tmp_path):
    heat = {**PLAIN, "lens": LENS}
    arrays = []
    for shard_images, threads in ((1, 1), (2, 3), (5, 2)):
        folder = tmp_path / str(shard_images)
        folder.mkdir()
        arrays.append(make_variant(source, folder, shard_images, threads, heat)["thermal"][:])
    assert (arrays[0] == arrays[1]).all()
    assert (arrays[0] == arrays[2]).all()


def test_a_camera_records_it_and_says_so(source, tmp_path):
    (tmp_path / "base").mkdir()
    make_variant(source, tmp_path / "base", ROWS)
    base, store = tmp_path / "base/thermal.zarr", tmp_path / "seen/thermal.zarr"
    camera = settings(native_pixels=[40, 40])
    given = {"variant": "seen", "of": "heat", "base_root": str(base / "zarr.json"), "camera": camera}
    create_store(str(store), KINDS["recorded"], ROWS, given)
    manifest = str(tmp_path / "seen.json")
    record_faces(manifest, str(store), str(base), str(source / "faces.zarr"), 0, (0, ROWS), "heat", camera)
    written = read_manifest(manifest)
    assert written.counts == {"source_ok": 4, "source_undecodable_image": 1, "without_mesh": 1}
    assert written.made_from["heat"] == PLAIN
    assert written.made_from["modelled"]["tables"] == "measured"
    group = zarr.open_group(store, mode="r")
    assert group.attrs["heat"] == PLAIN
    assert (group["thermal"][MESHLESS] == NO_IMAGE).all()
    assert (group["thermal"][0] != NO_IMAGE).all()


def test_images_that_are_kept_decoded_change_no_byte(source, tmp_path):
    (tmp_path / "a").mkdir()
    expected = make_variant(source, tmp_path / "a", ROWS)["thermal"][:]
    index, images = str(source / "index.parquet"), str(tmp_path / "images.zarr")
    given = {"index": index, "image_pixels": PIXELS, "source_license": "CC0-1.0"}
    create_store(images, KINDS["images"], ROWS, given)
    decode_images(
        manifest=str(tmp_path / "images.json"),
        store=images,
        archive=[str(source / "a.zip")],
        index=index,
        shard=0,
        rows=(0, ROWS),
        image_pixels=PIXELS,
        threads=1,
    )
    (tmp_path / "b").mkdir()
    found = make_variant(source, tmp_path / "b", ROWS, images=images, archive=[])["thermal"][:]
    assert (found == expected).all()


def test_a_reader_is_told_which_faces_have_no_mesh(source, tmp_path):
    variant = tmp_path / "results/variants/heat"
    variant.mkdir(parents=True)
    make_variant(source, variant)
    (tmp_path / "results/faces").mkdir()
    (tmp_path / "results/faces/faces.zarr").symlink_to(source / "faces.zarr")
    faces = tfake.open_dataset(tmp_path / "results", ["heat"], rows="all", statuses=None)
    found = [face.thermal_status["heat"] for face in faces]
    assert found[MESHLESS] == ImageStatus.NOT_MODELLED
    assert found[BROKEN] == ImageStatus.NO_SAMPLE
    assert [found[row] for row in (0, 2, 4)] == [ImageStatus.OK] * 3
    assert tfake.open_dataset(tmp_path / "results", ["heat"]).rows.tolist() == [0, 2, 4]


def test_the_same_person_is_drawn_again_and_another_differs():
    first = render("a")
    assert (first == render("a")).all()
    skin = paint_head(PIXELS).classes == 1
    assert np.abs(first - render("b"))[skin].mean() > 0.1
    assert np.abs(first - render("a", seed=1))[skin].mean() > 0.1
    assert (render("a", persons="mean") == render("b", persons="mean")).all()


def test_a_state_does_what_it_says():
    masks = region_masks(paint_head(PIXELS))
    change = {}
    for name, state in {"fever": {"fever_kelvin": 1.5}, "nose": {"nose_kelvin": -3.0}}.items():
        change[name] = {place: float((render(state=state) - render())[mask].mean()) for place, mask in masks.items()}
    assert 0.0 < change["fever"]["nose"] < change["fever"]["eye"] < 1.5
    assert change["nose"]["nose"] < -1.0
    assert abs(change["nose"]["forehead"]) < 0.1
    flat = render(state={"perfusion": 0.0})
    forehead = masks["forehead"]
    assert np.std(flat[forehead]) < np.std(render()[forehead])


def test_a_mask_is_warm_where_one_breathes_out():
    classes = paint_head(PIXELS).classes
    rows, columns = np.mgrid[:PIXELS, :PIXELS]
    mouth = painted_points()[13, :2]
    mask = np.hypot(columns - mouth[0], rows - mouth[1]) < 14
    classes[mask & (classes != 0)] = FaceClass.FACEWEAR
    rgb = np.full((PIXELS, PIXELS, 3), 128, np.uint8)
    breaths = [
        HeatModel({**PLAIN, "state": {**PLAIN["state"], "breath": breath}}, AMBIENT).render(
            "a", rgb, classes, painted_points()
        )
        for breath in (-1.0, 1.0)
    ]
    change = breaths[1] - breaths[0]
    assert change[mask].mean() > 0.3
    assert np.abs(change[:30]).max() < 1e-4


def test_a_warmer_room_warms_what_is_exposed():
    masks = region_masks(paint_head(PIXELS))
    cold, warm = render(ambient=18.0, persons="mean"), render(ambient=30.0, persons="mean")
    rise = {place: float((warm - cold)[mask].mean()) for place, mask in masks.items()}
    assert rise["nose"] > rise["forehead"] > 0.0


def test_a_lens_is_what_the_images_lack():
    sharp = render()
    seen = render(lens={"blur_pixels": 4.0, "netd_kelvin": 0.0})
    expected = cv2.GaussianBlur(sharp, (0, 0), 4.0 * PIXELS / 512, borderType=cv2.BORDER_REFLECT)
    np.testing.assert_array_equal(seen, expected)
    noise = render(lens={"blur_pixels": 0.0, "netd_kelvin": 0.1}) - sharp
    assert np.std(noise) == pytest.approx(0.1, rel=0.02)
    assert abs(noise.mean()) < 0.005


def test_labels_that_do_not_fit_are_named(source, tmp_path):
    model = HeatModel(PLAIN, AMBIENT)
    rgb, classes = np.zeros((PIXELS, PIXELS, 3), np.uint8), paint_head(PIXELS).classes
    with pytest.raises(ValueError, match=r"classes of \(128, 128\) want an image of \(128, 128, 3\)"):
        model.render("a", rgb[:64], classes, painted_points())
    with pytest.raises(ValueError, match=r"expected \(478, 3\) points"):
        model.render("a", rgb, classes, painted_points()[:, :2])


def test_faces_of_another_source_are_refused(source, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    make_source(other, pixels=64)
    with pytest.raises(StoreError, match=r"is of the source \w+; expected \w+"):
        make_variant(source, tmp_path, faces_store=str(other / "faces.zarr"))
    assert not (tmp_path / "thermal.zarr/thermal/c").exists()


def test_the_same_inputs_make_the_same_manifest(source, tmp_path):
    manifests = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        make_variant(source, tmp_path / name)
        manifests.append(read_manifest(tmp_path / name / "0.json"))
    assert manifests[0] == manifests[1]
    assert manifests[0].made_from.keys() == {"source_sha256", "ambient_celsius", "heat", "modelled"}


def test_no_network_and_no_torch_is_needed():
    code = "import sys; sys.modules['torch'] = None; import variants.model_faces"
    subprocess.run([sys.executable, "-c", code], cwd=LIBRARY, check=True)
