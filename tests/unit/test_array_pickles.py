"""Pickles of points in every protocol, by Python 2's and numpy 2's names too; and what a pickle must not do."""

import collections
import io
import os
import pickle
import struct
from pathlib import Path, PureWindowsPath

import numpy as np
import pytest

from tfake.variants.imported import as_array, load_arrays, read_points

POINTS = np.random.default_rng(0).random((478, 2)).astype(np.float32)


def written(path, content, protocol=4):
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "array",
    [
        POINTS,
        POINTS.astype(">f4"),
        POINTS.astype(np.float16),
        np.asfortranarray(POINTS.astype(np.float64)),
        np.c_[POINTS, POINTS[:, 0]],
        np.repeat(POINTS, 2, axis=1)[:, ::2],
        POINTS[None],
        POINTS.tolist(),
        [tuple(point) for point in POINTS],
        list(POINTS),
    ],
)
def test_every_protocol_gives_the_same_points(tmp_path, protocol, array):
    path = written(tmp_path / "a.pkl", {"000000.png": array, "000001.png": POINTS}, protocol)
    expected = np.asarray(array, dtype=np.float64)
    found = read_points(path)
    assert list(found) == ["000000", "000001"]
    np.testing.assert_array_equal(found["000000"], expected.reshape(478, -1))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_ordered_mappings_are_mappings(tmp_path, protocol):
    path = written(tmp_path / "a.pkl", collections.OrderedDict({"a.png": POINTS}), protocol)
    np.testing.assert_array_equal(read_points(path)["a"], POINTS)


def test_numpy_2_writes_other_names(tmp_path):
    for protocol in (4, 5):
        data = pickle.dumps({"a.png": POINTS}, protocol=protocol)
        renamed = data
        for module in (b"numpy.core.multiarray", b"numpy.core.numeric"):
            short = bytes([0x8C, len(module)]) + module
            other = module.replace(b"core", b"_core")
            renamed = renamed.replace(short, bytes([0x8C, len(other)]) + other)
        assert b"_core" in renamed
        # The frame is longer by what the names gained.
        (length,) = struct.unpack("<Q", renamed[3:11])
        renamed = renamed[:3] + struct.pack("<Q", length + len(renamed) - len(data)) + renamed[11:]
        np.testing.assert_array_equal(read_points(written(tmp_path / "a.pkl", renamed))["a"], POINTS)


def test_python_2_wrote_bytes_as_text():
    # Protocol 2, as Python 2 has it: U is a string of bytes.
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
    dtype = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    data = b"\x80\x02}U\x05a.png" + array + b"(K\x01K\x02\x85" + dtype + b"\x89U\x02\x07\xfftbs."
    np.testing.assert_array_equal(as_array(load_arrays(data)["a.png"]), [7, 255])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (None, "found ()"),
        (np.empty((0, 2), np.float32), "found (0, 2)"),
        (POINTS[:468], "found (468, 2)"),
        (np.full((478, 2), np.nan), "not finite"),
        (np.array([None, 1], dtype=object), "expected numbers, found an array of"),
        (np.array(["a", "b"]), "expected numbers, found an array of"),
        ("text", "could not convert"),
        ({"x": 1}, "expected an array of numbers, found dict"),
        ([[1.0, 2.0], [3.0]], "inhomogeneous"),
        (10**400, "expected an array of numbers"),
        (np.stack([POINTS, POINTS]), "found (2, 478, 2)"),
    ],
)
def test_one_bad_entry_is_a_finding(tmp_path, bad, reason, caplog):
    path = written(tmp_path / "a.pkl", {"bad.png": bad, "good.png": POINTS})
    assert list(read_points(path)) == ["good"]
    (message,) = caplog.messages
    assert f"{path}, bad.png: left out: " in message
    assert reason in message
    with pytest.raises(ValueError, match=r"a\.pkl: not one of its 1 entries can be used; bad\.png: "):
        read_points(written(path, {"bad.png": bad}))


def test_two_entries_for_one_image_are_ambiguous_unless_they_agree(tmp_path, caplog):
    content = {"a.png": POINTS, "warm/a_thermal.png": POINTS / 2, "b.png": POINTS, "x\\b.png": POINTS, "c.png": POINTS}
    assert list(read_points(written(tmp_path / "a.pkl", content))) == ["b", "c"]
    assert "a.png and warm/a_thermal.png have other points for the image a" in caplog.text


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_names_of_every_kind(tmp_path, protocol):
    names = ["a.png", b"b.png", Path("set/c_thermal.png"), PureWindowsPath("d.PNG"), "s1.e0", "s1.e1.jpg", 7]
    content = collections.defaultdict(list, dict.fromkeys(names, POINTS))
    found = read_points(written(tmp_path / "a.pkl", content, protocol))
    assert list(found) == ["a", "b", "c", "d", "s1.e0", "s1.e1", "7"]


def test_points_in_pixels_are_refused(tmp_path):
    path = written(tmp_path / "a.pkl", {"a.png": POINTS, "b.png": POINTS * 512, "c.png": POINTS - 0.4})
    assert list(read_points(path)) == ["a", "c"]
    with pytest.raises(
        ValueError, match=r"a\.pkl: not one of its 1 entries can be used; b\.png: expected .* in 0\.\.1"
    ):
        read_points(written(path, {"b.png": POINTS * 512}))
    with pytest.raises(ValueError, match="not one of its 0 entries"):
        read_points(written(path, {}))


def test_many_bad_entries_are_counted(tmp_path, caplog):
    content = {f"{number}.png": None for number in range(30)} | {"good.png": POINTS}
    assert list(read_points(written(tmp_path / "a.pkl", content))) == ["good"]
    assert len(caplog.messages) == 21
    assert caplog.messages[-1].endswith("10 further entries are left out")


class Call:
    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "call",
    [
        Call(print, "ran"),
        Call(os.system, "echo ran"),
        Call(eval, "print('ran')"),
        Call(getattr, np.ndarray, "tofile"),
        Call(np.load, "x.npy"),
        Call(np.fromfile, "x"),
        Call(bytes, 1 << 40),
        Call(bytearray, 5),
    ],
)
def test_nothing_is_called(tmp_path, protocol, call, capfd):
    path = written(tmp_path / "a.pkl", {"a.png": POINTS, "b.png": call}, protocol)
    with pytest.raises(ValueError, match=r"a\.pkl is no pickle of dense points: "):
        read_points(path)
    assert "ran" not in capfd.readouterr().out


def test_a_pickle_cannot_change_what_stands_in(tmp_path):
    # BUILD with attributes for the stand-in of numpy.dtype itself.
    data = b"\x80\x04\x8c\x05numpy\x8c\x05dtype\x93N}\x8c\x04make\x8c\x01xs\x86b."
    with pytest.raises(ValueError, match="is no pickle of dense points"):
        read_points(written(tmp_path / "a.pkl", data))
    assert list(read_points(written(tmp_path / "b.pkl", {"a.png": POINTS}))) == ["a"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no pickle",
        b"\x80\x04.",
        b"\x80\x09}.",
        b"\x80\x04}r\xff\xff\xff\x7f.",  # a memo of two thousand million entries
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",  # as many bytes as there can be
        b"\x80\x04(" * 1000,
        pickle.dumps([1]),
        pickle.dumps({"a.png": POINTS})[:-50],
        b"<html>log in first</html>",
    ],
)
def test_what_is_no_pickle_of_points_is_refused_with_its_name(tmp_path, data):
    with pytest.raises(ValueError, match=r"a\.pkl"):
        read_points(written(tmp_path / "a.pkl", data))


def test_an_entry_refers_to_another(tmp_path):
    stream = io.BytesIO()
    pickle.Pickler(stream, 4).dump({"a.png": POINTS, "b.png": POINTS})
    found = read_points(written(tmp_path / "a.pkl", stream.getvalue()))
    np.testing.assert_array_equal(found["a"], found["b"])
