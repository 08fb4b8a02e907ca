"""The writers: layout, counts, and the same bytes for any number of processes."""

import io
import zipfile

import cv2
import numpy as np
import pytest

from heads import writing
from heads.scene import render_face
from heads.writing import LAB_FIRST_FACE, write_faces
from source.render_faces import render_faces
from source.render_lab import render_lab
from tfake.core.classes import FaceClass, is_class_id
from tfake.core.radiometry import decode_counts
from variants.render_truth import render_truth

PIXELS = 96


def numbered(number: int) -> writing.Members:
    """Stand-in for a renderer; spawned workers import it from here."""
    return [(f"{number:06d}.txt", str(number).encode() * 100)]


def failing(number: int) -> writing.Members:
    if number == 2:
        raise ArithmeticError("face 2 cannot be rendered")
    return numbered(number)


def read_image(data: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)


def read_zip(path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
        assert all(entry.date_time == (1980, 1, 1, 0, 0, 0) for entry in archive.infolist())
        return {name: archive.read(name) for name in archive.namelist()}


def test_members_are_in_order_whatever_the_processes(tmp_path):
    for processes in (1, 3):
        writing._write(tmp_path / f"{processes}.zip", numbered, 25, PIXELS, processes)
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "3.zip").read_bytes()
    assert list(read_zip(tmp_path / "1.zip")) == [f"{number:06d}.txt" for number in range(25)]


def test_a_failing_face_leaves_nothing(tmp_path):
    (tmp_path / "faces.zip").write_bytes(b"an older archive")
    with pytest.raises(ArithmeticError, match="face 2"):
        writing._write(tmp_path / "faces.zip", failing, 30, PIXELS, 2)
    assert (tmp_path / "faces.zip").read_bytes() == b"an older archive"
    assert [path.name for path in tmp_path.iterdir()] == ["faces.zip"]


@pytest.mark.parametrize(("name", "values"), [("images", (0, 96, 1)), ("pixels", (1, 0, 1)), ("processes", (1, 96, 0))])
def test_numbers_below_one_are_named(tmp_path, name, values):
    images, pixels, processes = values
    with pytest.raises(ValueError, match=f"{name} must be at least 1; found 0"):
        write_faces(tmp_path / "faces.zip", 1, images, pixels, processes)


def test_archives_are_the_same_for_one_and_two_processes(tmp_path):
    for processes in (1, 2):
        render_faces(str(tmp_path / f"faces{processes}.zip"), 5, 2, PIXELS, threads=processes)
        render_truth(str(tmp_path / f"truth{processes}.zip"), 5, 2, PIXELS, 20.0, "measured", threads=processes)
        render_lab(str(tmp_path / f"lab{processes}.zip"), 5, 2, PIXELS, (25.0, 26.0), "measured", threads=processes)
    for name in ("faces", "truth", "lab"):
        assert (tmp_path / f"{name}1.zip").read_bytes() == (tmp_path / f"{name}2.zip").read_bytes(), name
    check_faces(read_zip(tmp_path / "faces1.zip"))
    check_truth(read_zip(tmp_path / "truth1.zip"), read_zip(tmp_path / "faces1.zip"))
    check_lab(read_zip(tmp_path / "lab1.zip"), read_zip(tmp_path / "faces1.zip"))


def check_faces(members: dict[str, bytes]) -> None:
    assert list(members)[:3] == ["000000.png", "000000_seg.png", "000000_ldmks.txt"]
    assert len(members) == 6
    rgb, classes = read_image(members["000001.png"]), read_image(members["000001_seg.png"])
    assert (rgb.shape, rgb.dtype) == ((PIXELS, PIXELS, 3), np.uint8)
    assert (classes.shape, classes.dtype) == ((PIXELS, PIXELS), np.uint8)
    assert is_class_id(classes).all()
    lines = members["000001_ldmks.txt"].decode("ascii").split("\n")
    assert len(lines) == 71
    assert lines[-1] == ""
    points = np.loadtxt(io.BytesIO(members["000001_ldmks.txt"]))
    assert points.shape == (70, 2)
    assert lines[0] == f"{points[0, 0]:.3f} {points[0, 1]:.3f}"


def check_truth(members: dict[str, bytes], faces: dict[str, bytes]) -> None:
    assert list(members)[:2] == ["000000_camera.png", "000000_expected.png"]
    assert len(members) == 4
    background = read_image(faces["000001_seg.png"]) == FaceClass.BACKGROUND
    camera, expected = (read_image(members[f"000001_{form}.png"]) for form in ("camera", "expected"))
    assert camera.dtype == expected.dtype == np.uint16
    assert np.all(decode_counts(expected)[background] == pytest.approx(20.0, abs=1e-4))
    inner = cv2.erode(background.astype(np.uint8), np.ones((9, 9))).astype(bool)
    assert decode_counts(camera)[inner].std() == pytest.approx(0.065, abs=0.02)
    assert decode_counts(camera)[~background].mean() > 24.0


def check_lab(members: dict[str, bytes], faces: dict[str, bytes]) -> None:
    assert list(members)[:4] == ["000000_v.png", "000000_t.png", "000000_seg.png", "000000_mesh.npy"]
    assert len(members) == 9
    mesh = np.load(io.BytesIO(members["000001_mesh.npy"]))
    assert (mesh.shape, mesh.dtype) == ((468, 3), np.float32)
    np.testing.assert_allclose(mesh, render_face(5, LAB_FIRST_FACE + 1, PIXELS, "lab").mesh, atol=1e-5)
    assert members["pairs.csv"].decode().split() == [
        "name,subject,ambient_celsius",
        "000000,000000,25",
        "000001,000001,26",
    ]
    assert read_image(members["000000_t.png"]).dtype == np.uint16
    assert read_image(members["000000_v.png"]).shape == (PIXELS, PIXELS, 3)
    assert members["000000_v.png"] != faces["000000.png"]
    for name, room in (("000000_t.png", 25.0), ("000001_t.png", 26.0)):
        assert np.median(decode_counts(read_image(members[name]))[0]) == pytest.approx(room, abs=0.1)


def test_truth_and_pairs_follow_the_tables_they_are_asked_for():
    for members in (writing._truth_members, writing._lab_members):
        room = 20.0 if members is writing._truth_members else [20.0]
        with pytest.raises(FileNotFoundError, match="nobodys"):
            members(5, PIXELS, room, "nobodys", 0)


def test_png_is_rgb():
    red = np.zeros((2, 2, 3), np.uint8)
    red[..., 0] = 200
    assert read_image(writing._png(red))[0, 0].tolist() == [0, 0, 200]


def test_lab_faces_are_nobody_of_the_main_set():
    assert LAB_FIRST_FACE > 1_000_000
