"""Annotation files as people have them: each quirk is read, or a finding with the file's name; none loses the set."""

import json
import zipfile

import cv2
import numpy as np
import pytest

from annotated_sets import labelme, ljson, open_quirky, seen_from
from tfake.archive.file_trees import open_tree
from tfake.test_sets.annotated_faces import declare_scale
from tfake.test_sets.catalogue import KINDS
from tfake.test_sets.read_log import RowError
from tfake.test_sets.set_images import ImageIndex
from tfake.test_sets.sf_tl54 import GROUPS
from tfake.thermal_io.scales import ScaleError
from thermal_sets import write_set

GRAY = np.full((100, 120), 90, np.uint8)
COUNTS = np.full((100, 120), 30000, np.uint16)
IBUG = seen_from("ibug68")


def lj(points=IBUG, groups=(), **more):
    return json.dumps(json.loads(ljson(points, list(groups))) | more)


GOOD = {"good_1.ljson": lj(), "good_1.png": GRAY}


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (lj(landmarks={"points": []}), "expected 68 points [y, x], found 0"),
        (lj(landmarks={"points": [[1, 2, 3]] * 68}), "expected 68 points [y, x]"),
        (lj(landmarks={"points": [1] * 68}), "TypeError"),
        (lj(landmarks={"points": [["a", "b"]] * 68}), "could not convert"),
        (lj(landmarks={"points": [[1e999, 1]] * 68}), "infinite"),
        (lj(landmarks=None), "TypeError"),
        (lj(labels=["jaw", "nose"]), "expected labels with a mask each"),
        (lj(groups=[("jaw", [0, 99]), ("nose", [1])]), "expected numbers of points, 0 to 67"),
        (lj(groups=[("jaw", [-1]), ("nose", [1])]), "expected numbers of points, 0 to 67"),
        (lj(groups=[("jaw", [True] * 60), ("nose", [1])]), "expected a flag for each of 68 points, found 60"),
        (lj(groups=[("left_eye", [1]), ("jaw", [0])]), "expected two groups of brows, found 0"),
        (json.dumps({"version": 3, "groups": {}}), "expected one group of landmarks, found none"),
        (json.dumps([1, 2]), "TypeError"),
        (json.dumps("text"), "TypeError"),
        ("{", "JSONDecodeError"),
        ("[" * 100_000, "RecursionError"),
        (b"", "JSONDecodeError"),
        (b"\xff\xfe{", "JSONDecodeError"),
        (json.dumps({"version": 2}), "KeyError: 'landmarks'"),
    ],
)
def test_a_bad_ljson_is_a_finding(tmp_path, text, detail):
    _, faults, images = open_quirky("aachen", tmp_path, {"bad_1.ljson": text, "bad_1.png": GRAY} | GOOD)
    assert list(images.values()) == ["good_1.png"]
    fault, found = faults["bad_1.ljson"]
    assert fault == "unreadable"
    assert detail in found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_ljson_of_version_3_is_read(tmp_path, encoding):
    content = json.loads(lj())
    third = {"version": 3, "groups": {"LJSON": {"landmarks": content["landmarks"], "labels": content["labels"]}}}
    found, faults, _ = open_quirky(
        "aachen", tmp_path, {"a_1.ljson": json.dumps(third).encode(encoding), "a_1.png": GRAY}
    )
    np.testing.assert_allclose(found.faces[0].points, IBUG)
    assert not faults


@pytest.mark.parametrize("missing", [None, [None, None]])
def test_a_point_that_is_null_is_a_finding(tmp_path, missing):
    content = json.loads(lj())
    content["landmarks"]["points"][3] = missing
    found, faults, _ = open_quirky("aachen", tmp_path, {"a_1.ljson": json.dumps(content), "a_1.png": GRAY})
    assert faults == {"a_1.ljson": ("points_missing", "1 of 68 are null")}
    assert np.flatnonzero(np.isnan(found.faces[0].points[:, 0])).tolist() == [3]


@pytest.mark.parametrize("points", [np.full((68, 2), np.nan), np.ones((68, 2)), np.c_[np.arange(68.0), np.ones(68)]])
def test_a_face_without_a_size_is_left_out(tmp_path, points):
    _, faults, images = open_quirky("aachen", tmp_path, {"flat_1.ljson": lj(points), "flat_1.png": GRAY} | GOOD)
    assert list(images.values()) == ["good_1.png"]
    assert faults["flat_1.ljson"][0] == ("no_points" if np.isnan(points).any() else "no_extent")


def test_two_images_of_one_stem_are_ambiguous(tmp_path):
    tiff = {"a_1.ljson": lj(), "a_1.png": GRAY, "a_1.tiff": COUNTS}
    _, faults, images = open_quirky("aachen", tmp_path, tiff | GOOD)
    assert list(images.values()) == ["good_1.png"]
    assert faults["a_1.ljson"] == ("ambiguous_image", "'a_1.ljson' may be a_1.png or a_1.tiff")


def shapes(points):
    return dict(zip(GROUPS, np.split(points, np.cumsum(list(GROUPS.values()))[:-1]), strict=True))


SHAPES = {"face": [[10.0, 12.0], [90.0, 95.0]], **shapes(seen_from("sf_tl54"))}


def lm(**more):
    return json.dumps(json.loads(labelme(SHAPES)) | more)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (lm(imagePath="..\\images\\1_1.png"), None),
        (lm(imagePath="x").encode().replace(b'"x"', b'"\xfc.png"'), None),
        (lm().encode("utf-16"), None),
        (lm().encode("utf-8-sig"), None),
        (lm(imagePath=None), None),
        (labelme(SHAPES | {"face": [[10.0, 10.0], [10.0, 10.0]]}), "no_box"),
        (labelme(SHAPES | {"face": []}), "no_box"),
        (labelme(SHAPES | {"chin": [[np.nan, 1.0]] * 17}), "unreadable"),
        (labelme(SHAPES | {"chin": [[1.0, 2.0]] * 16}), "unreadable"),
        (labelme({group: [[1.0, 1.0]] for group in GROUPS}), "unreadable"),
        (labelme({group: [[5.0, 5.0]] * count for group, count in GROUPS.items()}), "no_extent"),
        (json.dumps({"shapes": "none"}), "unreadable"),
        (json.dumps({"shapes": [{"label": "chin"}]}), "unreadable"),
        (json.dumps({"shapes": [{"label": ["chin"], "points": [[1, 2]]}]}), "unreadable"),
        (json.dumps({"shapes": [{"label": "chin", "points": [[1, 2, 3]]}]}), "unreadable"),
        (json.dumps([]), "unreadable"),
    ],
)
def test_labelme_quirks(tmp_path, text, fault):
    files = {"json/1_1.json": text, "images/1_1.png": GRAY, "json/2_1.json": lm(), "images/2_1.png": GRAY}
    _, faults, images = open_quirky("sf_tl54", tmp_path, files)
    assert images["json/2_1.json"] == "images/2_1.png"
    assert faults.get("json/1_1.json", (None,))[0] == fault
    assert ("json/1_1.json" in images) == (fault in (None, "no_box"))


def test_labelme_says_which_of_two_images_it_means(tmp_path):
    files = {"json/1_1.json": lm(imagePath="C:\\work\\1_1.tiff"), "images/1_1.png": GRAY, "images/1_1.tiff": COUNTS}
    assert open_quirky("sf_tl54", tmp_path, files)[2] == {"json/1_1.json": "images/1_1.tiff"}


YOLO = "0 0.3 0.4 0.4 0.6 0.2 0.3 0.4 0.3 0.3 0.4 0.22 0.5 0.38 0.5"


def test_tfw_yolo_folders_with_other_texts_and_bad_images(tmp_path):
    files = {
        "my_labels/images/train/a.jpg": GRAY,
        "my_labels/labels/train/a.txt": YOLO + "\n\n",
        "my_labels/images/train/b.jpg": b"",
        "my_labels/labels/train/b.txt": YOLO,
        "my_labels/images/train/c.jpg": b"no image",
        "my_labels/labels/train/c.txt": YOLO,
        "my_labels/images/train/d.jpg": GRAY,
        "my_labels/labels/train/d.txt": YOLO.replace("0.4 0.6", "0.0 0.6", 1) + "\n0 x\n" + YOLO + " 1\n",
        "my_labels/labels/classes.txt": "face\n",
        "README.txt": "Two\nlines\n",
    }
    _, faults, images = open_quirky("tfw", tmp_path, files)
    assert images == {"my_labels/labels/train/a.txt:1": "my_labels/images/train/a.jpg"}
    assert {row.rpartition("/")[2]: fault for row, (fault, _) in faults.items()} == {
        "b.txt": "unreadable_image",
        "c.txt": "unreadable_image",
        "d.txt:1": "empty_box",
        "d.txt:2": "wrong_length",
        "d.txt:3": "wrong_length",
        "classes.txt": "no_image",
        "README.txt": "no_image",
    }


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("version: 1\nn_points:  5\n{\n1 2\n3 4\n5 9\n7 8\n9 1\n}\n", None),
        ("version: 1\r\nn_points: 5\r\n{ 1 2 3 4 5 9 7 8 9 1 }", None),
        ("n_points: 5 { 1 2 3 4 5 9 7 8 9 1 }".encode("utf-16"), None),
        ("n_points: 5 { 1 2 3 4 5 9 7 8 9 nan }", "unreadable"),
        ("n_points: 5 { 1 2 3 4 5 9 7 8 9 }", "unreadable"),
        ("n_points: 5 { 1 2 3 4 5 9 7 8 9 x }", "unreadable"),
        ("n_points: 3 { 1 2 3 4 5 9 }", "points_3"),
        ("n_points: 5 { 1 1 1 1 1 1 1 1 1 1 }", "no_extent"),
        ("{ }", "points_0"),
        ("", "unreadable"),
    ],
)
def test_pts_quirks(tmp_path, text, fault):
    good = "{ 1 2 3 4 5 9 7 8 9 1 }"
    _, faults, images = open_quirky(
        "point_files", tmp_path, {"f.pts": text, "f.png": GRAY, "g.pts": good, "g.png": GRAY}
    )
    assert "g.pts" in images
    assert faults.get("f.pts", (None,))[0] == fault


def test_a_damaged_member_of_a_zip_is_a_finding(tmp_path):
    folder = write_set(tmp_path / "set", {"a_1.ljson": lj(), "a_1.png": GRAY} | GOOD)
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
        offset = archive.getinfo("a_1.ljson").header_offset
    data = bytearray(path.read_bytes())
    data[offset + 100] ^= 0xFF
    path.write_bytes(data)
    found = KINDS["aachen"].open(str(path))
    assert [face.image for face in found.faces] == ["good_1.png"]
    (finding,) = found.read_log.findings
    assert (finding.row, finding.fault) == ("a_1.ljson", "unreadable")
    assert "CRC" in finding.detail


def test_image_places_go_by_whole_names(tmp_path):
    write_set(tmp_path, {"a/s1.e0.png": GRAY, "a/s1.e1.png": GRAY, "b/x.PNG": GRAY})
    places = ImageIndex(open_tree(tmp_path, "images"))
    assert places.named("s1.e0") == "a/s1.e0.png"
    assert places.named("S/a/s1.e1.png") == "a/s1.e1.png"
    assert places.named("x.jpg") == "b/x.PNG"
    for reference in ("s1", "1.e0", "", "..", "C:\\"):
        with pytest.raises(RowError) as caught:
            places.named(reference)
        assert caught.value.fault == "no_image"


def test_a_test_set_is_judged_and_read_in_its_scale(tmp_path):
    kelvin = np.where(np.arange(120) > 40, 307.15, 295.15) * np.ones((100, 1))
    files = {"a_1.ljson": lj(), "a_1.tiff": np.rint(kelvin * 10).astype(np.uint16)} | GOOD
    found = open_quirky("aachen", tmp_path, files)[0]
    with pytest.raises(ScaleError, match=r"mine: a_1\.tiff: .*0\.1 K counts"):
        declare_scale(found, "celsius", "mine")
    declared = declare_scale(found, {"counts": {"per_kelvin": 10}}, "mine")
    np.testing.assert_allclose(declared.read_image("a_1.tiff"), kelvin - 273.15, atol=0.06)
    np.testing.assert_array_equal(declared.read_image("good_1.png"), GRAY)
    grey = declare_scale(found, "relative", "mine").read_image("a_1.tiff")
    assert grey.dtype == np.uint8
    assert cv2.minMaxLoc(grey)[1] < 255
