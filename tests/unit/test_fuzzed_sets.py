"""Files that are damaged anywhere: a reader says so by its own error or leaves out a row; nothing else comes out."""

import io
import json
import pickle
import tempfile
import zipfile
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotated_sets import charlotte_cells, labelme, ljson, seen_from
from archives import PIXELS, sample_members, write_archive
from tfake.acquisition.registry import read_registry
from tfake.archive.file_trees import open_tree
from tfake.archive.index import build_index
from tfake.archive.pairs import open_pairs
from tfake.archive.thermal_images import open_thermal_images
from tfake.archive.zip_archive import ArchiveError
from tfake.core.radiometry import encode_celsius
from tfake.core.text_tables import decode_text, read_rows
from tfake.test_sets.catalogue import KINDS
from tfake.test_sets.charlotte import HEADER
from tfake.test_sets.sf_tl54 import GROUPS
from tfake.thermalizer.prior_table import load_prior
from tfake.variants.imported import read_points
from thermal_sets import celsius, encode, visible, write_set

few = settings(max_examples=60, deadline=None, derandomize=True, database=None)
GRAY = np.full((100, 120), 90, np.uint8)
COUNTS = np.full((100, 120), 30000, np.uint16)


@st.composite
def damaged(draw, data):
    """Some bytes of a file flipped, cut off its end, dropped or put twice; or others in place of all."""
    data = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(0, len(data) - 1)))
        length = draw(st.integers(1, 40))
        kind = draw(st.sampled_from(("flip", "cut", "drop", "twice", "put", "all")))
        if kind == "flip" and data:
            data[place] ^= draw(st.integers(1, 255))
        elif kind == "cut":
            del data[place:]
        elif kind == "drop":
            del data[place : place + length]
        elif kind == "twice":
            data[place:place] = data[place : place + length]
        elif kind == "put":
            data[place : place + length] = draw(st.binary(max_size=40))
        elif kind == "all":
            data = bytearray(draw(st.binary(max_size=80)))
    return bytes(data)


class _Folder(tempfile.TemporaryDirectory):
    def __enter__(self):
        return Path(super().__enter__())


@contextmanager
def only(kind, name):
    """Let errors of one kind pass, if they name the file."""
    try:
        yield
    except kind as error:
        if name not in str(error):
            raise AssertionError(f"the message does not name {name}") from error


def zip_of(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            data = encode(content, Path(name).suffix) if isinstance(content, np.ndarray) else content
            archive.writestr(name, data)
    return buffer.getvalue()


SAMPLES = write_archive(Path(tempfile.mkdtemp()) / "a.zip", sample_members(0) | sample_members(1)).read_bytes()


@few
@given(damaged(SAMPLES))
def test_an_archive(data):
    with _Folder() as folder:
        (folder / "a.zip").write_bytes(data)
        with only(ArchiveError, "a.zip"):
            assert build_index([folder / "a.zip"], 2, PIXELS)["status"].between(0, 6).all()


PAIRS = {"s1/a_v.png": visible(), "s1/a_t.png": encode_celsius(celsius()), "s1/a_seg.png": np.ones((20, 30), np.uint8)}
PAIRS |= {"pairs.csv": b"name,subject,ambient_celsius\ns1/a,Ada,21.5\n"}


@few
@given(damaged(zip_of(PAIRS)))
def test_a_zip_of_pairs(data):
    with _Folder() as folder:
        (folder / "a.zip").write_bytes(data)
        with only(ValueError, "a.zip"):
            for pair in open_pairs(folder / "a.zip", "celsius"):
                assert np.isfinite(pair.thermal).all()
            tree = open_tree(folder / "a.zip", "pairs")
            assert all(tree.read(name) is not None for name in tree.names)


@few
@given(st.data(), st.sampled_from([*PAIRS]))
def test_a_file_of_pairs(data, name):
    content = PAIRS[name]
    content = encode(content, ".png") if isinstance(content, np.ndarray) else content
    with _Folder() as folder:
        write_set(folder, PAIRS | {name: data.draw(damaged(content))})
        with only(ValueError, str(folder)):
            for pair in open_pairs(folder, "celsius"):
                assert pair.rgb.dtype == np.uint8


@few
@given(st.data(), st.sampled_from([".npy", ".tiff", ".png"]), st.sampled_from(["celsius", "relative", "counts:10"]))
def test_a_thermal_image(data, suffix, values):
    image = celsius() if suffix == ".npy" else encode_celsius(celsius())
    with _Folder() as folder:
        write_set(folder, {f"a{suffix}": data.draw(damaged(encode(image, suffix)))})
        with only(ValueError, str(folder)):
            thermal, foreground = open_thermal_images(folder, values)[0]
            assert thermal.shape == foreground.shape


def shapes():
    points = np.split(seen_from("sf_tl54"), np.cumsum(list(GROUPS.values()))[:-1])
    return {"face": [[10.0, 12.0], [90.0, 95.0]], **dict(zip(GROUPS, points, strict=True))}


FIVE = ",".join(f"{value:g}" for value in seen_from("tfw5").round().ravel())
COLUMNS = "image_name," + ",".join(f"original_{i}_x,original_{i}_y" for i in range(5))
HEAD = ",".join((*HEADER, "Distance", "RH", "Airflow", "env-temp", "Sensation"))
FRONT = ",".join(charlotte_cells("R1001", seen_from("charlotte73")))
IBUG = seen_from("ibug68")
BLOCKS = {"jaw": (0, 17), "left_eyebrow": (17, 22), "right_eyebrow": (22, 27), "nose": (27, 36), "left_eye": (36, 42)}
BLOCKS |= {"right_eye": (42, 48), "mouth": (48, 68)}
MASKS = [(name, list(range(*block))) for name, block in BLOCKS.items()]
# Of each kind: the file that is damaged, and what lies beside it.
SETS = {
    "charlotte": ("S1.csv", f"{HEAD}\n{FRONT}\n{FRONT}\n", {"S1/R1001.tiff": COUNTS, "S2.csv": f"{HEAD}\n{FRONT}\n"}),
    "aachen": ("a_1.ljson", ljson(IBUG, MASKS), {"a_1.png": GRAY, "b_1.ljson": ljson(IBUG, []), "b_1.png": GRAY}),
    "sf_tl54": ("json/1_1.json", labelme(shapes()), {"images/1_1.png": GRAY, "json/2_1.json": labelme(shapes())}),
    "tfw": (
        "outdoor.csv",
        f"a.jpg,10,10,60,70,{FIVE}\n" * 3,
        {"outdoor/a.jpg": GRAY, "indoor.csv": f"a.jpg,1,1,6,7,{FIVE}"},
    ),
    "point_files": ("list.csv", f"{COLUMNS}\nf.png,{FIVE}\n" * 2, {"f.png": GRAY, "f.pts": "{ 1 2 3 4 5 9 7 8 9 1 }"}),
}
YOLO = "0 0.3 0.4 0.4 0.6 0.2 0.3 0.4 0.3 0.3 0.4 0.22 0.5 0.38 0.5\n"


def check_set(kind, files):
    with _Folder() as folder:
        found = KINDS[kind].open(str(write_set(folder, files)))
        summary = found.read_log.summary()
        assert summary["used"] == len(found.faces)
        assert summary["rows"] == summary["used"] + summary["left_out"]
        assert len(set(found.read_log.rows)) == len(found.read_log.rows)
        for face in found.faces:
            assert face.size > 0
            assert np.isfinite(face.box).all()
            assert found.read_image(face.image).size


@pytest.mark.parametrize("kind", SETS)
@few
@given(st.data())
def test_an_annotation_file(kind, data):
    name, text, others = SETS[kind]
    check_set(kind, others | {name: data.draw(damaged(text.encode()))})


@few
@given(damaged(YOLO.encode() * 2))
def test_a_yolo_text(data):
    check_set("tfw", {"images/a.jpg": GRAY, "labels/a.txt": data, "labels/b.txt": YOLO, "images/b.jpg": GRAY})


@few
@given(damaged(encode(GRAY, ".jpg")))
def test_an_image_that_is_asked_for_its_size(data):
    with _Folder() as folder:
        files = {"images/a.jpg": data, "labels/a.txt": YOLO, "labels/b.txt": YOLO, "images/b.jpg": GRAY}
        found = KINDS["tfw"].open(str(write_set(folder, files)))
        assert "images/b.jpg" in {face.image for face in found.faces}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


@st.composite
def edited(draw, content):
    """A JSON value somewhere in which another stands, or nothing."""
    if isinstance(content, dict | list) and content and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(list(content) if isinstance(content, dict) else range(len(content))))
        content = content.copy()
        if draw(st.integers(0, 4)):
            content[key] = draw(edited(content[key]))
        else:
            del content[key]
        return content
    return draw(VALUES)


@pytest.mark.parametrize("kind", ["aachen", "sf_tl54"])
@few
@given(st.data())
def test_an_edited_json(kind, data):
    name, text, others = SETS[kind]
    check_set(kind, others | {name: json.dumps(data.draw(edited(json.loads(text))))})


POINTS = np.random.default_rng(0).random((478, 2)).astype(np.float32)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@few
@given(st.data())
def test_a_pickle(protocol, data):
    content = {"a.png": POINTS[:3], "b.png": POINTS, "c.png": POINTS.tolist()[:2]}
    with _Folder() as folder:
        path = folder / "a.pkl"
        path.write_bytes(data.draw(damaged(pickle.dumps(content, protocol=protocol))))
        with only(ValueError, "a.pkl"):
            for points in read_points(path).values():
                assert points.shape in ((478, 2), (478, 3))


@few
@given(damaged((resources.files("tfake.thermalizer") / "priors/charlotte.csv").read_bytes()))
def test_a_table_of_the_prior(data):
    with _Folder() as folder:
        path = folder / "mine.csv"
        path.write_bytes(data)
        with only(ValueError, "mine.csv"):
            assert load_prior(path).celsius.shape[0] == 19


@few
@given(damaged(f"name\tbytes\tsha256\turl\na.zip\t24\t{'0' * 64}\thttp://here/a.zip\n".encode() * 2))
def test_a_registry(data):
    with _Folder() as folder:
        path = folder / "checksums.tsv"
        path.write_bytes(data)
        with only(ValueError, "checksums.tsv"):
            assert all(len(record.sha256) == 64 for record in read_registry(path).values())


@few
@given(st.binary(max_size=200))
def test_any_bytes_are_a_text_and_a_table(data):
    assert "\r" not in decode_text(data)
    assert [row.line for row in read_rows(data)] == list(range(1, decode_text(data).removesuffix("\n").count("\n") + 2))
