"""The command line on what people have: bad files among good ones, films that stop, scales, false colours, tags."""

import os
import warnings

import cv2
import numpy as np
import pytest

from camera_files import CELSIUS, COUNTS, GRAY, cptv, film, npy, radiometric_jpeg, table, tiff
from landmark_command import runner, save_random_weights, write
from tfake.landmarks.__main__ import find_faces, main
from tfake.landmarks.inputs import Picture, list_files, open_pictures
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.preprocessing import Interpretation, preprocess, read_image
from tfake.thermal_io.false_colours import palettes
from tfake.thermal_io.pictures import turn_upright


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return save_random_weights(tmp_path_factory.mktemp("weights") / "w.pt")


@pytest.fixture
def run(weights, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    return runner(weights, tmp_path, capsys)


def reasons(content):
    return {entry["image"]: entry["reason"] for entry in content["unreadable"]}


def test_one_bad_file_costs_no_other(run, tmp_path):
    folder = write(
        tmp_path / "pics", a0__png=COUNTS, a1__png=COUNTS, a2__tiff=tiff(COUNTS), zz_cut__png=b"\x89PNG\r\n\x1a\ncut"
    )
    (folder / "._a1.png").write_bytes(bytes.fromhex("0005160700020000") + bytes(60))
    (folder / ".hidden").mkdir()
    write(folder / ".hidden", x__png=COUNTS)
    (folder / "backup.png").mkdir()
    os.symlink("nowhere.png", folder / "link.png")
    os.symlink("ring.png", folder / "ring.png")
    os.mkfifo(folder / "pipe.png")
    np.save(folder / "shutter.npy", np.full((24, 32), np.nan, np.float32))
    write(folder, empty__jpg=b"", kelvin__npy=npy(CELSIUS + 273.15), notes__txt=b"nothing")
    status, content, err = run("pics")
    assert status == 1
    assert [entry["image"] for entry in content["images"]] == ["a0.png", "a1.png", "a2.tiff"]
    found = reasons(content)
    assert list(found) == [
        "empty.jpg",
        "kelvin.npy",
        "link.png",
        "pipe.png",
        "ring.png",
        "shutter.npy",
        "zz_cut.png",
    ]
    for name, part in (
        ("empty.jpg", "empty"),
        ("kelvin.npy", "pass --values kelvin"),
        ("link.png", "nowhere.png, which is not there"),
        ("pipe.png", "no ordinary file"),
        ("ring.png", "ring.png, which is not there"),
        ("shutter.npy", "none of its pixels has a temperature"),
        ("zz_cut.png", "damaged"),
    ):
        assert part in found[name]
        assert f"not read: {name}: {found[name]}" in err
    assert content["summary"] == {
        "files": 10,
        "pictures": 3,
        "with_faces": 3,
        "faces": 3,
        "unreadable": 7,
        "assumed": {"counts of 0.01 K": 3},
        "left_out": {".txt": 1},
    }
    status, content, err = run("pics", "--strict", out="strict.json")
    assert (status, content) == (1, None)
    assert "empty.jpg: the file is empty" in err


def test_an_entry_says_what_it_is(run, tmp_path):
    write(tmp_path, a__png=COUNTS)
    status, content, err = run("a.png")
    assert status == 0
    assert content["point_set"] == "face70"
    assert content["images"][0]["size"] == [32, 24]
    assert content["images"][0]["assumed"] == ["counts of 0.01 K"]
    assert len(content["images"][0]["faces"][0]["landmarks"]) == 70
    assert "1 x counts of 0.01 K" in err
    assert main(["a.png", "-w", "no.pt"]) == 1


def test_every_format_is_answered(run, tmp_path):
    for module in ("av", "cptv", "flyr"):
        pytest.importorskip(module, reason="the extra cameras is not installed")
    colours = palettes()["iron"].colours[np.repeat(np.repeat(GRAY, 3, 0), 3, 1)]
    folder = write(
        tmp_path / "in",
        flir__jpg=radiometric_jpeg(CELSIUS, GRAY),
        iron__png=colours,
        night__cptv=cptv([COUNTS, COUNTS]),
        stack__tiff=tiff(COUNTS, COUNTS, COUNTS),
        float__npy=npy(CELSIUS),
        gray__jpg=GRAY,
    )
    film(folder / "counts.mkv", [COUNTS] * 2, "ffv1", "gray16le")
    write(folder, measurements__csv=b"name;max\na;36,5\n")
    status, content, err = run("in", "--draw", "drawn")
    assert status == 0, err
    entries = {entry["image"]: entry for entry in content["images"]}
    assert list(entries) == [
        "counts.mkv#000000",
        "counts.mkv#000001",
        "flir.jpg",
        "float.npy",
        "gray.jpg",
        "iron.png",
        "night.cptv#000000",
        "night.cptv#000001",
        "stack.tiff#000000",
        "stack.tiff#000001",
        "stack.tiff#000002",
    ]
    assert entries["counts.mkv#000001"]["time_seconds"] == 0.1
    assert entries["night.cptv#000001"]["time_seconds"] == 0.111
    assert (entries["stack.tiff#000002"]["frame"], entries["stack.tiff#000002"]["time_seconds"]) == (2, None)
    assert entries["flir.jpg"]["assumed"] == ["degrees Celsius, by the file itself"]
    assert "palette iron" in entries["iron.png"]["assumed"][0]
    assert 0 <= entries["iron.png"]["masked"] < 0.2
    assert content["summary"]["left_out"] == {".csv": 1}
    drawn = {path.relative_to(tmp_path / "drawn").as_posix() for path in (tmp_path / "drawn").rglob("*.png")}
    assert {"flir.png", "stack.tiff/000002.png", "counts.mkv/000001.png"} <= drawn
    assert len(drawn) == len(entries)
    write(tmp_path / "tables", a__csv=table(CELSIUS).encode("utf-16"))
    status, content, _ = run("tables")
    assert (status, content["images"][0]["assumed"]) == (0, ["the table names no unit: degrees Celsius"])


def test_a_film_that_stops_is_no_success(run, tmp_path):
    pytest.importorskip("av", reason="the extra cameras is not installed")
    path = film(
        tmp_path / "a.avi",
        [np.random.default_rng(n).integers(0, 255, GRAY.shape, np.uint8) for n in range(9)],
        "ffv1",
        "gray",
    )
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    status, content, err = run("a.avi", "--draw", "d.mp4")
    read = len(content["images"])
    assert status == 1
    assert 0 < read < 9
    assert f"read {read} of 9 frames" in err
    assert content["images"][0]["image"] == "000000"
    assert (tmp_path / "d.mp4").stat().st_size
    (tmp_path / "none.mp4").write_bytes(b"no film")
    status, content, err = run("none.mp4", "--draw", "e.mp4")
    assert (status, content["images"]) == (1, [])
    assert "cannot be opened as a film" in err


def test_values_are_declared(run, tmp_path):
    write(tmp_path, k__npy=npy(CELSIUS + 273.15), raw__png=(COUNTS - 22000).astype(np.uint16))
    status, content, _ = run("k.npy", "--values", "kelvin")
    assert (status, content["images"][0]["assumed"]) == (0, ["declared kelvin"])
    assert run("raw.png")[0] == 1
    for option in ("--values", "--mode"):
        status, content, _ = run("raw.png", option, "relative")
        assert (status, content["images"][0]["assumed"]) == (0, ["relative uint16 numbers"])
    assert run("raw.png", "--values", "counts:100:220")[0] == 0


def test_false_colours_are_never_silently_without_a_face(run, tmp_path, weights):
    shades = np.repeat(np.repeat(GRAY, 3, 0), 3, 1)
    photograph = np.random.default_rng(0).integers(60, 200, (60, 60, 3), dtype=np.uint8)
    write(tmp_path / "in", unknown__png=cv2.applyColorMap(shades, cv2.COLORMAP_SPRING), photo__png=photograph)
    status, content, err = run("in", "--sliding-window", "--threshold", "0")
    assert status == 1
    assert "false colours of no palette that is known" in reasons(content)["unknown.png"]
    assert content["images"][0]["assumed"] == ["colours: a picture in visible light"]
    assert "no face in photo.png, taken for visible light" in err
    status, content, _ = run("in/unknown.png", "--mode", "pixel")
    assert status == 0


@pytest.mark.parametrize("tag", range(1, 9))
def test_points_are_those_of_the_stored_pixels(weights, tag):
    landmarker = ThermalLandmarker(weights, "cpu")
    plain = Picture("a", CELSIUS, "temperature", Interpretation(CELSIUS, "temperature"))
    reference = find_faces(landmarker, plain, False, False)
    # A tag that says how to turn this one back to it.
    back = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[tag]
    stored = np.ascontiguousarray(turn_upright(CELSIUS, back))
    turned = Picture("a", stored, "temperature", Interpretation(stored, "temperature"), orientation=tag)
    np.testing.assert_array_equal(turn_upright(stored, tag), CELSIUS)
    found = find_faces(landmarker, turned, False, False)
    rows, columns = np.mgrid[: stored.shape[0], : stored.shape[1]]
    upright_x, upright_y = (turn_upright(grid, tag) for grid in (columns, rows))
    for (x, y), (stored_x, stored_y) in zip(reference.landmarks[0], found.landmarks[0], strict=True):
        if 0 <= round(x) < 32 and 0 <= round(y) < 24:
            assert stored_x == pytest.approx(upright_x[round(y), round(x)], abs=0.51)
            assert stored_y == pytest.approx(upright_y[round(y), round(x)], abs=0.51)


def test_linked_folders_are_gone_into_once(tmp_path):
    write(tmp_path / "elsewhere", a__png=COUNTS)
    folder = write(tmp_path / "in", b__png=COUNTS)
    os.symlink(tmp_path / "elsewhere", folder / "more")
    os.symlink(folder, folder / "loop")
    files, _ = list_files(folder)
    assert [file.relative_to(folder).as_posix() for file in files] == ["b.png", "more/a.png"]


def test_a_folder_that_cannot_be_listed_is_told(tmp_path, monkeypatch):
    folder = write(tmp_path / "in", b__png=COUNTS)
    write(folder / "secret", a__png=COUNTS)
    listed = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", os.fspath(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    pictures = open_pictures(folder, strict=False)
    assert [picture.name for picture in pictures.items] == ["b.png"]
    assert pictures.unreadable == [("secret", "Permission denied")]


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.mkv")
    pictures = open_pictures(tmp_path / "pipe.mkv", strict=False)
    assert not list(pictures.items)
    assert pictures.unreadable == [("pipe.mkv", "no ordinary file")]


def test_the_library_raises_at_the_first_bad_file(tmp_path):
    write(tmp_path, a__png=b"text")
    with pytest.raises(ValueError, match=r"a\.png: "):
        list(open_pictures(tmp_path).items)
    with pytest.raises(ValueError, match=r"a\.png: "):
        read_image(tmp_path / "a.png")


def test_relative_numbers_are_stretched():
    image = np.arange(10000, dtype=np.int32).reshape(100, 100)
    seen = preprocess(image, "relative")[..., 0]
    assert seen.min() == 0
    assert seen.max() == 1
    np.testing.assert_allclose(seen[50, 0], (5000 - 99.99) / (9899.01 - 99.99), atol=1e-4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert preprocess(np.full((3, 3), 7.0), "relative").max() == 0
    with pytest.raises(ValueError, match="none of its pixels"):
        preprocess(np.full((3, 3), np.nan), "relative")
