"""Annotation tables as people have them: each quirk is read, or costs its own rows; none loses the set."""

import numpy as np
import pytest

from annotated_sets import charlotte_cells, open_quirky, seen_from
from tfake.test_sets.charlotte import HEADER, parse_row

GRAY = np.full((100, 120), 90, np.uint8)
COUNTS = np.full((100, 120), 30000, np.uint16)
FRONT = seen_from("charlotte73")
FIVE = seen_from("tfw5").round()
NUMBERS = [f"{value:g}" for value in FIVE.ravel()]


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
        charlotte_text().replace("ID,", "id ,", 1),
        charlotte_text().replace(HEAD, ",".join(f'"{cell}"' for cell in HEAD.split(","))),
    ],
)
def test_charlotte_in_any_text(tmp_path, data):
    found, faults, images = open_quirky(
        "charlotte", tmp_path, {"S1.csv": data, "S1/R1001.tiff": COUNTS, "R1002.tiff": COUNTS}
    )
    assert not faults
    assert list(images.values()) == ["S1/R1001.tiff", "R1002.tiff"]
    assert found.faces[0].groups["distance_m"] == "1.4"


def test_charlotte_rows_that_are_broken_cost_themselves(tmp_path):
    text = charlotte_text() + '"R1003,1,2\n' + "," * 151 + "\nR1004,1,2,3\n"
    _, faults, images = open_quirky("charlotte", tmp_path, {"S1.csv": text, "R1001.tiff": COUNTS, "R1002.tiff": COUNTS})
    assert len(images) == 2
    assert [faults[row][0] for row in ("S1.csv:4", "S1.csv:5", "S1.csv:6 R1004")] == [
        "unreadable",
        "empty_row",
        "half_a_point",
    ]


def test_a_subject_whose_table_is_another_one_is_named(tmp_path):
    files = {"S1.csv": charlotte_text(), "S2.csv": "subject,age\n1,2\n", "S3.csv": b"", "notes.csv": "a,b\n"}
    _, faults, images = open_quirky("charlotte", tmp_path, files | {"R1001.tiff": COUNTS, "R1002.tiff": COUNTS})
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
    assert parse_row(slid).error.fault == "shifted_columns"


def test_an_id_with_two_images_is_ambiguous_unless_one_is_its_subjects(tmp_path):
    files = {"S1.csv": charlotte_text(), "S1/R1001.tiff": COUNTS, "backup/R1001.tiff": COUNTS}
    files |= {"a/R1002.tiff": COUNTS, "b/R1002.tiff": COUNTS}
    _, faults, images = open_quirky("charlotte", tmp_path, files)
    assert images == {"S1.csv:2 R1001": "S1/R1001.tiff"}
    fault, detail = faults["S1.csv:3 R1002"]
    assert fault == "ambiguous_image"
    assert "a/R1002.tiff or b/R1002.tiff" in detail


def test_tables_of_one_name_in_two_folders_are_told_apart(tmp_path):
    files = {"a/S1.csv": charlotte_text(), "b/S1.csv": charlotte_text(points=FRONT[:44])}
    _, faults, images = open_quirky("charlotte", tmp_path, files | {"R1001.tiff": COUNTS, "R1002.tiff": COUNTS})
    assert list(images) == ["a/S1.csv:2 R1001", "a/S1.csv:3 R1002"]
    assert set(faults) == {"b/S1.csv:2 R1001", "b/S1.csv:3 R1002"}


TFW = ["a.jpg", "10", "10", "60", "70", *NUMBERS]


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_tfw_tables_in_any_text(tmp_path, newline, delimiter, encoding):
    text = newline.join(delimiter.join(TFW) for _ in range(2)) + newline
    found, faults, images = open_quirky("tfw", tmp_path, {"outdoor.csv": text.encode(encoding), "outdoor/a.jpg": GRAY})
    assert not faults
    assert list(images.values()) == ["outdoor/a.jpg"] * 2
    np.testing.assert_array_equal(found.faces[0].points, FIVE)


def test_tfw_rows_that_are_broken_cost_themselves(tmp_path):
    rows = [TFW, [""] * 15, ["a.jpg", "10"], TFW[:-1], [*TFW[:-1], "nan"], ['"a.jpg', *TFW[1:]], ["", *TFW[1:]], TFW]
    text = "\n".join(",".join(row) for row in rows) + "\n\n"
    _, faults, images = open_quirky("tfw", tmp_path, {"outdoor.csv": text, "outdoor/a.jpg": GRAY})
    assert list(images) == ["outdoor.csv:1", "outdoor.csv:8"]
    assert [faults[f"outdoor.csv:{line}"][0] for line in range(2, 8)] == [
        "empty_row",
        "wrong_length",
        "wrong_length",
        "unreadable",
        "unreadable",
        "no_image",
    ]


COLUMNS = "image_name," + ",".join(f"original_{i}_x,original_{i}_y" for i in range(5))


def point_row(name):
    return ",".join([name, *NUMBERS])


def test_a_name_with_folders_means_that_folder(tmp_path):
    names = ["1/f.png", "01/f.png", "./1/f.png", "1\\f.png", "C:\\data\\01\\f.png", "2/f.png", "f.png"]
    text = "\n".join([COLUMNS, *map(point_row, names)])
    _, faults, images = open_quirky("point_files", tmp_path, {"list.csv": text, "1/f.png": GRAY, "01/f.png": GRAY})
    assert list(images.values()) == ["1/f.png", "01/f.png", "1/f.png", "1/f.png", "01/f.png"]
    assert faults["list.csv:7"] == ("no_image", "no image '2/f.png'; of that name there is 01/f.png, 1/f.png")
    assert faults["list.csv:8"] == ("ambiguous_image", "'f.png' may be 01/f.png or 1/f.png")


def test_two_names_do_not_become_one_image(tmp_path):
    text = "\n".join([COLUMNS, *map(point_row, ["1/f.png", "2/f.png", "C:\\work\\g.png", "g.png"])])
    _, faults, images = open_quirky("point_files", tmp_path, {"list.csv": text, "f.png": GRAY, "g.png": GRAY})
    assert images == {"list.csv:5": "g.png"}
    assert faults["list.csv:4"][0] == "ambiguous_image"
    assert faults["list.csv:2"] == ("ambiguous_image", "f.png may be '1/f.png' or '2/f.png'")
    assert faults["list.csv:3"] == ("ambiguous_image", "f.png may be '2/f.png' or '1/f.png'")
    rows = "\n".join(",".join([name, *TFW[1:]]) for name in ("1/a.jpg", "2/a.jpg"))
    _, faults, images = open_quirky("tfw", tmp_path / "tfw", {"outdoor.csv": rows, "a.jpg": GRAY})
    assert not images
    assert {fault for fault, _ in faults.values()} == {"ambiguous_image"}


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_point_tables_in_any_text(tmp_path, newline, delimiter):
    text = newline.join([COLUMNS, point_row("imgs/f.png"), point_row("f"), ""]).replace(",", delimiter)
    found, faults, images = open_quirky("point_files", tmp_path, {"list.csv": text, "imgs/f.png": GRAY})
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
def test_a_bad_row_of_points_is_a_finding(tmp_path, row, fault):
    text = "\n".join([COLUMNS, row, point_row("f.png")])
    _, faults, images = open_quirky("point_files", tmp_path, {"list.csv": text, "f.png": GRAY})
    assert images == {"list.csv:3": "f.png"}
    assert faults["list.csv:2"][0] == fault


@pytest.mark.parametrize(
    "header", ["", "a,b", "image_name", "image_name,x0,y0,x2,y2", "image_name,x0", "image_name,x0,y0,x0,y0"]
)
def test_a_table_without_points_is_a_finding(tmp_path, header):
    files = {"other.csv": header + "\nf.png,1,2,3,4\n", "list.csv": f"{COLUMNS}\n{point_row('f.png')}\n", "f.png": GRAY}
    _, faults, images = open_quirky("point_files", tmp_path, files)
    assert images == {"list.csv:2": "f.png"}
    assert faults["other.csv"][0] == "no_columns"
