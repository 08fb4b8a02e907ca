"""Annotation files as people have them: each quirk is read, or is a remark with the file's name; none loses the set."""

import json
import zipfile

import cv2
import numpy as np
import pytest

from annotated_sets import charlotte_cells, labelme, ljson, seen_from
from tfake.evaluation_sets.catalogue import KINDS
from tfake.evaluation_sets.charlotte_rows import HEADER, parse_row
from tfake.evaluation_sets.image_places import ImagePlaceError, ImagePlaces
from tfake.evaluation_sets.sf_tl54 import GROUPS
from tfake.evaluation_sets.temperatures import declare_scale
from tfake.scales import ScaleError
from tfake.sources.file_trees import open_tree
from thermal_sets import write_set

GRAY = np.full((100, 120), 90, np.uint8)
COUNTS = np.full((100, 120), 30000, np.uint16)
IBUG, FRONT = seen_from("ibug68"), seen_from("charlotte73")
FIVE = seen_from("tfw5").round()
NUMBERS = [f"{value:g}" for value in FIVE.ravel()]


def opened(kind, folder, files):
    """The set, its findings by row, and its images by row."""
    found = KINDS[kind].open(str(write_set(folder / "set", files)))
    account = found.account
    assert {face.name for face in found.faces} == set(account.used)
    assert all(face.size > 0 for face in found.faces)
    # Of several, the one for which it is left out.
    findings = sorted(account.findings, key=lambda finding: finding.left_out)
    faults = {finding.row: (finding.fault, finding.detail) for finding in findings}
    return found, faults, {face.name: face.image for face in found.faces}


HEAD = ",".join((*HEADER, "Distance", "RH", "Airflow", "env-temp", "Sensation"))


def charlotte_text(newline="\n", delimiter=",", points=FRONT):
    rows = [",".join(charlotte_cells(f"R100{number}", points)) for number in (1, 2)]
    return newline.join([HEAD, *rows, ""]).replace(",", delimiter)


@pytest.mark.parametrize(
    "data",
    [
        charlotte_text(),
        charlotte_text("\r"),
        charlotte_text("\r\n", ";").replace("1.4", "1,4"),
        charlotte_text().encode("utf-16"),
        charlotte_text().encode("utf-8-sig"),
        charlotte_text().replace(HEAD, ",".join(f'"{cell}"' for cell in HEAD.split(","))),
    ],
)
def test_charlotte_in_any_text(tmp_path, data):
    found, faults, images = opened(
        "charlotte", tmp_path, {"S1.csv": data, "S1/R1001.tiff": COUNTS, "R1002.tiff": COUNTS}
    )
    assert not faults
    assert list(images.values()) == ["S1/R1001.tiff", "R1002.tiff"]
    assert found.faces[0].groups["distance_m"] == "1.4"


def test_charlotte_rows_that_are_broken_cost_themselves(tmp_path):
    text = charlotte_text() + '"R1003,1,2\n' + "," * 151 + "\nR1004,1,2,3\n"
    _, faults, images = opened("charlotte", tmp_path, {"S1.csv": text, "R1001.tiff": COUNTS, "R1002.tiff": COUNTS})
    assert len(images) == 2
    assert [faults[row][0] for row in ("S1.csv:4", "S1.csv:5", "S1.csv:6 R1004")] == [
        "unreadable",
        "empty_row",
        "half_a_point",
    ]


def test_a_subject_whose_table_is_another_one_is_named(tmp_path):
    files = {"S1.csv": charlotte_text(), "S2.csv": "subject,age\n1,2\n", "S3.csv": b"", "notes.csv": "a,b\n"}
    _, faults, images = opened("charlotte", tmp_path, files | {"R1001.tiff": COUNTS, "R1002.tiff": COUNTS})
    assert len(images) == 2
    assert {row: fault for row, (fault, _) in faults.items()} == {"S2.csv": "unreadable", "S3.csv": "unreadable"}


def test_points_between_pixels_are_points_and_slid_columns_are_not():
    between = [f"{float(cell) + 0.25:.2f}" if cell else "" for cell in charlotte_cells("R1001", FRONT)[1:147]]
    row = parse_row(["R1001", *between, *charlotte_cells("R1001", FRONT)[147:]])
    np.testing.assert_allclose(row.points, FRONT.round() + 0.25)
    only_x = charlotte_cells("R1001", FRONT)
    only_x[1:147:2] = [f"{cell}.5" for cell in only_x[1:147:2]]
    assert parse_row(only_x).points is not None
    slid = charlotte_cells("R1001", FRONT)
    del slid[140]
    assert [fault for fault, _ in parse_row(slid).reasons] == ["shifted_columns"]


def test_an_id_with_two_images_is_ambiguous_unless_one_is_its_subjects(tmp_path):
    files = {"S1.csv": charlotte_text(), "S1/R1001.tiff": COUNTS, "backup/R1001.tiff": COUNTS}
    files |= {"a/R1002.tiff": COUNTS, "b/R1002.tiff": COUNTS}
    _, faults, images = opened("charlotte", tmp_path, files)
    assert images == {"S1.csv:2 R1001": "S1/R1001.tiff"}
    fault, detail = faults["S1.csv:3 R1002"]
    assert fault == "ambiguous_image"
    assert "a/R1002.tiff or b/R1002.tiff" in detail


def test_tables_of_one_name_in_two_folders_are_told_apart(tmp_path):
    files = {"a/S1.csv": charlotte_text(), "b/S1.csv": charlotte_text(points=FRONT[:44])}
    _, faults, images = opened("charlotte", tmp_path, files | {"R1001.tiff": COUNTS, "R1002.tiff": COUNTS})
    assert list(images) == ["a/S1.csv:2 R1001", "a/S1.csv:3 R1002"]
    assert set(faults) == {"b/S1.csv:2 R1001", "b/S1.csv:3 R1002"}


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
def test_a_bad_ljson_is_a_remark(tmp_path, text, detail):
    _, faults, images = opened("aachen", tmp_path, {"bad_1.ljson": text, "bad_1.png": GRAY} | GOOD)
    assert list(images.values()) == ["good_1.png"]
    fault, found = faults["bad_1.ljson"]
    assert fault == "unreadable"
    assert detail in found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_ljson_of_version_3_is_read(tmp_path, encoding):
    content = json.loads(lj())
    third = {"version": 3, "groups": {"LJSON": {"landmarks": content["landmarks"], "labels": content["labels"]}}}
    found, faults, _ = opened("aachen", tmp_path, {"a_1.ljson": json.dumps(third).encode(encoding), "a_1.png": GRAY})
    np.testing.assert_allclose(found.faces[0].points, IBUG)
    assert not faults


@pytest.mark.parametrize("points", [np.full((68, 2), np.nan), np.ones((68, 2)), np.c_[np.arange(68.0), np.ones(68)]])
def test_a_face_without_a_size_is_left_out(tmp_path, points):
    _, faults, images = opened("aachen", tmp_path, {"flat_1.ljson": lj(points), "flat_1.png": GRAY} | GOOD)
    assert list(images.values()) == ["good_1.png"]
    assert faults["flat_1.ljson"][0] == ("no_points" if np.isnan(points).any() else "no_extent")


def test_two_images_of_one_stem_are_ambiguous(tmp_path):
    tiff = {"a_1.ljson": lj(), "a_1.png": GRAY, "a_1.tiff": COUNTS}
    _, faults, images = opened("aachen", tmp_path, tiff | GOOD)
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
    _, faults, images = opened("sf_tl54", tmp_path, files)
    assert images["json/2_1.json"] == "images/2_1.png"
    assert faults.get("json/1_1.json", (None,))[0] == fault
    assert ("json/1_1.json" in images) == (fault in (None, "no_box"))


def test_labelme_says_which_of_two_images_it_means(tmp_path):
    files = {"json/1_1.json": lm(imagePath="C:\\work\\1_1.tiff"), "images/1_1.png": GRAY, "images/1_1.tiff": COUNTS}
    assert opened("sf_tl54", tmp_path, files)[2] == {"json/1_1.json": "images/1_1.tiff"}


TFW = ["a.jpg", "10", "10", "60", "70", *NUMBERS]


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_tfw_tables_in_any_text(tmp_path, newline, delimiter, encoding):
    text = newline.join(delimiter.join(TFW) for _ in range(2)) + newline
    found, faults, images = opened("tfw", tmp_path, {"outdoor.csv": text.encode(encoding), "outdoor/a.jpg": GRAY})
    assert not faults
    assert list(images.values()) == ["outdoor/a.jpg"] * 2
    np.testing.assert_array_equal(found.faces[0].points, FIVE)


def test_tfw_rows_that_are_broken_cost_themselves(tmp_path):
    rows = [TFW, [""] * 15, ["a.jpg", "10"], TFW[:-1], [*TFW[:-1], "nan"], ['"a.jpg', *TFW[1:]], ["", *TFW[1:]], TFW]
    text = "\n".join(",".join(row) for row in rows) + "\n\n"
    _, faults, images = opened("tfw", tmp_path, {"outdoor.csv": text, "outdoor/a.jpg": GRAY})
    assert list(images) == ["outdoor.csv:1", "outdoor.csv:8"]
    assert [faults[f"outdoor.csv:{line}"][0] for line in range(2, 8)] == [
        "empty_row",
        "wrong_length",
        "wrong_length",
        "unreadable",
        "unreadable",
        "no_image",
    ]


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
    _, faults, images = opened("tfw", tmp_path, files)
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


COLUMNS = "image_name," + ",".join(f"original_{i}_x,original_{i}_y" for i in range(5))


def point_row(name):
    return ",".join([name, *NUMBERS])


def test_a_name_with_folders_means_that_folder(tmp_path):
    names = ["1/f.png", "01/f.png", "./1/f.png", "1\\f.png", "C:\\data\\01\\f.png", "2/f.png", "f.png"]
    text = "\n".join([COLUMNS, *map(point_row, names)])
    _, faults, images = opened("point_files", tmp_path, {"list.csv": text, "1/f.png": GRAY, "01/f.png": GRAY})
    assert list(images.values()) == ["1/f.png", "01/f.png", "1/f.png", "1/f.png", "01/f.png"]
    assert faults["list.csv:7"] == ("no_image", "no image '2/f.png'; of that name there is 01/f.png, 1/f.png")
    assert faults["list.csv:8"] == ("ambiguous_image", "'f.png' may be 01/f.png or 1/f.png")


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_point_tables_in_any_text(tmp_path, newline, delimiter):
    text = newline.join([COLUMNS, point_row("imgs/f.png"), point_row("f"), ""]).replace(",", delimiter)
    found, faults, images = opened("point_files", tmp_path, {"list.csv": text, "imgs/f.png": GRAY})
    assert not faults
    assert list(images.values()) == ["imgs/f.png"] * 2
    np.testing.assert_array_equal(found.faces[0].points, FIVE)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (",,,,,,,,,,", "empty_row"),
        ("f.png", "unreadable"),
        ("f.png,1,2", "unreadable"),
        (point_row("f.png").replace("," + NUMBERS[0], ",x", 1), "unreadable"),
        (point_row("f.png").replace("," + NUMBERS[0], ",1e999", 1), "unreadable"),
        ('"f.png,1', "unreadable"),
        (point_row(""), "no_image"),
        ("f.png" + ",7" * 10, "no_extent"),
    ],
)
def test_a_bad_row_of_points_is_a_remark(tmp_path, row, fault):
    text = "\n".join([COLUMNS, row, point_row("f.png")])
    _, faults, images = opened("point_files", tmp_path, {"list.csv": text, "f.png": GRAY})
    assert images == {"list.csv:3": "f.png"}
    assert faults["list.csv:2"][0] == fault


@pytest.mark.parametrize(
    "header", ["", "a,b", "image_name", "image_name,x0,y0,x2,y2", "image_name,x0", "image_name,x0,y0,x0,y0"]
)
def test_a_table_without_points_is_a_remark(tmp_path, header):
    files = {"other.csv": header + "\nf.png,1,2,3,4\n", "list.csv": f"{COLUMNS}\n{point_row('f.png')}\n", "f.png": GRAY}
    _, faults, images = opened("point_files", tmp_path, files)
    assert images == {"list.csv:2": "f.png"}
    assert faults["other.csv"][0] == "no_columns"


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
    _, faults, images = opened("point_files", tmp_path, {"f.pts": text, "f.png": GRAY, "g.pts": good, "g.png": GRAY})
    assert "g.pts" in images
    assert faults.get("f.pts", (None,))[0] == fault


def test_a_damaged_member_of_a_zip_is_a_remark(tmp_path):
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
    (finding,) = found.account.findings
    assert (finding.row, finding.fault) == ("a_1.ljson", "unreadable")
    assert "CRC" in finding.detail


def test_image_places_go_by_whole_names(tmp_path):
    write_set(tmp_path, {"a/s1.e0.png": GRAY, "a/s1.e1.png": GRAY, "b/x.PNG": GRAY})
    places = ImagePlaces(open_tree(tmp_path, "images"))
    assert places.named("s1.e0") == "a/s1.e0.png"
    assert places.named("S/a/s1.e1.png") == "a/s1.e1.png"
    assert places.named("x.jpg") == "b/x.PNG"
    for reference in ("s1", "1.e0", "", "..", "C:\\"):
        with pytest.raises(ImagePlaceError) as caught:
            places.named(reference)
        assert caught.value.fault == "no_image"


def test_a_test_set_is_judged_and_read_in_its_scale(tmp_path):
    kelvin = np.where(np.arange(120) > 40, 307.15, 295.15) * np.ones((100, 1))
    files = {"a_1.ljson": lj(), "a_1.tiff": np.rint(kelvin * 10).astype(np.uint16)} | GOOD
    found = opened("aachen", tmp_path, files)[0]
    with pytest.raises(ScaleError, match=r"mine: a_1\.tiff: .*0\.1 K counts"):
        declare_scale(found, "celsius", "mine")
    declared = declare_scale(found, {"counts": {"per_kelvin": 10}}, "mine")
    np.testing.assert_allclose(declared.read_image("a_1.tiff"), kelvin - 273.15, atol=0.06)
    np.testing.assert_array_equal(declared.read_image("good_1.png"), GRAY)
    grey = declare_scale(found, "relative", "mine").read_image("a_1.tiff")
    assert grey.dtype == np.uint8
    assert cv2.minMaxLoc(grey)[1] < 255
