"""Real faces: cut, written, read, held out by subject, learnt from with weights; and a folder's labelling."""

import json

import cv2
import numpy as np
import pytest

from blob_teacher import BlobTeacher, ellipse, mean_face
from landmarks import label_real_faces as script
from tfake.labels.correspondence import SHARED_70
from tfake.labels.teacher import TeacherSettings
from tfake.landmarks.crop_sampling import FaceSampler, crop_face, mirror_order
from tfake.landmarks.landmark_training import train_landmarks
from tfake.landmarks.real_faces import (
    RealFace,
    load_real_faces,
    save_real_faces,
    split_by_subject,
    weights_of_mesh,
)
from tfake.landmarks.real_labelling import RealFolder, label_folder, read_boxes, subject_of
from tfake.training.loop import RunControl
from tiny_landmarks import CPU, make_faces, settings

CENTRE, HALF = np.array((70.0, 50.0)), np.array((16.0, 20.0))
MESH = CENTRE + mean_face() * HALF
THERMAL = ellipse((100, 160), CENTRE, HALF)


def face(name="a", subject="a", thermal=THERMAL, is_relative=False, mesh=MESH):
    return RealFace.cut(name, subject, thermal, is_relative, mesh, 0.01)


def test_a_crop_reaches_a_box_around_the_face_and_keeps_its_temperatures():
    cut = face()
    assert cut.celsius.shape == (100, 121)  # 3 x 40 pixels, as far as the picture goes
    np.testing.assert_array_equal(cut.celsius, THERMAL[:, 10:131].astype(np.float16))
    np.testing.assert_allclose(cut.mesh, MESH - (10, 0), atol=1e-4)


def test_relative_values_span_the_window_that_is_shown():
    first, second = face(is_relative=True), face(thermal=9 * THERMAL + 400, is_relative=True)
    np.testing.assert_allclose(first.celsius, second.celsius, atol=0.02)
    assert (first.celsius.min(), first.celsius.max()) == (pytest.approx(20, abs=0.1), pytest.approx(40, abs=0.1))


def test_a_large_face_is_kept_no_finer_than_needed():
    large = cv2.resize(THERMAL, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST)
    cut = face(thermal=large, mesh=8 * (MESH + 0.5) - 0.5)
    assert max(cut.celsius.shape) == 384
    inside = cut.celsius[tuple(np.round(cut.mesh.mean(0)).astype(int)[::-1])]
    assert inside == 35
    np.testing.assert_allclose(np.ptp(cut.mesh[:, 1]) / cut.celsius.shape[0], np.ptp(8 * MESH[:, 1]) / 800, rtol=0.01)


def test_of_70_points_those_without_a_place_on_the_mesh_do_not_count():
    weights = weights_of_mesh(70)
    assert set(np.flatnonzero(weights)) == set(SHARED_70.tolist()) - {30}
    assert not weights[[0, 4, 7, 9, 16, 30]].any()
    assert weights_of_mesh(478).all()
    seventy, dense = face().to_learn_from(70), face().to_learn_from(478)
    np.testing.assert_allclose(seventy.points[[68, 69]], dense.points[[468, 473]], atol=1e-3)
    assert seventy.foreground is None
    both = face().to_learn_from(548)
    np.testing.assert_array_equal(both.points, np.concatenate((seventy.points, dense.points)))
    np.testing.assert_array_equal(both.weights[:70], weights)
    np.testing.assert_allclose(both.weights[70:].sum(), 70, rtol=1e-5)
    assert np.isfinite(seventy.points).all()


def test_files_hold_what_was_written_byte_for_byte(tmp_path):
    faces = [face(), face("b", "S2", THERMAL[:80], mesh=MESH - (3, 2))]
    for name in ("1.npz", "2.npz"):
        save_real_faces(str(tmp_path / name), faces)
    assert (tmp_path / "1.npz").read_bytes() == (tmp_path / "2.npz").read_bytes()
    for before, after in zip(faces, load_real_faces(tmp_path / "1.npz"), strict=True):
        assert (before.name, before.subject) == (after.name, after.subject)
        assert after.disagreement == pytest.approx(before.disagreement)
        np.testing.assert_array_equal(before.celsius, after.celsius)
        np.testing.assert_array_equal(before.mesh, after.mesh)
    with np.load(tmp_path / "1.npz") as file:
        assert file["points_70"].shape == (2, 70, 2)
    (tmp_path / "no.npz").write_bytes(b"PK\3\4 and no zip")
    with pytest.raises(ValueError, match=r"no\.npz: expected a file of labelled real faces"):
        load_real_faces(tmp_path / "no.npz")


def test_no_subject_is_on_both_sides():
    faces = [face(f"{number}", f"S{number % 10}") for number in range(30)]
    learnt, held = split_by_subject(faces, 0.2)
    assert (len(learnt), len(held)) == (24, 6)
    assert not {f.subject for f in learnt} & {f.subject for f in held}
    assert [f.name for f in split_by_subject(faces[::-1], 0.2)[1]] == [f.name for f in held[::-1]]
    assert [len(part) for part in split_by_subject(faces[:2], 0.01)] == [1, 1]
    assert [len(part) for part in split_by_subject(faces[:1], 0.5)] == [1, 0]
    assert [len(part) for part in split_by_subject(faces, 0.0)] == [30, 0]


def test_a_share_of_the_crops_is_real_thermal_and_weighted():
    real = [face().to_learn_from(70)]
    batch = FaceSampler(make_faces(3), 70, settings(batch=20, texture_share=0.0, thermal_share=0.0), real=real).batch(0)
    is_real = (batch.weights == 0).any(1)
    assert is_real.sum() == 5
    assert (len(batch.colour), len(batch.gray)) == (15, 5)
    assert is_real[15:].all()
    without = FaceSampler(make_faces(3), 70, settings(batch=20, real_share=0.0), real=real).batch(0)
    assert (without.weights == 1).all()


def test_points_stay_on_a_real_face():
    """Of the pupils' places, which are warm here, and of the sides that a mirror exchanges."""
    spotted = THERMAL.copy()
    for column, row in np.round(MESH[[468, 473]]).astype(int):
        spotted[row - 1 : row + 2, column - 1 : column + 2] = 39.0
    plain = settings(thermal_share=1.0, thermal_strength=0.0, real_world_strength=0.0, image_pixels=96, shift=0.02)
    learnt = face(thermal=spotted).to_learn_from(70)
    for seed in range(12):
        image, points, weights = crop_face(learnt, mirror_order(70), np.random.default_rng(seed), plain)[:3]
        for column, row in np.round(points[[68, 69]] * 96 - 0.5).astype(int):
            assert image[row, column] > 0.8
        np.testing.assert_array_equal(weights, weights_of_mesh(70))


def test_held_out_real_faces_have_a_column_of_their_own_and_decide_nothing():
    faces, held, real = make_faces(5), make_faces(7)[5:], [face().to_learn_from(70)]
    trained = [
        train_landmarks(
            settings(steps=2, validate_every=1), faces, held, 70, RunControl(CPU), real=real, real_held_out=out
        )
        for out in ([], real)
    ]
    losses = trained[1].losses
    assert losses.columns[-2:].tolist() == ["validation", "validation_real"]
    assert losses["validation_real"].notna().all()
    assert trained[1].validation_nme["real"] > 0
    assert trained[0].calibration == trained[1].calibration
    np.testing.assert_array_equal(trained[0].losses["validation"], losses["validation"])


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "pictures"
    path.mkdir()
    for number, picture in enumerate((THERMAL, THERMAL[:, ::-1], np.full_like(THERMAL, 20.0))):
        cv2.imwrite(str(path / f"S{number}_a.png"), (5 * picture).astype(np.uint8))
    return path


def test_a_folder_s_faces_are_labelled_and_counted(folder):
    faces, counts = label_folder(RealFolder(str(folder), "relative"), BlobTeacher(), TeacherSettings())
    assert [face.name for face in faces] == [face.subject for face in faces] == ["S0_a.png", "S1_a.png"]
    counted = {name: count for name, count in counts.items() if count}
    assert counted == {"pictures": 3, "pictures_without_face": 1, "sure": 2}
    unsure, counts = label_folder(RealFolder(str(folder), "relative"), BlobTeacher(0.1), TeacherSettings())
    assert unsure == []
    assert counts["disagree"] == 2
    (folder / "S3_a.png").write_bytes((folder / "S0_a.png").read_bytes()[:300])
    _, counts = label_folder(RealFolder(str(folder), "relative"), BlobTeacher(), TeacherSettings())
    assert (counts["pictures"], counts["pictures_unreadable"]) == (4, 1)


def test_boxes_and_subjects_are_taken_from_what_the_user_says(folder, tmp_path):
    boxes = tmp_path / "boxes.json"
    boxes.write_text(json.dumps({"S0_a.png": [[*(CENTRE - HALF), *(CENTRE + HALF)]], "S2_a.png": []}))
    told = RealFolder(str(folder), "relative", boxes=str(boxes), subjects=r"^(S\d)_")
    (only,), counts = label_folder(told, BlobTeacher(), TeacherSettings())
    assert (only.name, only.subject, counts["pictures_without_face"]) == ("S0_a.png", "S0", 2)
    boxes.write_text('{"T.png": [[0, 0, 1, 1]]}')
    with pytest.raises(ValueError, match=r"has no picture T\.png"):
        label_folder(told, BlobTeacher(), TeacherSettings())
    for wrong in ('{"a": [[0, 0, 1]]}', '{"a": [[2, 0, 1, 5]]}', "[1]", '{"a": "b"}'):
        boxes.write_text(wrong)
        with pytest.raises(ValueError, match="expected a JSON of name to"):
            read_boxes(boxes)
    assert subject_of("S7_x.png", r"S\d", "") == "S7"
    with pytest.raises(ValueError, match=r"'T\\\\d' in every picture's name"):
        subject_of("S7_x.png", r"T\d", "")


def test_partners_tell_where_the_points_are(tmp_path):
    thermal = np.full_like(THERMAL, 20.0)
    thermal[0, 0] = 30
    cv2.imwrite(str(tmp_path / "p_t.png"), thermal.astype(np.uint8))
    cv2.imwrite(str(tmp_path / "p_v.png"), ellipse(THERMAL.shape, CENTRE, HALF, 220, 20).astype(np.uint8))
    (found,), counts = label_folder(RealFolder(str(tmp_path), "relative", "stems"), BlobTeacher(), TeacherSettings())
    assert (found.name, counts["sure"]) == ("p", 1)
    np.testing.assert_allclose(found.mesh - found.mesh.mean(0), MESH - MESH.mean(0), atol=0.7)


def test_the_script_writes_faces_counts_and_a_figure(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(script, "FaceMesh", lambda *thresholds: BlobTeacher())
    files = [str(tmp_path / name) for name in ("faces.npz", "summary.json", "faces.png")]
    teacher = {"most_disagreement": 0.03, "least_pixels": 16.0}
    script.label_real_faces(*files, "mine", {"path": str(folder), "values": "relative"}, teacher)
    assert len(load_real_faces(files[0])) == 2
    assert json.loads((tmp_path / "summary.json").read_text())["subjects"] == 2
    assert (tmp_path / "faces.png").read_bytes().startswith(b"\x89PNG")
    monkeypatch.setattr(script, "FaceMesh", lambda *thresholds: BlobTeacher(0.2))
    with pytest.raises(ValueError, match=r"landmarks\.real\.mine: .* no face that the teacher is sure of: pictures 3"):
        script.label_real_faces(*files, "mine", {"path": str(folder), "values": "relative"}, teacher)
