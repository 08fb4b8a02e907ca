"""Single members out of a remote archive."""

import zipfile

import pytest

from archives import flip_byte, write_samples
from faulty_server import serve
from source.fetch_members import fetch_members
from tfake.acquisition import members
from tfake.acquisition.http import TransferError, open_session
from tfake.acquisition.members import RemoteArchive, copy_first_samples
from tfake.archive.index import build_index
from tfake.archive.zip_archive import ArchiveError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(members, "REQUEST_BYTES", 1 << 14)
    served = tmp_path / "served"
    served.mkdir()
    write_samples(served / "a.zip", range(40))
    return served


def open_remote(server, *names):
    return RemoteArchive(open_session(0), [f"{server.url}/{name}" for name in names], backoff_seconds=0)


def split(path, parts=3):
    data = path.read_bytes()
    size = len(data) // parts + 1
    names = []
    for number in range(parts):
        names.append(f"{path.name}.{number + 1:03d}")
        path.with_name(names[-1]).write_bytes(data[number * size : (number + 1) * size])
    return names


def identity(path, images):
    return build_index([path], images, 64).attrs["source_sha256"]


@pytest.mark.parametrize("parts", [False, True])
def test_the_first_samples_are_those_of_the_whole_archive(folder, tmp_path, parts):
    names = split(folder / "a.zip") if parts else ["a.zip"]
    with serve(folder) as server:
        archive = open_remote(server, *names)
        assert copy_first_samples(archive, 5, tmp_path / "few.zip") == 15
    assert identity(tmp_path / "few.zip", 5) == identity(folder / "a.zip", 5)
    with zipfile.ZipFile(tmp_path / "few.zip") as few:
        assert len(few.namelist()) == 15
    assert archive.remote.fetched_bytes < (folder / "a.zip").stat().st_size / 3


def test_cut_and_busy_servers_are_asked_again(folder, tmp_path):
    with serve(folder) as server:
        copy_first_samples(open_remote(server, "a.zip"), 5, tmp_path / "calm.zip")
        server.faults.cut_after, server.faults.statuses = [None, 100, 0, None, 5000], [503]
        copy_first_samples(open_remote(server, "a.zip"), 5, tmp_path / "few.zip")
    assert (tmp_path / "few.zip").read_bytes() == (tmp_path / "calm.zip").read_bytes()


def test_a_server_that_always_cuts_is_given_up(folder, tmp_path):
    with (
        serve(folder, always_cut_after=100) as server,
        pytest.raises(TransferError, match=r"bytes \d+ to \d+ were cut in 6 attempts"),
    ):
        copy_first_samples(open_remote(server, "a.zip"), 5, tmp_path / "few.zip")
    assert not (tmp_path / "few.zip").exists()


def test_a_server_that_ignores_ranges_is_refused(folder, tmp_path):
    with (
        serve(folder, ignores_ranges=True) as server,
        pytest.raises(TransferError, match=r"ignores byte ranges.*source.download: whole"),
    ):
        copy_first_samples(open_remote(server, "a.zip"), 5, tmp_path / "few.zip")


def test_a_broken_member_stays_a_bad_row(folder, tmp_path):
    with zipfile.ZipFile(folder / "a.zip") as archive:
        offset = archive.getinfo("000002.png").header_offset
    flip_byte(folder / "a.zip", offset + 200)
    with serve(folder) as server:
        assert copy_first_samples(open_remote(server, "a.zip"), 4, tmp_path / "few.zip") == 11
    table = build_index([tmp_path / "few.zip"], 4, 64)
    assert table["status"].tolist() == [0, 0, 1, 0]


def test_too_few_samples_and_no_zip_are_told(folder, tmp_path):
    (folder / "b.zip").write_bytes(b"hello")
    (folder / "c.zip").write_bytes(b"")
    with serve(folder) as server:
        with pytest.raises(ArchiveError, match=r"holds 40 samples .* asks for 41"):
            copy_first_samples(open_remote(server, "a.zip"), 41, tmp_path / "few.zip")
        with pytest.raises(ArchiveError, match=r"b.zip: it is not a zip"):
            copy_first_samples(open_remote(server, "b.zip"), 1, tmp_path / "few.zip")
        with pytest.raises(ArchiveError, match=r"c.zip: it is empty"):
            copy_first_samples(open_remote(server, "c.zip"), 1, tmp_path / "few.zip")


def test_fetch_members_leaves_the_terms_beside_the_samples(folder, tmp_path):
    with serve(folder) as server:
        fetch_members(str(tmp_path / "out/few.zip"), [f"{server.url}/a.zip"], 3, "R-UDA-1.0")
    assert identity(tmp_path / "out/few.zip", 3) == identity(folder / "a.zip", 3)
    assert "Research Use" in (tmp_path / "out/R-UDA-1.0.txt").read_text()
