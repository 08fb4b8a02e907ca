"""Faces on one mesh: what an image becomes, and reading variants, folders of real images and published ones."""

import json
from collections import Counter

import cv2
import numpy as np
import pytest

from mesh_faces import PIXELS, front_points, heat, place_cm, sample, write_real_folder
from tfake.core.classes import FaceClass
from tfake.mesh.template import face_vertices
from tfake.studies.realism_faces import (
    MAP_FACE_PIXELS,
    MAP_PIXELS,
    FaceSet,
    border_share,
    gather_faces,
    point_values,
    preview,
    skin_map,
)
from tfake.studies.realism_sets import RealSettings, read_real_faces, read_reference_faces, read_variant_faces
from tfake.studies.skin_texture import skin_mask
from tiny_dataset import BAD, ROWS, make_dataset


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("run") / "results")


def test_values_at_the_points_are_those_of_the_image():
    expected = 33 + heat(face_vertices()[:468, :2])
    np.testing.assert_allclose(point_values(sample())[:468], expected, atol=0.1)


def test_a_point_that_something_covers_has_no_value():
    classes = np.full((PIXELS, PIXELS), FaceClass.SKIN, np.uint8)
    classes[:60] = FaceClass.HAIR
    valid = np.ones((PIXELS, PIXELS), bool)
    valid[100:] = False
    y = front_points()[:, 1]
    found = np.isfinite(point_values(sample(valid=valid, classes=classes)))
    np.testing.assert_array_equal(found[(y > 61) & (y < 99)], True)
    np.testing.assert_array_equal(found[(y < 59) | (y > 101)], False)


def test_a_picture_of_the_skin_is_the_heat_of_the_mean_face():
    found = skin_map(sample())
    covered = np.isfinite(found)
    assert covered[skin_mask()].mean() > 0.99
    # The mean face is 8 pixels a cm in the image, and MAP_FACE_PIXELS large in the map.
    vertices = face_vertices()[:468, :2]
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    scale = MAP_FACE_PIXELS / np.sqrt(np.prod(high - low))
    middle = (MAP_PIXELS - 1) / 2
    y, x = np.mgrid[:MAP_PIXELS, :MAP_PIXELS]
    cm = np.stack([(x - middle) / scale, -(y - middle) / scale], axis=-1) + (low + high) / 2
    np.testing.assert_allclose(found[covered], 33 + heat(cm)[covered], atol=0.05)


@pytest.mark.parametrize("place", [{"size": 5.0}, {"size": 8.0, "middle": (70.0, 85.0)}], ids=["smaller", "moved"])
def test_size_and_place_of_a_face_leave_its_picture_alone(place):
    moved = sample(33 + heat(place_cm(**place)), points=front_points(**place))
    np.testing.assert_allclose(skin_map(moved)[skin_mask()], skin_map(sample())[skin_mask()], atol=0.1)


def test_tilt_and_background_of_a_face_leave_its_picture_alone():
    turn = cv2.getRotationMatrix2D((80, 80), -20, 1)
    values = cv2.warpAffine(sample().values, turn, (PIXELS, PIXELS), borderValue=-5)
    tilted = sample(values, points=front_points(roll=20))
    np.testing.assert_allclose(skin_map(tilted)[skin_mask()], skin_map(sample())[skin_mask()], atol=0.1)


def test_sharp_detail_of_a_large_image_is_blurred_before_it_is_thinned():
    pixels = 900
    stripes = 33 + (np.arange(pixels) % 4 < 2) * np.ones((pixels, pixels))
    large = sample(stripes, points=front_points(size=45.0, middle=(450, 450)))
    assert np.nanstd(skin_map(large)[skin_mask()]) < 0.1


def test_gradients_gather_at_painted_borders():
    classes = np.full((192, 192), FaceClass.SKIN, np.uint8)
    classes[80:110, 80:110] = FaceClass.NOSE
    painted = np.where(classes == FaceClass.NOSE, 30.0, 34.0).astype(np.float32)
    ramp = np.tile(np.linspace(30, 34, 192, dtype=np.float32), (192, 1))
    assert border_share(ramp, classes) == pytest.approx(1, abs=0.02)
    assert border_share(painted, classes) > 10
    assert np.isnan(border_share(ramp, np.zeros_like(classes)))


def test_a_face_to_look_at_uses_the_range_of_the_person():
    shown = np.hypot(*place_cm().transpose(2, 0, 1)) < 9
    picture = preview(sample(np.where(shown, sample().values, -40), valid=shown))
    assert picture[0, 0] == 0
    assert (picture == 255).any()
    assert np.ptp(picture[50:70, 50:70]) > 60


def test_a_set_is_read_as_it_was_written(tmp_path):
    covered = np.full((PIXELS, PIXELS), FaceClass.HAIR, np.uint8)
    left_out = Counter({"turned further": 2})
    faces = gather_faces("made", True, [sample(pitch=4.0), sample(person="b", classes=covered)], left_out)
    assert faces.left_out == {"too covered": 1, "turned further": 2}
    faces.save(tmp_path / "faces.npz")
    read = FaceSet.load(tmp_path / "faces.npz")
    assert (read.title, read.radiometric, read.left_out, len(read)) == ("made", True, faces.left_out, 1)
    for name in ("names", "persons", "patterns", "maps", "sizes", "pitches", "borders", "previews"):
        np.testing.assert_array_equal(getattr(read, name), getattr(faces, name))
    nothing = gather_faces("none", False, [], Counter())
    nothing.save(tmp_path / "none.npz")
    assert FaceSet.load(tmp_path / "none.npz").maps.shape == (0, MAP_PIXELS, MAP_PIXELS)


def test_a_variant_gives_its_frontal_faces(results):
    faces = read_variant_faces(results, "warm")
    # Points at random cover little skin: none is used, and all are accounted for.
    assert faces.radiometric
    assert len(faces) + sum(faces.left_out.values()) == ROWS - 1
    assert BAD not in faces.names.astype(int)
    assert faces.left_out["without 478 points"] == 1
    assert faces.left_out["turned further"] == 4


def test_a_folder_of_real_faces(tmp_path):
    folder, points = write_real_folder(tmp_path / "real", people=3, images=2)
    listed = json.loads(points.read_text())
    listed["S01_0.png"] = front_points(yaw=50).tolist()
    del listed["S02_1.png"]
    points.write_text(json.dumps(listed))
    settings = RealSettings(str(folder), "relative", str(points), 0, "^(S[0-9]+)_")
    faces = read_real_faces("mine", settings)
    assert (faces.title, faces.radiometric) == ("mine", False)
    assert faces.names.tolist() == ["S00_0.png", "S00_1.png", "S01_1.png", "S02_0.png"]
    assert faces.persons.tolist() == ["S00", "S00", "S01", "S02"]
    assert faces.left_out == {"not in the file of points": 1, "turned further": 1}
    assert np.isnan(faces.borders).all()
    assert len(read_real_faces("mine", settings, most_faces=2)) == 2


def test_the_background_of_real_faces_has_no_value(tmp_path):
    folder, points = write_real_folder(tmp_path / "real", people=1, images=1)
    image = cv2.imread(str(folder / "S00_0.png"), cv2.IMREAD_GRAYSCALE)
    image[:, 95:] = 0
    cv2.imwrite(str(folder / "S00_0.png"), image)
    shown = read_real_faces("a", RealSettings(str(folder), "relative", str(points), 0))
    whole = read_real_faces("a", RealSettings(str(folder), "relative", str(points)))
    beyond = front_points()[:, 0] > 96
    assert np.isnan(shown.patterns[0, beyond]).all()
    assert np.isfinite(whole.patterns).all()


def test_temperatures_in_stacks_of_frames(tmp_path):
    folder = tmp_path / "real"
    folder.mkdir()
    celsius = 33 + heat(place_cm())
    counts = np.rint((np.stack([celsius, celsius + 1]) + 273.15) * 100).astype(np.uint16)
    np.savez(folder / "a.npz", counts=counts)
    points = tmp_path / "points.json"
    points.write_text(json.dumps({f"a.npz#{number:06d}": front_points().tolist() for number in range(2)}))
    faces = read_real_faces("a", RealSettings(str(folder), "celsius", str(points), None, "(.*)#"))
    assert faces.radiometric
    assert faces.persons.tolist() == ["a.npz", "a.npz"]
    np.testing.assert_allclose(faces.patterns[1] - faces.patterns[0], 1, atol=0.02)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subject_pattern": "^(P[0-9]+)_"}, "realism.real.a.subject_pattern finds nobody in 'S00_0.png'"),
        ({"values": "celsius"}, "declared celsius"),
        ({"path": "nothing"}, "no images"),
    ],
)
def test_what_is_wrong_with_a_folder_is_said(tmp_path, changes, message):
    folder, points = write_real_folder(tmp_path / "real", people=1, images=1)
    (tmp_path / "nothing").mkdir()
    settings = {"path": str(folder), "values": "relative", "points": str(points), **changes}
    settings["path"] = str(tmp_path / settings["path"])
    with pytest.raises(ValueError, match=message):
        read_real_faces("a", RealSettings(**settings))


def test_points_of_another_number_are_refused(tmp_path):
    folder, points = write_real_folder(tmp_path / "real", people=1, images=1)
    points.write_text(json.dumps({"S00_0.png": [[1, 2]] * 70}))
    with pytest.raises(ValueError, match=r"S00_0.png: expected 478 points \(x, y\); found an array of \(70, 2\)"):
        read_real_faces("a", RealSettings(str(folder), "relative", str(points)))


def test_images_in_which_nobody_is_found_are_counted(tmp_path):
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.random.default_rng(number).integers(0, 9, (40, 40), np.uint8))
    faces = read_real_faces("a", RealSettings(str(tmp_path), "relative"))
    assert (len(faces), faces.left_out) == (0, {"without 478 points": 2})


def test_published_images_of_the_source_have_its_labels(results, tmp_path):
    for image_id in ("000004", "009999"):
        cv2.imwrite(str(tmp_path / f"{image_id}_thermal.png"), np.full((24, 24), 200, np.uint8))
    faces = read_reference_faces(tmp_path, results)
    assert faces.left_out["without 478 points"] == 1
    assert len(faces) + sum(faces.left_out.values()) == 2
    cv2.imwrite(str(tmp_path / "000005_thermal.png"), np.full((24, 24), 200, np.uint16))
    with pytest.raises(ValueError, match="must be 8-bit gray; found uint16"):
        read_reference_faces(tmp_path, results)
