"""Names inside folders and zips: what Windows, macOS and links do to a set leaves it the same set."""

import os
import zipfile

import numpy as np
import pytest

from archives import PIXELS, sample_members
from tfake.archive.file_trees import inner_path, inner_paths, open_tree
from tfake.archive.index import build_index
from tfake.archive.pairs import open_pairs
from tfake.archive.thermal_images import open_thermal_images
from tfake.archive.zip_archive import ArchiveError
from tfake.core.radiometry import encode_celsius
from thermal_sets import celsius, encode, visible, write_set

DOUBLE = bytes.fromhex("00051607000200004d6163204f53205820202020") + bytes(60)
RGB, THERMAL = encode(visible(), ".png"), encode(encode_celsius(celsius()), ".png")


def packed(path, files):
    """A zip whose names are written as they are, whatever they hold."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo("x")
            info.filename = name
            archive.writestr(info, data)
    return path


@pytest.mark.parametrize(
    ("stored", "inner"),
    [
        ("S1/a.png", "S1/a.png"),
        ("S1\\a.png", "S1/a.png"),
        (".\\S1\\\\a.png", "S1/a.png"),
        ("./S1/a.png", "S1/a.png"),
        ("/S1/a.png", "S1/a.png"),
        ("Jose\u0301.png", "Jos\u00e9.png"),
        ("._a.png", None),
        ("S1/._a.png", None),
        ("__MACOSX/S1/a.png", None),
        ("__MACOSX\\._a.png", None),
        ("@eaDir/a.png", None),
        ("S1/.git/a.png", None),
        ("../a.png", None),
        ("S1\\..\\a.png", None),
        ("", None),
        ("/", None),
    ],
)
def test_one_spelling(stored, inner):
    assert inner_path(stored) == inner


def pair_files(separator="/", root=""):
    return {
        f"{root}s{person}{separator}{name}": data
        for person in (1, 2)
        for name, data in (("a_v.png", RGB), ("a_t.png", THERMAL))
    }


@pytest.mark.parametrize(
    "files",
    [
        pair_files(),
        pair_files("\\"),
        pair_files(root="./"),
        pair_files() | {f"__MACOSX/{name}": DOUBLE for name in pair_files()},
        pair_files() | {f"s1/._{name}": DOUBLE for name in ("a_v.png", "a_t.png")} | {"._s1": DOUBLE},
        pair_files("\\") | {"s1\\": b"", "Thumbs.db": b"x", "desktop.ini": b"x"},
    ],
)
def test_a_zip_of_any_system_is_the_folder(tmp_path, files):
    pairs = open_pairs(packed(tmp_path / "set.zip", files), "celsius")
    assert (pairs.names, pairs.subjects) == (["s1/a", "s2/a"], ["s1", "s2"])
    np.testing.assert_allclose(pairs[1].thermal, celsius(), atol=0.006)


def test_a_folder_with_backslashes_in_its_names_is_read(tmp_path):
    for name, data in pair_files("\\").items():
        (tmp_path / name).write_bytes(data)
    assert open_pairs(tmp_path, "celsius").subjects == ["s1", "s2"]


def test_two_names_for_one_path_are_refused(tmp_path):
    files = {"s1/a.npy": b"x", "s1\\a.npy": b"y"}
    with pytest.raises(ValueError, match=r"'s1/a\.npy' and 's1\\\\a\.npy' are the same path"):
        open_tree(packed(tmp_path / "set.zip", files), "images")


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("name", ["../a.png", "set/../../a.png", "..\\a.png"])
def test_a_name_that_leads_out_is_left_out_aloud(name, caplog):
    assert inner_paths("set.zip", [name, "b.png", ".hidden"]) == {"b.png": "b.png"}
    assert [record.message for record in caplog.records] == [f"set.zip: {name!r} leads out of it and is left out"]


def test_a_name_twice_in_a_zip_is_refused_unless_its_contents_are_the_same(tmp_path):
    for second, fine in ((b"one", True), (b"two", False)):
        path = tmp_path / f"{fine}.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a.txt", b"one")
            archive.writestr("a.txt", second)
        if fine:
            assert open_tree(path, "texts").read("a.txt") == b"one"
        else:
            with pytest.raises(ValueError, match=r"a\.txt is in the zip twice"):
                open_tree(path, "texts")


def test_linked_folders_are_part_of_a_set(tmp_path):
    elsewhere = write_set(tmp_path / "elsewhere", {"deep/b.npy": celsius(3)})
    folder = write_set(tmp_path / "set", {"a.npy": celsius()})
    os.symlink(elsewhere, folder / "linked")
    os.symlink(elsewhere / "deep/b.npy", folder / "c.npy")
    os.symlink(folder, folder / "itself")
    os.symlink("..", elsewhere / "deep" / "up")
    images = open_thermal_images(folder, "celsius")
    assert images.names == ["a.npy", "c.npy", "linked/deep/b.npy"]
    np.testing.assert_array_equal(images[2][0], celsius(3))


def test_a_dangling_link_is_named(tmp_path):
    folder = write_set(tmp_path / "set", {"a.npy": celsius()})
    os.symlink(tmp_path / "nowhere.npy", folder / "b.npy")
    with pytest.raises(ValueError, match=r"set: b\.npy cannot be read \(No such file or directory\)"):
        open_thermal_images(folder, "celsius")


@pytest.mark.parametrize("wrapper", ["", "thermal/", "visible/", "seg/", "data/thermal/", "visible/thermal/"])
@pytest.mark.parametrize("subject", ["", "thermal/", "visible/", "S1/"])
@pytest.mark.parametrize("roles", [("visible", "thermal"), ("Visible", "Thermal")])
def test_folders_may_be_called_like_a_role(tmp_path, wrapper, subject, roles):
    rgb, thermal = roles
    files = {f"{wrapper}{rgb}/{subject}1.png": RGB, f"{wrapper}{thermal}/{subject}1.png": THERMAL}
    files |= {f"{wrapper}{rgb}/{subject}2.png": RGB, f"{wrapper}{thermal}/{subject}2.png": THERMAL}
    pairs = open_pairs(packed(tmp_path / "set.zip", files), "celsius", "folders")
    assert pairs.names == [f"{wrapper}{subject}1", f"{wrapper}{subject}2"]
    np.testing.assert_array_equal(pairs[0].rgb, visible())


@pytest.mark.parametrize("place", ["", "set/", "data/set/"])
@pytest.mark.parametrize("name", ["s1/a", "s1\\a"])
@pytest.mark.parametrize("table", ["pairs.csv", "Pairs.CSV"])
@pytest.mark.parametrize(
    "text",
    ["name,subject,ambient_celsius\n{},Ada,21.5\n", "name;subject;ambient_celsius\r\n{};Ada;21,5\r\n;;\r\n"],
)
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_table_is_found_beside_the_pairs(tmp_path, place, name, table, text, encoding):
    files = pair_files(root=place) | {f"{place}{table}": text.format(name).encode(encoding)}
    pairs = open_pairs(packed(tmp_path / "set.zip", files), "celsius")
    assert pairs.subjects == ["Ada", "s2"]
    assert pairs[0].ambient_celsius == 21.5


def test_the_table_may_name_pairs_from_the_top(tmp_path):
    files = pair_files(root="set/") | {"set/pairs.csv": b"name,subject\nset/s1/a,Ada\n"}
    assert open_pairs(packed(tmp_path / "set.zip", files), "celsius").subjects == ["Ada", "s2"]


def archive_ids(path, images=2):
    return build_index([path], images, PIXELS)["image_id"].tolist()


TWO = sample_members(0) | sample_members(1)


@pytest.mark.parametrize(
    "files",
    [
        TWO,
        {f"dataset_2/{name}": data for name, data in TWO.items()},
        {f"dataset_2\\{name}": data for name, data in TWO.items()},
        {f"./{name}": data for name, data in TWO.items()},
        TWO | {f"._{name}": DOUBLE for name in TWO},
        TWO | {f"__MACOSX/._{name}": DOUBLE for name in TWO} | {".DS_Store": b"x"},
        {f"d/{name}": data for name, data in TWO.items()} | {f"__MACOSX/d/._{name}": DOUBLE for name in TWO},
        {"000_overview.png": RGB, "README.txt": b"x"} | TWO,
        {name.replace(".png", ".PNG"): data for name, data in TWO.items()},
        {f"d/{name}": data for name, data in TWO.items()} | {"overview.png": RGB},
    ],
)
def test_an_archive_of_any_system_holds_the_same_samples(tmp_path, files):
    table = build_index([packed(tmp_path / "a.zip", files)], 2, PIXELS)
    assert table["image_id"].tolist() == ["000000", "000001"]
    assert table["status"].tolist() == [0, 0]
    plain = build_index([packed(tmp_path / "b.zip", TWO)], 2, PIXELS)
    assert table.attrs["source_sha256"] == plain.attrs["source_sha256"]


def test_samples_in_several_folders_are_refused(tmp_path):
    files = {f"a/{name}": data for name, data in sample_members(0).items()}
    files |= {f"b/{name}": data for name, data in sample_members(1).items()}
    with pytest.raises(ArchiveError, match="samples are in 2 folders, a, b"):
        archive_ids(packed(tmp_path / "a.zip", files))


def test_a_member_with_two_contents_is_refused(tmp_path):
    files = TWO | {"./000000.png": RGB}
    with pytest.raises(ArchiveError, match=r"'000000\.png' and '\./000000\.png' have the same path"):
        archive_ids(packed(tmp_path / "a.zip", files))


@pytest.mark.parametrize(
    ("change", "status", "detail"),
    [
        (lambda points: b"\xef\xbb\xbf" + points, 0, ""),
        (lambda points: points.replace(b"\n", b"\r\n"), 0, ""),
        (lambda points: points.replace(b"\n", b"\r"), 0, ""),
        (lambda points: points.decode().encode("utf-16"), 0, ""),
        (lambda points: points.replace(b" ", b","), 6, "found 70 lines with 1 in '"),
        (lambda points: points + b"1 2\n", 6, "expected 70 lines of two numbers, found 71 lines"),
    ],
)
def test_points_in_any_text(tmp_path, change, status, detail):
    files = TWO | {"000001_ldmks.txt": change(TWO["000001_ldmks.txt"])}
    table = build_index([packed(tmp_path / "a.zip", files)], 2, PIXELS)
    assert table["status"].tolist() == [0, status]
    assert detail in table["detail"][1]
