"""Charlotte-ThermalFace is read with all of its dirt, and every row is accounted for."""

import json

import cv2
import numpy as np
import pytest

from annotated_sets import CIRCUMSTANCES, charlotte_cells, seen_from, write_charlotte
from tfake.core.radiometry import decode_counts
from tfake.test_sets.__main__ import main
from tfake.test_sets.charlotte import open_charlotte, parse_row

FRONT = seen_from("charlotte73")
SIDE = seen_from("charlotte43", -60)


def fault_of(cells):
    return parse_row(cells).error.fault


def test_clean_rows_are_read_as_they_are():
    for points in (FRONT, SIDE):
        row = parse_row(charlotte_cells("R11102", points))
        np.testing.assert_array_equal(row.points, points.round())
        assert row.error is None
        assert not row.warnings
        assert row.circumstances["ambient_celsius"] == 22.25


@pytest.mark.parametrize("count", [22, 27, 34, 39, 42, 44, 48, 53, 54, 63, 65, 68, 72])
def test_other_point_counts_are_named(count):
    assert fault_of(charlotte_cells("R11102", FRONT[:count])) == f"points_{count}"


def change(cells, place, text):
    return [*cells[:place], text, *cells[place + 1 :]]


@pytest.mark.parametrize(
    ("fault", "cells"),
    [
        ("empty_row", ["", *[""] * 146, "", "#DIV/0!", "0", "#DIV/0!", ""]),
        ("empty_row", []),
        ("no_id", charlotte_cells("", FRONT)),
        ("no_points", charlotte_cells("R11102", FRONT[:0])),
        ("gap_in_points", change(charlotte_cells("R11102", FRONT), 20, "")),
        ("half_a_point", change(charlotte_cells("R11102", FRONT), 146, "")),
        ("bad_coordinate", change(charlotte_cells("R11102", FRONT), 9, "12a")),
        ("shifted_columns", ["R11102", *charlotte_cells("", SIDE)[1:87], *CIRCUMSTANCES]),
        ("negative_coordinate", change(charlotte_cells("R11102", FRONT), 5, "-3")),
        ("no_extent", charlotte_cells("R11102", np.ones((73, 2)))),
    ],
)
def test_a_row_that_cannot_be_used_has_one_named_reason(fault, cells):
    row = parse_row(cells)
    assert row.error.fault == fault
    assert row.points is None


def test_bad_circumstances_cost_nothing_but_themselves():
    row = parse_row(charlotte_cells("R11102", FRONT, ("25.194", "#DIV/0!", "", "nan", "1")))
    assert row.points is not None
    assert {name for name, _ in row.warnings} == {
        "unbelievable_distance_m",
        "unreadable_humidity_percent",
        "no_airflow_m_s",
        "unreadable_ambient_celsius",
    }
    assert row.circumstances == {"sensation": 1.0}


def test_every_row_is_accounted_for(tmp_path):
    other = ("1.4", "50.5", "0", "25.5", "-1")
    rows = [
        charlotte_cells("R1001", FRONT),
        charlotte_cells("R1002", SIDE),
        charlotte_cells("R1003", FRONT[:44]),
        # One id with two ambients: the points stand, what they say of the room does not.
        charlotte_cells("R1004", FRONT),
        charlotte_cells("R1004", FRONT, other),
        # One id with two faces: nobody knows which is the image's.
        charlotte_cells("R1005", FRONT),
        charlotte_cells("R1005", FRONT + 5),
        charlotte_cells("R1006", FRONT),
        [],
    ]
    write_charlotte(tmp_path, {"S1": rows, "S10": [charlotte_cells("R1001", FRONT)]}, ("R1001", "R1002", "R1004"))
    found = open_charlotte(str(tmp_path))
    summary = found.read_log.summary()
    assert summary["rows"] == 10
    assert summary["used"] == len(found.faces) == 4
    assert summary["rows"] == summary["used"] + summary["left_out"]
    assert summary["faults"]["left_out"] == {
        "empty_row": 1,
        "id_again_other_points": 2,
        "id_again_same_points": 1,
        "no_image": 1,
        "points_44": 1,
    }
    assert [face.name for face in found.faces] == found.read_log.used
    assert [face.name for face in found.faces] == [
        "S1.csv:2 R1001",
        "S1.csv:3 R1002",
        "S1.csv:5 R1004",
        "S10.csv:2 R1001",
    ]
    assert [face.groups["view"] for face in found.faces] == ["front", "side", "front", "front"]
    assert "ambient_celsius" not in found.faces[2].groups
    image = found.read_image(found.faces[0].image)
    assert image.dtype == np.uint16
    assert image[70, 80] == 30715
    path = tmp_path / "account.csv"
    found.read_log.save(path)
    assert "S1.csv:4 R1003,points_44,1" in path.read_text()


def test_annotations_can_be_read_without_images(tmp_path):
    write_charlotte(tmp_path, {"S2": [charlotte_cells("R2001", FRONT)]})
    assert len(open_charlotte(str(tmp_path), images_needed=False).faces) == 1
    assert not open_charlotte(str(tmp_path)).faces


def test_a_folder_without_the_csv_is_refused(tmp_path):
    (tmp_path / "S1.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ValueError, match="ID,x0,y0"):
        open_charlotte(str(tmp_path))


def test_the_account_can_be_asked_for(tmp_path, capsys):
    write_charlotte(tmp_path, {"S1": [charlotte_cells("R1001", FRONT), charlotte_cells("R1002", FRONT[:9])]})
    out = tmp_path / "account.csv"
    assert main(["charlotte", str(tmp_path), "--without-images", "-o", str(out)]) == 0
    assert json.loads(capsys.readouterr().out)["used"] == 1
    assert "S1.csv:3 R1002,points_9,1" in out.read_text()
    assert main(["tfw", str(tmp_path / "nowhere")]) == 1
    assert "nowhere" in capsys.readouterr().err


def test_images_in_another_unit_are_told_at_once(tmp_path, capsys):
    write_charlotte(tmp_path, {"S1": [charlotte_cells("R1001", FRONT)]}, ("R1001",))
    path = str(tmp_path / "S1/R1001.tiff")
    kelvin = decode_counts(cv2.imread(path, cv2.IMREAD_UNCHANGED)) + 273.15
    assert cv2.imwrite(path, np.rint(kelvin * 64).astype(np.uint16))
    assert main(["charlotte", str(tmp_path)]) == 1
    assert "looks like K x 64" in capsys.readouterr().err
    assert main(["charlotte", str(tmp_path), "--values", "counts:64"]) == 0
    assert main(["charlotte", str(tmp_path), "--values", "rankine"]) == 1
