"""Downloads over a server that cuts, lies, refuses and comes back."""

import hashlib
import logging
import shutil
from collections import namedtuple

import numpy as np
import pytest

from faulty_server import serve
from source.download_archive import download_archive
from tfake.acquisition import transfer
from tfake.acquisition.http import ATTEMPTS, TransferError, describe, open_session, request_from
from tfake.acquisition.registry import Record, read_registry, record_file
from tfake.acquisition.transfer import SPARE_BYTES, download

# It begins and ends as a zip does, which is all that a download looks at.
CONTENT = b"PK\x03\x04" + np.random.default_rng(0).bytes(5_000_003 - 26) + b"PK\x05\x06" + bytes(18)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def folder(tmp_path):
    served = tmp_path / "served"
    served.mkdir()
    (served / "a.zip").write_bytes(CONTENT)
    return served


def fetch(server, path, **more):
    return download(open_session(0), f"{server.url}/a.zip", path, backoff_seconds=0, **more)


def assert_complete(path):
    assert path.read_bytes() == CONTENT
    assert not path.with_name("a.zip.part").exists()
    assert not path.with_name("a.zip.part.json").exists()


def ranges(server):
    return [asked for _, asked in server.requests]


def test_a_whole_file_comes(folder, tmp_path):
    with serve(folder) as server:
        assert fetch(server, tmp_path / "a.zip") == (len(CONTENT), SHA256)
    assert_complete(tmp_path / "a.zip")
    assert ranges(server) == [None]


def test_a_cut_download_goes_on_where_it_was_cut(folder, tmp_path):
    with serve(folder, cut_after=[3_000_000, 1_000_000]) as server:
        fetch(server, tmp_path / "a.zip")
    assert_complete(tmp_path / "a.zip")
    starts = [int(asked.split("=")[1].rstrip("-")) for asked in ranges(server)[1:]]
    assert len(starts) == 2
    assert 0 < starts[0] <= 3_000_000
    assert starts[0] < starts[1] <= 4_000_000


def test_the_next_run_goes_on_with_what_an_earlier_one_left(folder, tmp_path):
    with serve(folder, cut_after=[2_500_000], always_cut_after=0) as server:
        with pytest.raises(TransferError, match=r"expected 5000003 bytes, got no further than \d+ in \d+ attempts"):
            fetch(server, tmp_path / "a.zip")
        assert not (tmp_path / "a.zip").exists()
        left = (tmp_path / "a.zip.part").stat().st_size
        assert left > 1_000_000
        server.faults.always_cut_after = None
        server.requests.clear()
        fetch(server, tmp_path / "a.zip")
    assert_complete(tmp_path / "a.zip")
    assert ranges(server) == [f"bytes={left}-"]


def test_a_part_of_another_version_is_not_gone_on_with(folder, tmp_path):
    with serve(folder, cut_after=[2_500_000], always_cut_after=0) as server:
        with pytest.raises(TransferError):
            fetch(server, tmp_path / "a.zip")
        changed = bytes(len(CONTENT))
        (folder / "a.zip").write_bytes(changed)
        server.faults.always_cut_after, server.faults.etag = None, '"two"'
        fetch(server, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == changed


def test_the_rest_of_a_file_that_has_changed_is_not_asked_for(folder):
    with serve(folder) as server:
        session = open_session(0)
        remote = describe(session, f"{server.url}/a.zip")
        start, response = request_from(session, remote, 1000)
        response.close()
        assert start == 1000
        server.faults.etag = '"two"'
        start, response = request_from(session, remote, 1000)
        response.close()
    assert start == 0


def test_a_server_that_ignores_ranges_is_asked_for_everything_again(folder, tmp_path):
    with serve(folder, cut_after=[3_000_000], ignores_ranges=True) as server:
        fetch(server, tmp_path / "a.zip")
    assert_complete(tmp_path / "a.zip")
    assert len(server.requests) == 2


def test_a_server_that_ignores_ranges_and_always_cuts_is_given_up(folder, tmp_path):
    with (
        serve(folder, always_cut_after=3_000_000, ignores_ranges=True) as server,
        pytest.raises(TransferError, match="got no further than"),
    ):
        fetch(server, tmp_path / "a.zip")
    assert len(server.requests) == ATTEMPTS + 1
    assert not (tmp_path / "a.zip").exists()


def test_a_server_that_sends_another_range_is_refused(folder, tmp_path):
    with (
        serve(folder, cut_after=[3_000_000], wrong_range=True) as server,
        pytest.raises(TransferError, match=r"asked for bytes \d+-5000002/5000003, its server sent 'bytes"),
    ):
        fetch(server, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_a_body_shorter_than_announced_is_refused(folder, tmp_path):
    with (
        serve(folder, body=CONTENT[:-10], ignores_ranges=True) as server,
        pytest.raises(TransferError, match="expected 5000003 bytes, got no further than 4999993"),
    ):
        fetch(server, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_a_body_longer_than_announced_is_refused(folder, tmp_path):
    with (
        serve(folder, body=CONTENT + b"more") as server,
        pytest.raises(TransferError, match="announced 5000003 bytes and sends more"),
    ):
        fetch(server, tmp_path / "a.zip")
    assert not (tmp_path / "a.zip").exists()


def test_a_length_other_than_recorded_is_refused_before_any_byte(folder, tmp_path):
    with (
        serve(folder, tells_length=17) as server,
        pytest.raises(TransferError, match="expected 5000003 bytes as recorded, its server now has 17"),
    ):
        fetch(server, tmp_path / "a.zip", expected_bytes=len(CONTENT))
    assert server.requests == []


def test_a_missing_file_is_named_at_once(folder, tmp_path):
    with (
        serve(folder) as server,
        pytest.raises(TransferError, match=r"b.zip: its server answered 404 Not Found; the address may have moved"),
    ):
        download(open_session(0), f"{server.url}/b.zip", tmp_path / "b.zip")
    assert not list(tmp_path.glob("b.zip*"))


def test_a_busy_server_is_asked_again(folder, tmp_path):
    with serve(folder, statuses=[503, 503, 429]) as server:
        fetch(server, tmp_path / "a.zip")
    assert_complete(tmp_path / "a.zip")
    assert len(server.requests) == 4


def test_a_server_that_stays_busy_is_given_up(folder, tmp_path):
    with (
        serve(folder, statuses=[503] * 100) as server,
        pytest.raises(TransferError, match="answered 503"),
    ):
        fetch(server, tmp_path / "a.zip")


def test_no_server_at_all(tmp_path):
    with pytest.raises(TransferError, match="no answer from its server"):
        download(open_session(0), "http://127.0.0.1:9/a.zip", tmp_path / "a.zip")


def test_other_content_than_recorded_is_refused_and_deleted(folder, tmp_path):
    with (
        serve(folder) as server,
        pytest.raises(TransferError, match=f"its SHA-256 is {SHA256}, expected {'0' * 64}"),
    ):
        fetch(server, tmp_path / "a.zip", expected_sha256="0" * 64)
    assert not (tmp_path / "a.zip").exists()
    assert not (tmp_path / "a.zip.part").exists()


def test_a_full_disk_is_noticed_before_any_byte(folder, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, SPARE_BYTES + len(CONTENT) - 1))
    with (
        serve(folder) as server,
        pytest.raises(TransferError, match="still to come"),
    ):
        fetch(server, tmp_path / "a.zip")
    assert server.requests == []


def test_progress_has_a_bar_a_rate_and_the_time_left(folder, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(transfer, "REPORT_SECONDS", 0.0)
    with caplog.at_level(logging.INFO), serve(folder) as server:
        fetch(server, tmp_path / "a.zip")
    lines = [line for line in caplog.messages if line.startswith("a.zip")]
    assert len(lines) >= 3
    assert all("B/s" in line and "%|" in line and "<" in line for line in lines), lines


def test_download_archive_records_and_then_enforces(folder, tmp_path, caplog):
    registry, path = tmp_path / "resources/checksums.tsv", tmp_path / "archives/a.zip"
    with caplog.at_level(logging.INFO), serve(folder) as server:
        url = f"{server.url}/a.zip"
        download_archive(str(path), url, [url], "R-UDA-1.0", str(registry))
        assert "Research Use of Data Agreement" in caplog.text
        caplog.clear()
        assert read_registry(registry) == {"a.zip": Record("a.zip", len(CONTENT), SHA256, url)}
        path.unlink()
        download_archive(str(path), url, [url], "R-UDA-1.0", str(registry))
        assert "Research Use of Data Agreement" not in caplog.text, "the terms are shown once"
        (folder / "a.zip").write_bytes(CONTENT[::-1])
        path.unlink()
        with pytest.raises(TransferError, match="expected " + SHA256):
            download_archive(str(path), url, [url], "R-UDA-1.0", str(registry))
    assert not path.exists()


def test_a_registry_keeps_its_first_record(tmp_path):
    registry = tmp_path / "checksums.tsv"
    record_file(registry, Record("b", 1, "1" * 64, "u"))
    record_file(registry, Record("a", 2, "2" * 64, "u"))
    assert list(read_registry(registry)) == ["a", "b"]
    with pytest.raises(ValueError, match="b is recorded with 1111"):
        record_file(registry, Record("b", 1, "3" * 64, "u"))
    registry.write_text("name\tsha\n")
    with pytest.raises(ValueError, match="expected the columns name, bytes, sha256, url"):
        read_registry(registry)
    registry.write_text("name\tbytes\tsha256\turl\na\t1\tshort\tu\n")
    with pytest.raises(ValueError, match="line 2"):
        read_registry(registry)
