"""Where the command line writes: never over an input, whole or not at all, and checked before the first picture."""

import json
import os

import cv2
import numpy as np
import pytest

from camera_files import CELSIUS, COUNTS, GRAY, film, tiff
from landmark_command import runner, save_random_weights, write
from tfake.landmarks.__main__ import main
from tfake.landmarks.landmarker import LandmarkDetections, ThermalLandmarker
from tfake.landmarks.outputs import draw_faces, with_legend


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_random_weights(tmp_path_factory.mktemp("weights") / "w.pt")


@pytest.fixture
def run(weights, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    return runner(weights, tmp_path, capsys)


def test_the_json_goes_to_the_terminal_alone(run, tmp_path, weights, capsys):
    write(tmp_path, a__png=COUNTS)
    assert main(["a.png", "-w", str(weights), "--device", "cpu"]) == 0
    assert json.loads(capsys.readouterr().out)["images"][0]["image"] == "a.png"


def test_one_stem_twice_is_two_drawings(run, tmp_path):
    write(tmp_path / "pics", **{"0001__tiff": tiff(COUNTS), "0001__jpg": GRAY, "0002__tiff": tiff(COUNTS)})
    assert run("pics", "--draw", "drawn")[0] == 0
    drawn = sorted(path.name for path in (tmp_path / "drawn").iterdir())
    assert drawn == ["0001.jpg.png", "0001.tiff.png", "0002.tiff.png"]


@pytest.mark.parametrize(
    "draw", ["two", "two/", "two/../two", "linked", "two/a.png"], ids=["itself", "slash", "dots", "link", "a file"]
)
def test_an_input_is_never_written_over(run, tmp_path, draw):
    write(tmp_path / "two", a__png=COUNTS, b__png=COUNTS)
    os.symlink("two", tmp_path / "linked")
    before = (tmp_path / "two/a.png").read_bytes()
    status, content, err = run("two/a.png" if draw == "two/a.png" else "two", "--draw", draw)
    assert (status, content) == (1, None)
    assert "name another place" in err
    assert (tmp_path / "two/a.png").read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "two").iterdir()) == ["a.png", "b.png"]


def test_links_in_the_drawings_folder_lead_to_no_input(run, tmp_path):
    write(tmp_path / "two", a__png=COUNTS, b__png=COUNTS)
    (tmp_path / "drawn").mkdir()
    os.symlink("../two/a.png", tmp_path / "drawn/a.png")
    os.link(tmp_path / "two/b.png", tmp_path / "drawn/b.png")
    before = (tmp_path / "two/b.png").read_bytes()
    assert run("two", "--draw", "drawn")[0] == 1
    assert (tmp_path / "two/b.png").read_bytes() == before


def test_the_json_is_no_input_s_place(weights, tmp_path, capsys):
    write(tmp_path, a__png=COUNTS)
    assert main([str(tmp_path / "a.png"), "-w", str(weights), "-o", str(tmp_path / "a.png")]) == 1
    assert "would be written over the input" in capsys.readouterr().err
    assert cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED).dtype == np.uint16


@pytest.mark.parametrize(
    ("out", "draw"), [("d.png", "d.png"), ("d", "d"), ("d", "d/e"), ("d/a.png", "d"), ("./d/x/b.png", "d")]
)
def test_the_json_and_the_drawings_keep_apart(weights, tmp_path, monkeypatch, capsys, out, draw):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "in", a__png=COUNTS)
    source = "in/a.png" if draw == "d.png" else "in"
    assert main([source, "-w", str(weights), "--device", "cpu", "-o", out, "--draw", draw]) == 1
    assert "in each other's place" in capsys.readouterr().err
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name != "in"]


def test_drawings_inside_the_inputs_are_no_inputs_next_time(run, tmp_path):
    write(tmp_path / "pics", a__png=COUNTS)
    for _ in range(2):
        status, content, _ = run("pics", "--draw", "pics/drawn")
        assert (status, len(content["images"])) == (0, 1)


def test_places_are_checked_before_the_first_picture(run, tmp_path, monkeypatch):
    write(tmp_path / "one", a__png=COUNTS)
    looked = []
    original = ThermalLandmarker.process
    monkeypatch.setattr(ThermalLandmarker, "process", lambda *a, **k: looked.append(1) or original(*a, **k))
    (tmp_path / "file").write_text("")
    for arguments, out, message in (
        (("one",), "one", "-o: one is a folder"),
        (("one",), "file/out.json", "cannot be written"),
        (("one", "--draw", "file"), "o.json", "is a file"),
        (("one", "--draw", "file/below"), "o.json", "cannot be written"),
        (("one/a.png", "--draw", "x.gif"), "o.json", "name an image"),
        (("one/none.png",), "o.json", "no such image"),
        (("empty",), "o.json", "no images"),
        (("one", "--values", "rankine"), "o.json", "rankine"),
    ):
        (tmp_path / "empty").mkdir(exist_ok=True)
        status, content, err = run(*arguments, out=out)
        assert (status, content, looked) == (1, None, []), arguments
        assert message in err
    assert run("one", "--draw", "drawn_one", out="res/deep/out.json")[0] == 0
    assert (tmp_path / "drawn_one/a.png").is_file()
    assert looked


def test_the_frames_of_a_stack_need_a_folder(run, tmp_path):
    write(tmp_path, a__tiff=tiff(COUNTS, COUNTS + 9))
    status, content, err = run("a.tiff", "--draw", "d.png")
    assert (status, content) == (1, None)
    assert "a folder for several" in err
    assert run("a.tiff", "--draw", "drawn")[0] == 0
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["000000.png", "000001.png"]


def test_no_input_is_a_usage_error(weights, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["-w", str(weights)])
    assert caught.value.code == 2
    assert "name an image" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv", ".mov", ".webm", ".gif"])
def test_films_of_drawings(run, tmp_path, suffix):
    pytest.importorskip("av", reason="the extra cameras is not installed")
    film(tmp_path / "a.mkv", [GRAY] * 3, "ffv1", "gray")
    status, content, err = run("a.mkv", "--draw", f"d{suffix}")
    if suffix == ".gif":
        assert (status, content) == (1, None)
        assert "drawn into a video" in err
        return
    assert status == 0, err
    video = cv2.VideoCapture(str(tmp_path / f"d{suffix}"))
    assert sum(1 for _ in iter(lambda: video.read()[0], False)) == 3
    assert run("a.mkv", "--draw", "frames")[0] == 0
    assert len(list((tmp_path / "frames").iterdir())) == 3


def test_a_drawing_s_legend_shows_its_colours():
    sigma = np.array([[0.0, 100.0]], np.float32)
    faces = LandmarkDetections(np.array([[[5, 5], [25, 18]]], np.float32), sigma, np.zeros(1))
    drawn = draw_faces(CELSIUS, faces)
    shown = with_legend(drawn)
    assert shown.shape[0] == drawn.shape[0] + 24
    strip = shown[drawn.shape[0] + 12]
    coloured = strip[np.ptp(strip.astype(int), axis=1) > 0]
    factor = drawn.shape[1] // 32
    np.testing.assert_allclose(coloured[0], drawn[int(5.5 * factor), int(5.5 * factor)], atol=3)
    np.testing.assert_allclose(coloured[-1], drawn[int(18.5 * factor), int(25.5 * factor)], atol=3)
