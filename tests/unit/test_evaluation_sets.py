"""AACHEN, SF-TL54, TFW and folders of points are read into one form; what is wrong with a file is named."""

import json

import numpy as np
import pytest

from annotated_sets import labelme, ljson, seen_from, write_image
from tfake.test_sets.aachen import open_aachen
from tfake.test_sets.catalogue import KINDS, missing_message
from tfake.test_sets.point_files import open_point_files, parse_pts
from tfake.test_sets.sf_tl54 import GROUPS, open_sf_tl54
from tfake.test_sets.tfw import open_tfw

IBUG = seen_from("ibug68")
BLOCKS = {
    "jaw": range(17),
    "left_eyebrow": range(17, 22),
    "right_eyebrow": range(22, 27),
    "nose": range(27, 36),
    "left_eye": range(36, 42),
    "right_eye": range(42, 48),
    "mouth": range(48, 68),
}


@pytest.mark.parametrize("flags", [False, True])
def test_aachen_groups_are_put_into_order(tmp_path, flags):
    # Stored mouth first, and named by the subject's left and right: the reader goes by where they are.
    order = [*BLOCKS["mouth"], *range(48)]
    named = {"left_eyebrow": "right_eyebrow", "right_eyebrow": "left_eyebrow", "left_eye": "right_eye"}
    named["right_eye"] = "left_eye"
    groups = []
    for label, block in BLOCKS.items():
        mask = [order.index(index) for index in block]
        groups.append((named.get(label, label), [place in mask for place in range(68)] if flags else mask))
    (tmp_path / "17_a.ljson").write_text(ljson(IBUG[order], groups))
    write_image(tmp_path / "17_a.png")
    (face,) = open_aachen(str(tmp_path)).faces
    np.testing.assert_allclose(face.points, IBUG)
    assert face.convention == "ibug68"


def test_aachen_faults_are_named(tmp_path):
    holes = IBUG.copy()
    holes[:3] = np.nan
    (tmp_path / "a.ljson").write_text(ljson(holes, []))
    (tmp_path / "b.ljson").write_text(ljson(IBUG[:60], []))
    (tmp_path / "c.ljson").write_text(ljson(IBUG, []))
    (tmp_path / "d.ljson").write_text("{")
    for name in "abd":
        write_image(tmp_path / f"{name}.png")
    found = open_aachen(str(tmp_path))
    assert found.read_log.summary()["faults"] == {
        "left_out": {"no_image": 1, "unreadable": 2},
        "used": {"points_missing": 1},
    }
    assert np.isnan(found.faces[0].points[:3]).all()
    assert np.isfinite(found.faces[0].box).all()


def shapes(points):
    ends = np.cumsum(list(GROUPS.values()))
    parts = np.split(points, ends[:-1])
    return dict(zip(GROUPS, parts, strict=True))


def test_sf_tl54_is_put_together_from_its_groups(tmp_path):
    points = seen_from("sf_tl54")
    groups = {"face": [[10.0, 12.0], [150.0, 130.0]], **dict(reversed(shapes(points).items()))}
    (tmp_path / "json").mkdir()
    (tmp_path / "json/3_1.json").write_text(labelme(groups))
    (tmp_path / "json/3_2.json").write_text(labelme({k: v for k, v in groups.items() if k != "lip_p4"}))
    for name in ("3_1", "3_2"):
        write_image(tmp_path / f"images/{name}.png")
    found = open_sf_tl54(str(tmp_path))
    (face,) = found.faces
    np.testing.assert_allclose(face.points, points)
    assert face.box == (10.0, 12.0, 150.0, 130.0)
    assert "lip_p4" in found.read_log.findings[0].detail


def test_tfw_has_several_faces_an_image(tmp_path):
    points = seen_from("tfw5").round()
    numbers = ",".join(f"{value:g}" for value in points.ravel())
    text = f"image,xs,ys,xe,ye\na.png,10,20,60,90,{numbers}\na.png,80,20,120,90,{numbers}\nb.png,1,2,3,4,{numbers}\n"
    (tmp_path / "outdoor.csv").write_text(text + f"a.png,50,20,50,90,{numbers}\na.png,1,2\n")
    write_image(tmp_path / "outdoor/a.png")
    found = open_tfw(str(tmp_path))
    assert [face.box for face in found.faces] == [(10, 20, 60, 90), (80, 20, 120, 90)]
    np.testing.assert_array_equal(found.faces[0].points, points)
    assert {face.image for face in found.faces} == {"outdoor/a.png"}
    assert found.read_log.summary()["faults"]["left_out"] == {"empty_box": 1, "no_image": 1, "wrong_length": 1}


def test_tfw_yolo_shares_become_pixels(tmp_path):
    shares = [0.5, 0.5, 0.25, 0.5, *np.tile((0.25, 0.75), 4), -1, -1]
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").write_text("0 " + " ".join(map(str, shares)) + "\n")
    write_image(tmp_path / "images/a.png", (100, 200))
    found = open_tfw(str(tmp_path))
    (face,) = found.faces
    assert face.box == (74.5, 24.5, 124.5, 74.5)
    np.testing.assert_allclose(face.points[0], (49.5, 74.5))
    assert np.isnan(face.points[4]).all()
    assert found.read_log.summary()["faults"]["used"] == {"points_missing": 1}


def test_points_files_and_lists(tmp_path):
    lines = "\n".join(f"{x + 1} {y + 1}" for x, y in IBUG)
    (tmp_path / "a.pts").write_text(f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n")
    write_image(tmp_path / "a.jpg")
    nineteen = seen_from("aflw19")
    header = ["image_name", "scale", *(f"original_{index}_{axis}" for index in range(19) for axis in "xy")]
    row = ["flickr/b.jpg", "1.2", *map(str, nineteen.ravel())]
    (tmp_path / "list.csv").write_text(",".join(header) + "\n" + ",".join(row) + "\n" + ",".join(row[:-1]) + ",x\n")
    write_image(tmp_path / "flickr/b.jpg")
    found = open_point_files(str(tmp_path))
    assert [face.convention for face in found.faces] == ["ibug68", "aflw19"]
    np.testing.assert_allclose(found.faces[0].points, IBUG)
    np.testing.assert_allclose(found.faces[1].points, nineteen)
    assert found.read_log.summary()["left_out"] == 1
    with pytest.raises(ValueError, match="announced 68"):
        parse_pts("n_points: 68 { 1 2 }")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not KINDS[kind].is_variant])
def test_an_empty_folder_is_refused_and_a_missing_one_described(tmp_path, kind):
    with pytest.raises(ValueError, match="expected"):
        KINDS[kind].open(str(tmp_path))
    text = missing_message("mine", kind, str(tmp_path / "nowhere"))
    assert "nowhere" in text
    assert "evaluation.sets.mine.path" in text
    assert json.dumps(text)
