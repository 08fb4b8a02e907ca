import pickle
import zipfile

import pytest

from archives import flip_byte, sample_members, write_archive, write_samples
from tfake.archive.zip_archive import ArchiveError, MemberError, SplitFile, list_members, open_archive


def split(path, size):
    data = path.read_bytes()
    parts = []
    for number, start in enumerate(range(0, len(data), size), start=1):
        part = path.with_name(f"{path.name}.{number:03d}")
        part.write_bytes(data[start : start + size])
        parts.append(part)
    return parts


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_are_read_as_they_were_written(tmp_path, compression):
    members = sample_members(0) | sample_members(1)
    archive = open_archive([write_archive(tmp_path / "a.zip", members, compression)])
    assert {member.name: archive.read(member) for member in list_members(archive)} == members


@pytest.mark.parametrize("size", [97, 4096])
def test_split_parts_are_read_as_one(tmp_path, size):
    members = sample_members(0) | sample_members(1)
    parts = split(write_archive(tmp_path / "a.zip", members), size)
    assert len(parts) > 2
    archive = open_archive(parts)
    assert {member.name: archive.read(member) for member in list_members(archive)} == members


def test_split_file_is_the_concatenation(tmp_path):
    for number, data in enumerate([b"abc", b"", b"defgh"]):
        (tmp_path / str(number)).write_bytes(data)
    file = SplitFile([tmp_path / "0", tmp_path / "1", tmp_path / "2"])
    assert file.readall() == b"abcdefgh"
    file.seek(-4, 2)
    assert file.read(2) == b"ef"
    assert file.seek(100) == 100
    assert file.read(1) == b""
    with pytest.raises(OSError, match="negative seek"):
        file.seek(-1)


def test_an_archive_travels_to_another_process(tmp_path):
    archive = open_archive([write_samples(tmp_path / "a.zip")])
    member = list_members(archive)[0]
    data = archive.read(member)
    assert pickle.loads(pickle.dumps(archive)).read(member) == data


def test_a_flipped_byte_is_a_crc_error(tmp_path):
    path = write_archive(tmp_path / "a.zip", {"000000.png": bytes(1000)}, zipfile.ZIP_STORED)
    archive = open_archive([path])
    (member,) = list_members(archive)
    flip_byte(path, member.offset + 30 + len(member.name) + 500)
    with pytest.raises(MemberError, match=r"000000\.png: CRC is"):
        open_archive([path]).read(member)


def test_a_member_that_is_not_where_it_should_be(tmp_path):
    path = write_archive(tmp_path / "a.zip", {"000000.png": bytes(1000)})
    archive = open_archive([path])
    (member,) = list_members(archive)
    flip_byte(path, member.offset)
    with pytest.raises(MemberError, match="no local file header at byte 0"):
        open_archive([path]).read(member)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "it is empty"), (b"not a zip at all", "it is not a zip")],
)
def test_a_file_that_is_no_zip(tmp_path, content, reason):
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=reason) as error:
        list_members(open_archive([path]))
    assert str(path) in str(error.value)


def test_a_truncated_zip(tmp_path):
    path = write_samples(tmp_path / "a.zip")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ArchiveError, match="cut short, or a later part is missing"):
        list_members(open_archive([path]))


def test_a_zip_without_members(tmp_path):
    with pytest.raises(ArchiveError, match="without any member"):
        list_members(open_archive([write_archive(tmp_path / "a.zip", {})]))


def test_a_missing_part_is_named(tmp_path):
    parts = split(write_samples(tmp_path / "a.zip"), 4096)
    with pytest.raises(ArchiveError, match=r"lacks the part .*a\.zip\.002"):
        open_archive([parts[0], *parts[2:]])
    with pytest.raises(ArchiveError, match=r"lacks the part .*a\.zip\.001"):
        open_archive(parts[1:])
    with pytest.raises(ArchiveError, match="a later part is missing"):
        list_members(open_archive(parts[:-1]))
    parts[1].unlink()
    with pytest.raises(ArchiveError, match=r"a\.zip\.002 does not exist"):
        open_archive(parts)


def test_a_stranger_among_the_parts_is_named(tmp_path):
    parts = split(write_samples(tmp_path / "a.zip"), 4096)
    stranger = tmp_path / "b.zip.002"
    stranger.write_bytes(b"x")
    with pytest.raises(ArchiveError, match=r"b\.zip\.002 is not a part of"):
        open_archive([parts[0], stranger])


def test_no_path_at_all():
    with pytest.raises(ArchiveError, match="no archive path"):
        open_archive([])
