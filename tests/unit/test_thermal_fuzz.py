"""Damaged files of every format: cut, with bytes turned over or taken out, they raise the readers' own error alone."""

import io
from contextlib import suppress

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from camera_files import CELSIUS, COUNTS, GRAY, cptv, film, npy, radiometric_jpeg, table, tiff
from tfake.thermal_io import FORMATS, ThermalFileError, iterate_thermal
from tfake.thermal_io.false_colours import palettes
from tfake.thermal_io.thermal_reading import read_header


def npz(array):
    buffer = io.BytesIO()
    np.savez_compressed(buffer, counts=array)
    return buffer.getvalue()


def whole_files(folder):
    """Name and bytes: at least one of every format."""
    colours = palettes()["iron"].colours[GRAY]
    files = {
        "flir.jpg": radiometric_jpeg(CELSIUS, GRAY),
        "gray.jpg": cv2.imencode(".jpg", GRAY)[1].tobytes(),
        "colours.png": cv2.imencode(".png", colours)[1].tobytes(),
        "counts.png": cv2.imencode(".png", COUNTS)[1].tobytes(),
        "gray.bmp": cv2.imencode(".bmp", GRAY)[1].tobytes(),
        "gray.webp": cv2.imencode(".webp", colours)[1].tobytes(),
        "plain.tiff": tiff(COUNTS),
        "stack.tiff": tiff(COUNTS, COUNTS + 1, compression="lzw"),
        "float.tif": tiff(CELSIUS.astype(np.float32), compression="deflate", predictor=True),
        "array.npy": npy(COUNTS),
        "arrays.npz": npz(np.stack([COUNTS] * 2)),
        "recording.cptv": cptv([COUNTS, COUNTS + 3]),
        "table.csv": table(CELSIUS).encode("utf-16"),
        "quoted.csv": table(CELSIUS, ",", ".", header='"Max","36.5 °C"\n').encode(),
    }
    for name, codec, pix_fmt, frame in (
        ("counts.mkv", "ffv1", "gray16le", COUNTS),
        ("raw.avi", "rawvideo", "gray16le", COUNTS),
        ("colours.mp4", "mpeg4", "yuv420p", colours),
        ("colours.avi", "mjpeg", "yuvj420p", colours),
    ):
        files[name] = film(folder / name, [frame] * 4, codec, pix_fmt).read_bytes()
    return files


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    pytest.importorskip("av", reason="the extra cameras is not installed")
    found = whole_files(tmp_path_factory.mktemp("whole"))
    suffixes = {f".{name.rpartition('.')[2]}" for name in found}
    assert all(suffixes & set(entry.suffixes) for entry in FORMATS)
    return found


def read(data, name):
    """Whatever comes out: images, or the readers' own error."""
    for reader in (lambda: list(iterate_thermal(data, name=name)), lambda: read_header(data, name)):
        with suppress(ThermalFileError):
            reader()


NAMES = [
    "flir.jpg",
    "gray.jpg",
    "colours.png",
    "counts.png",
    "gray.bmp",
    "gray.webp",
    "plain.tiff",
    "stack.tiff",
    "float.tif",
    "array.npy",
    "arrays.npz",
    "recording.cptv",
    "table.csv",
    "quoted.csv",
    "counts.mkv",
    "raw.avi",
    "colours.mp4",
    "colours.avi",
]
FUZZ = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("name", NAMES)
def test_whole_files_are_read(files, name):
    assert list(iterate_thermal(files[name], "relative" if name.startswith("gray") else None, name))


@pytest.mark.parametrize("name", NAMES)
@FUZZ
@given(data=st.data())
def test_a_damaged_file_is_refused_or_read(files, name, data):
    content = bytearray(files[name])
    for _ in range(data.draw(st.integers(1, 3))):
        # Headers are where readers stumble: half of the damage goes there.
        end = data.draw(st.sampled_from((min(300, len(content)), len(content))))
        place = data.draw(st.integers(0, max(end - 1, 0)))
        kind = data.draw(st.sampled_from(("cut", "turn", "set", "drop", "double")))
        if kind == "cut":
            del content[place:]
        elif kind == "turn":
            content[place : place + 1] = bytes(byte ^ 1 << place % 8 for byte in content[place : place + 1])
        elif kind == "set":
            content[place : place + 4] = data.draw(st.binary(min_size=1, max_size=4))
        elif kind == "drop":
            del content[place : place + data.draw(st.integers(1, 40))]
        else:
            content[place:place] = content[place : place + 16]
    read(bytes(content), name)


@FUZZ
@given(content=st.binary(max_size=400), name=st.sampled_from(NAMES), kept=st.integers(0, 16))
def test_anything_else_is_refused(files, content, name, kept):
    read(files[name][:kept] + content, name)


@FUZZ
@given(content=st.text(max_size=300))
def test_any_text_is_no_table_or_one(content):
    read(content.encode("utf-8", "surrogatepass"), "table.csv")
