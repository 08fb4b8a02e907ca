"""Labelled sets on made-up folders of their layout: who, what, where to ask, and what is left out."""

import cv2
import numpy as np
import pytest

from annotated_sets import charlotte_cells, labelme, seen_from, write_charlotte, write_image
from tfake.classification.labelled_sets import KINDS, labelled_clips
from tfake.config.models_classification import LabelledSet
from tfake.core.codes import ApparentSex
from tfake.core.radiometry import encode_celsius
from tfake.test_sets.sf_tl54 import GROUPS

CLASSES = ("male", "female")


def about(kind, path, labels, values="celsius"):
    return {"kind": kind, "path": str(path), "labels": str(labels), "values": values}


def write_table(path, *lines):
    path.write_text("\n".join(lines) + "\n")
    return path


def write_tlinear(path, celsius):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((60, 80), 22.0)
    cv2.ellipse(image, (40, 30), (20, 25), 0, 0, 360, celsius, -1)
    assert cv2.imwrite(str(path), encode_celsius(image))


def test_the_config_has_the_kinds_that_there_are():
    assert set(LabelledSet.model_fields["kind"].annotation.__args__) == set(KINDS)
    assert tuple(code.name.lower() for code in ApparentSex if code is not ApparentSex.UNKNOWN) == CLASSES


@pytest.mark.parametrize("kind", ["table", "carl"])
def test_a_table_says_who_and_what_is_on_each_image(tmp_path, kind):
    for number, celsius in enumerate((33.0, 34.0, 35.0)):
        write_tlinear(tmp_path / f"set/deep/{number}.tiff", celsius)
    table = write_table(
        tmp_path / "labels.csv",
        "subject;label;path;left;top;right;bottom",
        "anna;Female;deep/0.tiff;20;5;60;55",
        "bert;male;deep/1.tiff;20;5;60;55",
        "cleo;other;deep/2.tiff;20;5;60;55",
        "dora;female;deep/9.tiff;20;5;60;55",
        "erik;;deep/2.tiff;20;5;60;55",
        ";male;deep/2.tiff;20;5;60;55",
        "finn;male;deep/2.tiff;20;x;60;55",
    )
    clips, log = labelled_clips("mine", about(kind, tmp_path / "set", table), CLASSES)
    assert [(clip.subject, clip.label, clip.frames) for clip in clips] == [("mine:anna", 1, 1), ("mine:bert", 0, 1)]
    assert clips[0].box == (20.0, 5.0, 60.0, 55.0)
    assert clips[0].read().shape == (1, 60, 80)
    assert [clip.read().max() for clip in clips] == pytest.approx([33, 34], abs=0.01)
    assert {finding.row: finding.fault for finding in log.findings} == {
        "labels.csv:4": "another_label",
        "labels.csv:5": "no_image",
        "labels.csv:6": "no_label",
        "labels.csv:7": "no_subject",
        "labels.csv:8": "unreadable",
    }


def test_without_boxes_the_picture_is_the_face_and_gray_values_are_spread_over_the_window(tmp_path):
    write_image(tmp_path / "set/a.png")
    table = write_table(tmp_path / "labels.csv", "path,subject,label", "a.png,x,male")
    ((clip,), _) = labelled_clips("mine", about("table", tmp_path / "set", table, "relative"), CLASSES)
    assert clip.box is None
    np.testing.assert_allclose(clip.read(), 20 + 20 * 90 / 255, rtol=1e-5)


def test_charlotte_has_subjects_and_boxes_and_the_table_their_labels(tmp_path):
    points = seen_from("charlotte73")
    rows = {f"S{n}": [charlotte_cells(f"R{n}1101", points)] for n in (1, 2)}
    write_charlotte(tmp_path, rows, ("R11101", "R21101"))
    table = write_table(tmp_path / "who.txt", "subject,label", "S1,female")
    ((clip,), log) = labelled_clips("unc", about("charlotte", tmp_path, table), CLASSES)
    assert (clip.subject, clip.label) == ("unc:S1", 1)
    np.testing.assert_allclose(clip.box, [*points.min(axis=0), *points.max(axis=0)], atol=1)
    assert clip.read().max() == pytest.approx(34, abs=0.01)
    assert [(finding.fault, finding.excluded) for finding in log.findings] == [("no_label", True)]


def test_sf_tl54_has_subjects_in_its_names(tmp_path):
    points = np.split(seen_from("sf_tl54"), np.cumsum(list(GROUPS.values()))[:-1])
    (tmp_path / "json").mkdir()
    for name in ("7_1", "8_1"):
        (tmp_path / f"json/{name}.json").write_text(labelme(dict(zip(GROUPS, points, strict=True))))
        write_image(tmp_path / f"images/{name}.png")
    table = write_table(tmp_path / "who.txt", "subject,label", "7,male", "8,female")
    clips, _ = labelled_clips("sf", about("sf_tl54", tmp_path, table, "relative"), CLASSES)
    assert [(clip.subject, clip.label) for clip in clips] == [("sf:7", 0), ("sf:8", 1)]


@pytest.mark.parametrize("has_boxes", [True, False])
def test_tufts_has_participants_as_folders_and_boxes_beside_them(tmp_path, has_boxes):
    folder = tmp_path / "set"
    for place in ("TD_IR_A_Set1/1/TD_IR_A_0", "TD_IR_A_Set1/1/TD_IR_A_8", "TD_IR_E_Set2/26/TD_IR_E_1", "x/y/TD_IR_E_1"):
        write_image(folder / f"{place}.jpg")
    write_image(folder / "TD_RGB_E_Set1/1/TD_RGB_E_1.jpg")
    if has_boxes:
        boxes = ("TD_IR_A_Set1,1,TD_IR_A_0.jpg,40,30,60,80", "TD_IR_A_Set1,1,TD_IR_A_8.jpg,78,58,1,2")
        boxes += ("TD_IR_E_Set2,26,TD_IR_E_1.jpg,41,31,61,81",)
        write_table(folder / "bounding-boxes.csv", "Set,Participant,File,Left,Top,Width,Height", *boxes)
    table = write_table(tmp_path / "who.csv", "subject,label", "1,female", "26,male")
    clips, log = labelled_clips("tufts", about("tufts", folder, table, "relative"), CLASSES)
    people = [("tufts:1", 1), ("tufts:26", 0)] if has_boxes else [("tufts:1", 1), ("tufts:1", 1), ("tufts:26", 0)]
    assert [(clip.subject, clip.label) for clip in clips] == people
    assert clips[-1].box == ((41.0, 31.0, 102.0, 112.0) if has_boxes else None)
    faults = {finding.row: finding.fault for finding in log.findings}
    assert faults == {"x/y/TD_IR_E_1.jpg": "no_participant"} | (
        {"TD_IR_A_Set1/1/TD_IR_A_8.jpg": "no_face"} if has_boxes else {}
    )


def test_a_folder_without_tufts_images_or_with_other_boxes_is_refused(tmp_path):
    write_image(tmp_path / "set/1/a.jpg")
    table = write_table(tmp_path / "who.csv", "subject,label", "1,female")
    with pytest.raises(ValueError, match=r"expected TD_IR_A_Set\*/ and .* found none"):
        labelled_clips("tufts", about("tufts", tmp_path / "set", table, "relative"), CLASSES)
    write_image(tmp_path / "set/1/TD_IR_A_0.jpg")
    write_table(tmp_path / "set/bounding-boxes.csv", "a,b", "1,2")
    with pytest.raises(ValueError, match=r"expected the columns set,participant,.*; found a,b"):
        labelled_clips("tufts", about("tufts", tmp_path / "set", table, "relative"), CLASSES)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_missing_folder_says_where_to_ask(tmp_path, kind):
    table = write_table(tmp_path / "labels.csv", "path,subject,label")
    with pytest.raises(FileNotFoundError) as raised:
        labelled_clips("mine", about(kind, tmp_path / "nothing", table), CLASSES)
    message = str(raised.value)
    for part in (KINDS[kind].source, KINDS[kind].terms, "face_classification.apparent_sex.sets.mine.path", "nothing"):
        assert part in message
    (tmp_path / "set").mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"sets\.mine\.labels names\. It is a CSV that you write: .*subject, label"
    ):
        labelled_clips("mine", about(kind, tmp_path / "set", tmp_path / "no.csv"), CLASSES)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("path,label", "a.png,male"), "expected the columns path, subject, label; found path, label: subject is not"),
        (("path,subject,label", "a.png,x,unknown"), "no image can be used; expected the labels male, female"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path, lines, message):
    write_image(tmp_path / "set/a.png")
    table = write_table(tmp_path / "labels.csv", *lines)
    with pytest.raises(ValueError, match=message):
        labelled_clips("mine", about("table", tmp_path / "set", table, "relative"), CLASSES)


def test_a_person_has_one_label(tmp_path):
    write_charlotte(tmp_path, {"S1": [charlotte_cells("R11101", seen_from("charlotte73"))]}, ("R11101",))
    table = write_table(tmp_path / "who.txt", "subject,label", "S1,female", "S1,male")
    with pytest.raises(ValueError, match="line 3: S1 is female and male"):
        labelled_clips("unc", about("charlotte", tmp_path, table), CLASSES)
