"""Stills in motion end to end: from a source and a variant to a store that is verified, read and exported."""

import json
import shutil
from types import SimpleNamespace

import av
import numpy as np
import pytest
import yaml

import tfake
from camera_files import turned_film
from modelled_faces import BROKEN, MESHLESS, PIXELS, PLAIN, ROWS, make_source, painted_points
from recipes import ROOT
from retargeting.retarget_face import retarget_face
from retargeting.track_driver import track_driver
from sequences.export_sequences import export_sequences
from stores.create_store import create_store
from tfake.config.faults import ConfigError
from tfake.config.plan import Plan
from tfake.core.codes import ExpressionClass, RetargetStatus
from tfake.core.radiometry import encode_celsius
from tfake.labels.correspondence import shared_places
from tfake.labels.head_geometry import head_points
from tfake.retargeting.driver import FilmedMeshes, read_film
from tfake.store.arrays import open_store, write_shard
from tfake.store.manifest import read_manifest
from tfake.store.sealing import seal_store
from tfake.store.shards import StoreError
from tfake.store.verification import verify_store
from tfake.variants.kinds import KINDS

FRAMES = 4


CHANGES = {
    "rows": [0, 4],
    "variant": "heat",
    "expressions": ["smile"],
    "drivers": {"film": {"path": "film.mp4", "expression": "talk"}},
    "frames": FRAMES,
    "frames_per_second": 2.0,
}


def plan_of(variants=None, **changes) -> Plan:
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    config["source"]["images"] = ROWS
    config["retargeting"] |= changes
    config["variants"] = variants or config["variants"]
    return Plan(config)


PLAN = plan_of(**CHANGES).retargeting


def nodding_film() -> FilmedMeshes:
    """A mesh that comes nearer the image's right edge and opens its jaw; in its third frame nobody is seen."""
    meshes = np.repeat(painted_points()[None] * 2.0, 4, axis=0)
    meshes[1:, :, 0] += 6.0
    meshes[2] = np.nan
    return FilmedMeshes(meshes.astype(np.float32), np.arange(4) / 2.0)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("source")
    make_source(folder)
    faces = open_store(folder / "faces.zarr", "r+")
    scale, middle = PIXELS / 32.0, (PIXELS - 1) / 2
    x, y = (head_points()[:, :2] * (1.0, -1.0)).T
    points = np.stack([middle + scale * x, middle + scale * (y - 2.0)], axis=1)
    faces["landmarks_70"][:] = np.repeat(points[None].astype(np.float32), ROWS, axis=0)
    given = {"index": str(folder / "index.parquet"), "image_pixels": PIXELS, "source_license": "CC0-1.0"}
    given |= {"variant": "heat", "recipe": 1, "ambient_celsius": 22.0, "heat": PLAIN}
    create_store(str(folder / "thermal.zarr"), KINDS["modelled"], ROWS, given)
    celsius = np.where(faces["segmentation"][:] > 0, 34.0, 22.0)
    write_shard(folder / "thermal.zarr", {"thermal": encode_celsius(celsius)}, 0)
    nodding_film().save(folder / "film.npz")
    return folder


def retarget(source, folder, shard, **changes):
    """Make one shard; its manifest."""
    sequence = PLAN.sequences[shard]
    manifest = folder / f"manifests/{shard}.json"
    retarget_face(
        str(manifest),
        str(folder / "sequences.zarr"),
        str(source / "faces.zarr"),
        str(source / "thermal.zarr"),
        [str(source / "a.zip")],
        str(source / "index.parquet"),
        shard,
        tuple(PLAN.shard_rows(SimpleNamespace(shard=str(shard)))),
        sequence,
        PLAN.settings,
        str(source / "film.npz") if sequence["driver"] else None,
        live_portrait={"checkout": "nowhere", "python": "python"},
        **changes,
    )
    return manifest


def given(source, plan, film=b"a film"):
    """What the store is described by, with a film of these bytes."""
    (source / "film.mp4").write_bytes(film)
    inputs = {"thermal_root": str(source / "thermal.zarr/zarr.json"), "films": [str(source / "film.mp4")]}
    return {"recipe": 1, "settings": plan.settings, "sequences": plan.sequences, "variant": "heat"} | inputs


@pytest.fixture(scope="module")
def results(source, tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    folder = results / "sequences"
    (folder / "manifests").mkdir(parents=True)
    create_store(str(folder / "sequences.zarr"), KINDS["retargeted"], FRAMES, given(source, PLAN))
    manifests = [retarget(source, folder, shard) for shard in range(len(PLAN.sequences))]
    store = folder / "sequences.zarr"
    seal_store(folder / "SHA256SUMS", folder / "summary.json", store, manifests, PLAN.rows(SimpleNamespace()))
    return results


def test_every_still_makes_every_motion():
    assert [tuple(one.values()) for one in PLAN.sequences[:3]] == [
        (0, "smile", None),
        (0, "talk", "film"),
        (1, "smile", None),
    ]
    wildcards = SimpleNamespace(shard="1", driver="film")
    assert PLAN.film_motion(wildcards) == ["results/retargeting/drivers/film.npz"]
    assert PLAN.film_motion(SimpleNamespace(shard="0")) == []
    assert PLAN.film(wildcards) == "film.mp4"
    assert PLAN.rows(wildcards) == 4 * 2 * FRAMES
    assert {"rows", "variant", "drivers", "formats"}.isdisjoint(PLAN.settings)
    with pytest.raises(ConfigError, match=r"drivers\.film\.path: there is no film\.mp4"):
        PLAN.check_files()
    # Null is the first variant that is made here, and no row is asked for that it lacks.
    assert plan_of().retargeting.variant == "warm"
    assert [one["row"] for one in plan_of(rows=[3, 40], expressions=["smile"]).retargeting.sequences] == [3, 4]
    with pytest.raises(ConfigError, match=r"rows is \[7, 9\], the variant warm has the rows 0 to 4"):
        plan_of(rows=[7, 9]).retargeting.all_sequences(wildcards)


def test_without_a_variant_of_the_sources_geometry_there_is_none_to_move():
    variants = {"other": {"files": "other", "condition": "warm", "ambient_celsius": None}}
    plan = plan_of(variants=variants).retargeting
    with pytest.raises(ConfigError, match=r"variant: expected a variant that is made here .* found other \(imported\)"):
        plan.thermal_root(SimpleNamespace())
    with pytest.raises(ConfigError, match=r"retargeting\.variant"):
        plan.manifests(SimpleNamespace())


def test_a_store_is_another_of_another_film_and_the_same_wherever_live_portrait_is(source):
    def identity(film=b"a film", **changes):
        plan = plan_of(**CHANGES, **changes).retargeting
        return KINDS["retargeted"].describe(given(source, plan, film)).attributes["source_sha256"]

    warped = identity()
    assert identity(b"another film") != warped
    here, there = ({"checkout": folder, "python": f"{folder}/python"} for folder in ("here", "there"))
    assert identity(live_portrait=here) == identity(live_portrait=there) != warped


def test_the_store_verifies_and_opens_as_sequences(results):
    checked = verify_store(results / "sequences/SHA256SUMS", results / "sequences/sequences.zarr")
    assert checked["files"] > 100
    sequences = tfake.open_sequences(results)
    # Neither the still without a mesh nor the one without a picture is a sequence.
    assert sequences.sequence_ids == [f"s000{row}_{what}" for row in (0, 2) for what in ("l00_rest_smile", "film")]
    assert sequences.attributes["variant"] == "heat"
    smile, film = sequences[:2]
    assert (smile.expression, film.expression) == (ExpressionClass.SMILE, ExpressionClass.TALK)
    assert smile.read("thermal").max() <= 37.0
    curves = smile.curves()
    assert curves["smile"].max() > 0.1
    assert np.isnan(curves["gaze"]).all()
    assert (smile.read("status") == RetargetStatus.OK).all()
    clip = sequences.torch(frames=2)[0]
    assert clip["thermal"].shape == (2, 1, PIXELS, PIXELS)


def test_a_film_moves_a_still_as_it_moves_itself(results, source):
    film = tfake.open_sequences(results).where(expressions=["talk"])[0]
    assert film.read("status").tolist() == [RetargetStatus.OK] * 2 + [RetargetStatus.NO_DRIVER] + [RetargetStatus.OK]
    points = film.read("landmarks_478")[:, :, :2]
    still = painted_points()[:, :2]
    np.testing.assert_allclose(points[0], still, atol=0.02)
    # The film is twice as large: six of its pixels are three of the still's.
    np.testing.assert_allclose(points[1, 1] - still[1], [3.0, 0.0], atol=0.05)
    np.testing.assert_array_equal(points[2], points[1])
    assert np.isnan(film.read("expression_parameters")[0]).all()


def test_points_of_both_sets_stay_together(results):
    for sequence in tfake.open_sequences(results):
        curves = sequence.curves()
        apart = [
            shared_places(mesh[:, :2]) - points[[*range(17, 27), 30, 33]].mean(axis=0)
            for mesh, points in zip(curves["landmarks_478"], curves["landmarks_70"], strict=True)
        ]
        assert np.ptp(np.linalg.norm(apart, axis=2).mean(axis=1)) < 2.0


def test_stills_that_cannot_be_used_are_a_status(results):
    folder = results / "sequences"
    status = open_store(folder / "sequences.zarr")["status"][:].reshape(-1, FRAMES)
    assert (status[2 * MESHLESS] == RetargetStatus.NO_MESH).all()
    assert (status[2 * BROKEN] == RetargetStatus.NO_IMAGE).all()
    assert read_manifest(folder / f"manifests/{2 * BROKEN}.json").counts == {"retargeted_no_image": FRAMES}
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["counts"]["retargeted_no_mesh"] == 2 * FRAMES


def test_live_portrait_is_not_asked_for_what_cannot_be_moved(results, source, tmp_path):
    folder = shutil.copytree(results / "sequences", tmp_path / "sequences")
    manifest = retarget(source, folder, 2 * MESHLESS + 1, film_file="film.mp4")
    assert read_manifest(manifest).counts == {"retargeted_no_mesh": FRAMES}
    with pytest.raises(FileNotFoundError, match="film"):
        retarget(source, folder, 1, film_file="film.mp4")


def test_a_sequence_is_the_same_bytes_again(results, source, tmp_path):
    folder = shutil.copytree(results / "sequences", tmp_path / "sequences")
    before = read_manifest(folder / "manifests/0.json")
    shutil.rmtree(folder / "sequences.zarr/rgb/c/0")
    assert read_manifest(retarget(source, folder, 0)) == before


@pytest.mark.parametrize("format", ["video", "mot", "coco"])
def test_it_is_exported_as_sequences_are(results, tmp_path, format):
    sums = tmp_path / format / "SHA256SUMS"
    export_sequences(str(sums), str(results), format)
    assert len(sums.read_text().splitlines()) > 4


def test_stores_of_different_sources_are_refused(results, source, tmp_path):
    other = shutil.copytree(source, tmp_path / "other")
    text = (other / "thermal.zarr/zarr.json").read_text()
    sha = open_store(source / "thermal.zarr").attrs["source_sha256"]
    (other / "thermal.zarr/zarr.json").write_text(text.replace(sha, "9" * 64))
    with pytest.raises(StoreError, match="is of the source 999"):
        retarget(other, shutil.copytree(results / "sequences", tmp_path / "sequences"), 0)


def test_a_film_without_a_face_says_so(tmp_path):
    path = tmp_path / "empty.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=5, options={"preset": "ultrafast"})
        stream.width = stream.height = 64
        for _ in range(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), format="rgb24")))
        container.mux(stream.encode())
    with pytest.raises(ValueError, match=r"empty\.mp4: expected a film of a face; found none in its 2 frames"):
        track_driver(str(tmp_path / "meshes.npz"), str(path), 0.5)


def test_a_phones_film_is_upright(tmp_path):
    # Held upright, a phone stores its pictures on their side: the stored top is the shown right.
    stored = np.zeros((48, 64), np.uint8)
    stored[:8] = 200
    (_, frame), *_ = read_film(turned_film(tmp_path / "phone.mov", stored, 6))
    assert frame.shape == (64, 48, 3)
    assert (frame[:, -8:] == 200).all()
    assert not frame[:, :-8].any()
