import io

import numpy as np
import pytest
from PIL import Image

from archives import PIXELS, encode_png, flip_byte, sample_members, write_archive, write_samples
from source.index_archive import index_archive
from tfake.archive.index import build_index, read_index
from tfake.archive.samples import SampleError, read_sample
from tfake.archive.zip_archive import ArchiveError, open_archive
from tfake.core.codes import SampleStatus


def test_good_samples(tmp_path):
    path = write_samples(tmp_path / "a.zip", range(4))
    table = build_index([path], images=4, pixels=PIXELS, threads=2)
    assert table["image_id"].tolist() == ["000000", "000001", "000002", "000003"]
    assert (table["status"] == SampleStatus.OK).all()
    sample = read_sample(open_archive([path]), next(table.itertuples()), PIXELS)
    members = sample_members(0)
    assert sample.rgb.shape == (PIXELS, PIXELS, 3)
    np.testing.assert_array_equal(sample.rgb, np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    points = np.loadtxt(members["000000_ldmks.txt"].decode().splitlines(), dtype=np.float32)
    np.testing.assert_allclose(sample.landmarks_70, points - 0.5, atol=1e-4)  # from the corner to pixel centres


def test_the_first_images_in_order_of_their_ids(tmp_path):
    path = write_samples(tmp_path / "a.zip", (7, 3, 5))
    assert build_index([path], images=2, pixels=PIXELS)["image_id"].tolist() == ["000003", "000005"]


@pytest.mark.parametrize(
    ("name", "data", "status", "detail"),
    [
        ("m000001_seg__png", None, SampleStatus.MISSING_MEMBER, "has no 000001_seg.png"),
        ("m000001__png", b"no image", SampleStatus.UNDECODABLE_IMAGE, "000001.png: its 8 bytes are no image"),
        ("m000001__png", b"", SampleStatus.UNDECODABLE_IMAGE, "its 0 bytes"),
        (
            "m000001__png",
            encode_png(np.zeros((64, 32, 3), np.uint8)),
            SampleStatus.WRONG_SIZE,
            "expected 64x64 pixels, found 64x32",
        ),
        ("m000001_seg__png", encode_png(np.full((64, 64), 42, np.uint8)), SampleStatus.UNKNOWN_CLASS, r"\[42\]"),
        (
            "m000001_seg__png",
            encode_png(np.zeros((64, 64, 3), np.uint8)),
            SampleStatus.UNKNOWN_CLASS,
            "expected 8-bit gray",
        ),
        ("m000001_ldmks__txt", b"1 2\n" * 68, SampleStatus.WRONG_LANDMARKS, "expected 70 lines .* found 68"),
        ("m000001_ldmks__txt", b"1 x\n" * 70, SampleStatus.WRONG_LANDMARKS, "could not convert"),
        ("m000001_ldmks__txt", b"1 nan\n" * 70, SampleStatus.WRONG_LANDMARKS, "not finite"),
        ("m000001_ldmks__txt", b"1 2\n" * 70, SampleStatus.WRONG_LANDMARKS, "a face without an area"),
        ("m000001_ldmks__txt", b"\xff\xfe" * 70, SampleStatus.WRONG_LANDMARKS, "found 1 lines"),
    ],
)
def test_a_bad_sample_keeps_its_row(tmp_path, name, data, status, detail):
    path = write_samples(tmp_path / "a.zip", range(3), **{name: data})
    table = build_index([path], images=3, pixels=PIXELS)
    assert table["status"].tolist() == [SampleStatus.OK, status, SampleStatus.OK]
    assert table["detail"].str.contains(detail, regex=True).tolist() == [False, True, False]
    with pytest.raises(SampleError, match=detail) as error:
        read_sample(open_archive([path]), list(table.itertuples())[1], PIXELS)
    assert error.value.status == status


def test_an_orientation_tag_turns_no_pixel(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 255, (PIXELS, PIXELS, 3), dtype=np.uint8)
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[274] = 6
    Image.fromarray(rgb).save(buffer, "PNG", exif=exif)
    path = write_samples(tmp_path / "a.zip", range(1), m000000__png=buffer.getvalue())
    record = next(build_index([path], images=1, pixels=PIXELS).itertuples())
    np.testing.assert_array_equal(read_sample(open_archive([path]), record, PIXELS).rgb, rgb)


def test_a_folder_is_no_archive(tmp_path):
    with pytest.raises(ArchiveError, match="is a folder; expected a zip"):
        open_archive([tmp_path])


def test_a_wrong_crc_is_a_status(tmp_path):
    path = write_samples(tmp_path / "a.zip", range(3), compression=0)
    offset = build_index([path], 3, PIXELS)["rgb_offset"][2]
    flip_byte(path, offset + 200)
    table = build_index([path], 3, PIXELS)
    assert table["status"].tolist() == [0, 0, SampleStatus.UNREADABLE_MEMBER]
    assert "000002.png: CRC" in table["detail"][2]


def test_too_few_samples_stop_the_run(tmp_path):
    path = write_samples(tmp_path / "a.zip", range(3))
    with pytest.raises(ArchiveError, match=r"holds 3 samples .* asks for 5"):
        build_index([path], 5, PIXELS)


def test_a_zip_of_something_else_stops_the_run(tmp_path):
    path = write_archive(tmp_path / "a.zip", {"folder/readme.md": b"hello"})
    with pytest.raises(ArchiveError, match="holds 0 samples"):
        build_index([path], 1, PIXELS)


def test_an_archive_without_a_usable_sample_stops_the_run(tmp_path):
    path = write_samples(tmp_path / "a.zip", range(3))
    with pytest.raises(ArchiveError, match=r"not one of the 3 samples .* expected 128x128 pixels, found 64x64"):
        build_index([path], 3, pixels=128)


def test_the_source_identity_follows_the_content(tmp_path):
    first = build_index([write_samples(tmp_path / "a.zip")], 4, PIXELS).attrs["source_sha256"]
    same = build_index([write_samples(tmp_path / "b.zip", compression=0)], 4, PIXELS).attrs["source_sha256"]
    other = build_index([write_samples(tmp_path / "c.zip", range(1, 5))], 4, PIXELS).attrs["source_sha256"]
    assert first == same
    assert first != other


def test_index_archive_writes_the_table(tmp_path, caplog):
    archive = write_samples(tmp_path / "a.zip", range(3), m000001__png=None)
    index_archive(str(tmp_path / "index.parquet"), [str(archive)], images=3, image_pixels=PIXELS, threads=1)
    table = read_index(tmp_path / "index.parquet")
    assert table["status"].tolist() == [0, SampleStatus.MISSING_MEMBER, 0]
    assert len(table.attrs["source_sha256"]) == 64
    assert "row 1 is missing_member: the archive has no 000001.png" in caplog.text
    assert not list(tmp_path.glob("*.part"))
