"""Each format by its numbers, its header and its time; one rule for orientation; and what is said where it fails."""

import io
import re
import struct
import zipfile

import cv2
import numpy as np
import pytest
from PIL import Image

from camera_files import CELSIUS, COUNTS, GRAY, cptv, film, npy, radiometric_jpeg, tiff, turned_film
from recipes import ROOT
from tfake.thermal_io import FORMATS, IncompleteError, ThermalFileError, iterate_thermal, open_thermal, read_thermal
from tfake.thermal_io.films import open_film
from tfake.thermal_io.frames import normalised
from tfake.thermal_io.pictures import orientation_of_matrix, points_as_stored, turn_upright
from tfake.thermal_io.thermal_reading import read_header

#: A temperature is off by half a count at most.
COUNT = 0.0051


def png(pixels):
    return cv2.imencode(".png", pixels)[1].tobytes()


def pillow(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def tiff_by_hand(array, order, photometric=1, kind=1, extra=()):
    """A plain strip TIFF; order ``<`` or ``>``."""
    data, (height, width) = array.astype(array.dtype.newbyteorder(order)).tobytes(), array.shape
    tags = [(256, 3, width), (257, 3, height), (258, 3, array.dtype.itemsize * 8), (259, 3, 1), (262, 3, photometric)]
    tags += [(273, 4, 8), (277, 3, 1), (278, 3, height), (279, 4, len(data)), (339, 3, kind), *extra]
    out = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8 + len(data)) + data
    out += struct.pack(order + "H", len(tags))
    for tag, size, value in sorted(tags):
        packed = struct.pack(order + "HH", value, 0) if size == 3 else struct.pack(order + "I", value)
        out += struct.pack(order + "HHI", tag, size, 1) + packed
    return out + bytes(4)


TEMPERATURES = {
    "u2.png": png(COUNTS),
    "rgb48.png": png(np.dstack([COUNTS] * 3)),
    "u2.tiff": tiff(COUNTS),
    "lzw.tiff": tiff(COUNTS, compression="lzw", predictor=True),
    "opencv.tiff": cv2.imencode(".tiff", COUNTS)[1].tobytes(),
    "big_endian.tiff": tiff_by_hand(COUNTS, ">"),
    "white_is_zero.tiff": tiff_by_hand(COUNTS, "<", photometric=0),
    "i4.tiff": tiff(COUNTS.astype(np.int32)),
    "f2.tiff": tiff_by_hand(np.rint(CELSIUS).astype(np.float16), "<", kind=3),
    "f4.tiff": tiff(CELSIUS.astype(np.float32)),
    "f8.tiff": tiff(CELSIUS),
    "pillow.tiff": pillow(Image.fromarray(CELSIUS.astype(np.float32)), "TIFF"),
    "u2.npy": npy(COUNTS),
    "big_endian.npy": npy(COUNTS.astype(">u2")),
    "big_endian_f4.npy": npy(CELSIUS.astype(">f4")),
    "f8.npy": npy(CELSIUS),
    "fortran.npy": npy(np.asfortranarray(CELSIUS)),
    "i8.npy": npy(COUNTS.astype(np.int64)),
    "upper.NPY": npy(COUNTS),
    "one_more_axis.npy": npy(CELSIUS[..., None]),
}
GRAYS = {
    "gray.png": png(GRAY),
    "rgb.png": png(np.dstack([GRAY] * 3)),
    "alpha.png": pillow(Image.merge("LA", (Image.fromarray(GRAY), Image.fromarray(np.full_like(GRAY, 9)))), "PNG"),
    "palette.png": pillow(Image.fromarray(GRAY).convert("P"), "PNG"),
    "gray.bmp": cv2.imencode(".bmp", GRAY)[1].tobytes(),
    "gray.tiff": tiff(GRAY),
    "rgb.tiff": tiff(np.dstack([GRAY] * 3)),
    "white_is_zero.tiff": tiff_by_hand(255 - GRAY, "<", photometric=0),
    "gray.npy": npy(GRAY),
    "misnamed.jpg": png(GRAY),
}


@pytest.mark.parametrize("name", TEMPERATURES)
def test_numbers_that_are_temperatures(name):
    image = read_thermal(TEMPERATURES[name], name=name)
    expected = np.rint(CELSIUS) if name == "f2.tiff" else CELSIUS
    np.testing.assert_allclose(image.values, expected, atol=COUNT)
    assert (image.meaning, image.values.dtype, image.orientation) == ("celsius", np.float32, 1)
    assert "celsius" in image.assumed[0]


@pytest.mark.parametrize("name", GRAYS)
def test_numbers_that_are_gray_values(name):
    values, meaning = read_thermal(GRAYS[name], name=name)
    assert meaning == "relative"
    np.testing.assert_array_equal(values, GRAY)


@pytest.mark.parametrize("name", [*TEMPERATURES, *(name for name in GRAYS if name != "palette.png")])
def test_a_header_says_what_is_read(name):
    data = (TEMPERATURES | GRAYS)[name]
    header = read_header(data, name)
    with open_thermal(data, name) as recording:
        (frame,) = recording
    assert header.size == frame.pixels.shape[1::-1]
    assert header.frames == recording.announced == 1
    assert (header.dtype.itemsize == 1) == (frame.pixels.dtype == np.uint8)


def test_a_declared_scale_is_applied():
    kelvin = CELSIUS + 273.15
    for values, data in (
        ("kelvin", npy(kelvin)),
        ("fahrenheit", npy(CELSIUS * 1.8 + 32)),
        ("counts:10", png(np.rint(kelvin * 10).astype(np.uint16))),
        ({"counts": {"per_kelvin": 64}}, tiff(np.rint(kelvin * 64).astype(np.uint16))),
    ):
        name = "a.npy" if data[:1] == b"\x93" else "a.tiff"
        np.testing.assert_allclose(read_thermal(data, values, name).values, CELSIUS, atol=0.051)
    with pytest.raises(ThermalFileError, match=r"a\.npy: .*looks like Kelvin"):
        read_thermal(npy(kelvin), name="a.npy")


def test_complex_numbers_and_huge_ones_are_refused():
    for array, found in ((CELSIUS.astype(complex), "complex128"), (np.full((4, 5), 1 << 40), str(1 << 40))):
        with pytest.raises(ThermalFileError, match=found):
            read_thermal(npy(array), name="a.npy")
    assert normalised(np.array([[True, False]])).tolist() == [[255, 0]]
    assert normalised(np.array([-3, 70000])).dtype == np.int32


def test_a_radiometric_jpeg_is_read_by_its_calibration():
    pytest.importorskip("flyr", reason="the extra cameras is not installed")
    data = radiometric_jpeg(CELSIUS, np.zeros((60, 80, 3), np.uint8))
    image = read_thermal(data, name="FLIR0001.jpg")
    np.testing.assert_allclose(image.values, CELSIUS, atol=0.01)
    assert image.meaning == "celsius"
    with open_thermal(data, "FLIR0001.jpg", as_picture=True) as recording:
        assert next(iter(recording)).pixels.shape == (60, 80, 3)


def test_a_recording_has_times_and_no_background():
    pytest.importorskip("cptv", reason="the extra cameras is not installed")
    data = cptv([COUNTS, COUNTS + 10], background=COUNTS - 500)
    first, second = iterate_thermal(data, name="a.cptv")
    np.testing.assert_allclose(first.values, CELSIUS, atol=COUNT)
    np.testing.assert_allclose(second.values, CELSIUS + 0.1, atol=COUNT)
    assert (first.time_seconds, second.time_seconds) == (0.0, 0.111)


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt", "frame"),
    [
        ("a.mkv", "ffv1", "gray16le", COUNTS),
        ("a.avi", "ffv1", "gray16le", COUNTS),
        ("y16.avi", "rawvideo", "gray16le", COUNTS),
        ("lepton.mkv", "ffv1", "gray14le", COUNTS >> 2),
        ("eight.mkv", "ffv1", "gray", GRAY),
        ("rgb.mkv", "ffv1", "bgr0", np.dstack([GRAY] * 3)),
    ],
)
def test_a_film_keeps_its_numbers(tmp_path, name, codec, pix_fmt, frame):
    pytest.importorskip("av", reason="the extra cameras is not installed")
    path = film(tmp_path / name, [frame, frame + 1, frame + 2], codec, pix_fmt)
    images = list(iterate_thermal(path, "relative"))
    assert [image.time_seconds for image in images] == [0.0, 0.1, 0.2]
    gray = frame if frame.ndim == 2 else frame[..., 0]
    for number, image in enumerate(images):
        np.testing.assert_array_equal(image.values, gray + number)
        assert image.stored == gray.dtype


@pytest.mark.parametrize("name", ["a.mkv", "a.avi", "a.mp4"])
def test_a_film_that_stops_early_says_so(tmp_path, name):
    pytest.importorskip("av", reason="the extra cameras is not installed")
    codec, pix_fmt = ("mpeg4", "yuv420p") if name == "a.mp4" else ("ffv1", "gray16le")
    noise = np.random.default_rng(0)
    frames = [noise.integers(0, 255, (24, 32), dtype=np.uint8) for _ in range(12)]
    frames = [frame.astype(np.uint16) * 200 if codec == "ffv1" else np.dstack([frame] * 3) for frame in frames]
    path = film(tmp_path / name, frames, codec, pix_fmt)
    data = bytearray(path.read_bytes())
    if name == "a.mp4":  # its table of contents is at its end: a hole in the middle
        start = data.index(b"mdat")
        data[start + 400 : start + 2000] = bytes(1600)
    else:
        data = data[: len(data) * 6 // 10]
    read = []
    with pytest.raises(IncompleteError, match=r"read \d+( of 12)? frames: ") as caught:
        read.extend(iterate_thermal(bytes(data), "relative", name))
    assert 0 < len(read) < 12
    assert f"read {len(read)}" in str(caught.value)


def test_a_film_that_lacks_its_last_frame_alone_says_so(tmp_path):
    pytest.importorskip("av", reason="the extra cameras is not installed")
    noise = np.random.default_rng(0)
    path = film(tmp_path / "a.mkv", list(noise.integers(0, 65535, (12, 24, 32), dtype=np.uint16)), "ffv1", "gray16le")
    data = path.read_bytes()
    assert len(list(iterate_thermal(data, "relative", "a.mkv"))) == 12
    read = []
    with pytest.raises(IncompleteError, match=r"read 11 frames: it ends at 1\.00 s of 1\.20 s"):
        read.extend(iterate_thermal(data[: len(data) * 24 // 25], "relative", "a.mkv"))
    assert len(read) == 11


def test_every_page_and_every_frame_of_a_stack():
    pages = [COUNTS, COUNTS + 100, COUNTS + 200]
    for name, data in (("a.tiff", tiff(*pages)), ("a.npy", npy(np.stack(pages)))):
        images = list(iterate_thermal(data, name=name))
        np.testing.assert_allclose([image.values.mean() for image in images], CELSIUS.mean() + np.arange(3), atol=COUNT)
        with pytest.raises(ThermalFileError, match="expected one image, found several"):
            read_thermal(data, name=name)
        assert read_header(data, name).frames == 3


def test_a_page_that_is_damaged_costs_no_other():
    data = bytearray(tiff(COUNTS, COUNTS + 100, COUNTS + 200, compression="deflate"))
    import tifffile

    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        start = file.pages[1].dataoffsets[0]
    data[start : start + 8] = bytes(8)
    read = []
    with pytest.raises(IncompleteError, match=r"a\.tiff: read 2 of 3 pages: page 2 cannot be decoded"):
        read.extend(iterate_thermal(bytes(data), name="a.tiff"))
    assert len(read) == 2


@pytest.mark.parametrize("is_big", [False, True])
@pytest.mark.parametrize("order", "<>")
def test_a_stack_that_is_cut_between_its_pages_says_so(is_big, order):
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(
        buffer, np.stack([COUNTS] * 5), photometric="minisblack", metadata=None, bigtiff=is_big, byteorder=order
    )
    data = buffer.getvalue()
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        second = file.pages[1].offset
    assert len(list(iterate_thermal(data, name="a.tiff"))) == 5
    read = []
    with pytest.raises(IncompleteError, match=r"a\.tiff: read 1 of more than 1 pages: the file is cut"):
        read.extend(iterate_thermal(data[:second], name="a.tiff"))
    assert len(read) == 1


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("WEBP", {"lossless": True})])
def test_an_animation_is_not_taken_for_its_first_frame(kind, options):
    still = Image.fromarray(GRAY).convert("RGB")
    data = pillow(still, kind, save_all=True, append_images=[still.rotate(90), still.rotate(180)], **options)
    name = f"a.{kind.lower()}"
    with pytest.raises(IncompleteError, match="read 1 of 3 frames: of an animation the first is read"):
        list(iterate_thermal(data, name=name))
    assert read_header(data, name).frames == 3


def volume():
    import tifffile

    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.stack([COUNTS] * 4), photometric="minisblack", volumetric=True)
    return buffer.getvalue()


def bands(planar):
    import tifffile

    buffer = io.BytesIO()
    stack = np.stack([COUNTS] * 5, 0 if planar else -1)
    tifffile.imwrite(buffer, stack, photometric="minisblack", planarconfig="separate" if planar else "contig")
    return buffer.getvalue()


def foreign_zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("notes.txt", "no array")
    return buffer.getvalue()


def oriented(tag):
    """The same pixels with one orientation tag, in each format that has such a tag."""
    exif = Image.Exif()
    exif[274] = tag
    yield "a.tiff", tiff(GRAY, orientation=tag)
    yield "counts.tiff", tiff_by_hand(COUNTS, "<", extra=((274, 3, tag),) if tag > 1 else ())
    yield "a.png", pillow(Image.fromarray(GRAY), "PNG", exif=exif)
    yield "a.jpg", pillow(Image.fromarray(np.repeat(np.repeat(GRAY, 8, 0), 8, 1)), "JPEG", exif=exif, quality=100)
    yield "a.webp", pillow(Image.fromarray(GRAY).convert("RGB"), "WEBP", exif=exif, lossless=True)


@pytest.mark.parametrize("tag", range(1, 9))
def test_an_orientation_tag_turns_nothing_and_is_told(tag):
    for name, data in oriented(tag):
        image = read_thermal(data, name=name)
        assert image.orientation == tag, name
        values = image.values[4::8, 4::8] if name == "a.jpg" else image.values
        expected = CELSIUS if name == "counts.tiff" else GRAY.astype(float)
        np.testing.assert_allclose(values, expected, atol=4 if name == "a.jpg" else COUNT, err_msg=name)


@pytest.mark.parametrize("tag", range(1, 9))
def test_how_a_film_is_to_be_turned_is_told_and_turns_nothing(tmp_path, tag):
    pytest.importorskip("av", reason="the extra cameras is not installed")
    path = turned_film(tmp_path / "a.mov", GRAY, tag)
    image = read_thermal(path, "relative")
    assert image.orientation == tag
    np.testing.assert_array_equal(image.values, GRAY)
    with path.open("rb") as file, open_film(file) as recording:
        assert len(list(recording)) == 1
    # Between right angles nothing is to be turned.
    assert orientation_of_matrix(np.array([[46341, 46341, 0], [-46341, 46341, 0], [0, 0, 1 << 30]])) == 1


@pytest.mark.parametrize("tag", range(1, 9))
def test_upright_is_what_other_programs_show(tag):
    from PIL import ImageOps

    exif = Image.Exif()
    exif[274] = tag
    with Image.open(io.BytesIO(pillow(Image.fromarray(GRAY), "PNG", exif=exif))) as image:
        shown = np.asarray(ImageOps.exif_transpose(image))
    upright = turn_upright(GRAY, tag)
    np.testing.assert_array_equal(upright, shown)
    points = np.array([[3, 5], [10, 2]])
    stored = points_as_stored(points, tag, upright.shape)
    np.testing.assert_array_equal(GRAY[stored[:, 1], stored[:, 0]], upright[points[:, 1], points[:, 0]])


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.png", b"", "empty"),
        ("a.png", png(COUNTS)[:-60], "damaged"),
        ("a.png", b"text", "begins with 74 65 78 74"),
        ("a.jpg", cv2.imencode(".jpg", GRAY)[1].tobytes()[:-200], "damaged"),
        ("a.tiff", tiff(COUNTS)[:300], "TIFF|page"),
        ("a.tiff", volume(), "a depth of 4"),
        ("a.tiff", bands(planar=False), "5 samples a pixel"),
        ("a.tiff", bands(planar=True), "5 samples a pixel"),
        ("a.npy", npy(COUNTS)[:-9], "array"),
        ("a.npy", npy(np.dstack([CELSIUS] * 3)), "last axis"),
        ("a.npy", npy(np.dstack([COUNTS] * 2)), "last axis"),
        ("a.npz", foreign_zip(), "found none"),
        ("a.npy", npy(np.zeros((2, 3, 4, 5))), r"\(2, 3, 4, 5\)"),
        ("named.npz", npy(COUNTS), "frames|several|found"),
        ("a.txt", b"1 2 3", "none of"),
        ("a.mp4", b"no film", "film"),
        ("a.csv", b"a;b\n1;2\n", "no table"),
        ("a.cptv", b"\x1f\x8bnothing", "header"),
    ],
)
def test_what_cannot_be_read_says_why(name, data, reason):
    if name == "named.npz":
        assert read_thermal(data, name=name).meaning == "celsius"  # its content decides, not its name
        return
    with pytest.raises(ThermalFileError, match=f"^{re.escape(name)}: .*({reason})"):
        list(iterate_thermal(data, name=name))


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setattr("tfake.thermal_io.frames.import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    for name, data, module in (
        ("a.jpg", radiometric_jpeg(CELSIUS, GRAY), "flyr"),
        ("a.cptv", b"\x1f\x8b", "cptv"),
        ("a.mkv", b"\x1aE\xdf\xa3", "av"),
    ):
        with pytest.raises(ThermalFileError, match=rf"{module}.*pip install 'tfake-workflow\[cameras\]'"):
            list(iterate_thermal(data, name=name))


def test_the_documentation_has_the_registry():
    text = (ROOT / "docs/data.md").read_text()
    rows = dict(re.findall(r"(?m)^\| ([^|]+?) \| ([^|]+?) \|.*\|$", text))
    for entry in FORMATS:
        assert rows.get(entry.title) == ", ".join(f"`{suffix}`" for suffix in entry.suffixes), entry.title
        line = next(line for line in text.splitlines() if line.startswith(f"| {entry.title} |"))
        by = f"{entry.by} (`[cameras]`)" if entry.extra else entry.by
        assert line == f"| {entry.title} | {rows[entry.title]} | {entry.holds} | {by} |"
