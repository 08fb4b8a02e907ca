"""Servers with the habits of real ones: what they send is the file, or is refused before it is recorded."""

import gzip
import hashlib
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from archives import sample_members, write_archive
from source.download_archive import download_archive
from tfake.acquisition.http import ContentError, TransferError, describe, open_session
from tfake.acquisition.members import RemoteArchive
from tfake.acquisition.registry import read_registry
from tfake.acquisition.transfer import check_zip, download, refuse_page
from tfake.archive.zip_archive import list_members

BYTES = np.random.default_rng(0).bytes(200_000)
PAGE = b"\n <!DOCTYPE html><html>log in first</html>"


class _Handler(BaseHTTPRequestHandler):
    """Answers /HABIT,HABIT/name with the server's bytes, in the manner of its habits."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(head=True)

    def do_GET(self):
        self.answer(head=False)

    def answer(self, head):
        habits = self.path.split("/")[1].split(",")
        self.server.asked.append((self.command, self.path, self.headers.get("Range")))
        for habit in habits:
            if head and habit.startswith("head"):
                return self.reply(int(habit.removeprefix("head")), {"Content-Length": "0"})
            if habit.startswith("status"):
                return self.reply(int(habit.removeprefix("status")), {"Content-Length": "0"})
        if "astray" in habits:
            return self.reply(302, {"Location": "http://[nowhere", "Content-Length": "0"})
        if "redirect" in habits:
            return self.reply(302, {"Location": "/plain/a.zip", "Content-Length": "0"})
        body, code, headers = self.server.body, 200, {"Content-Type": self.server.content_type}
        wanted = re.match(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        if wanted and "norange" not in habits:
            start, stop = int(wanted[1]), int(wanted[2]) + 1 if wanted[2] else len(body)
            total = "*" if "nototal" in habits else len(body)
            headers["Content-Range"] = f"bytes {start}-{min(stop, len(body)) - 1}/{total}"
            body, code = body[start:stop], 206
        if "gzip" in habits:
            headers["Content-Encoding"] = "gzip"
            body = gzip.compress(body)
        if "strong" in habits:
            headers["ETag"] = '"one"'
        if "weak" in habits:
            headers["ETag"] = f'W/"{len(self.server.asked)}"'
        if "nolength" in habits:
            self.reply(code, headers | {"Transfer-Encoding": "chunked"})
            if not head:
                cut = self.server.cuts.pop() if self.server.cuts else None
                self.wfile.write(b"%x\r\n" % len(body) + body[:cut])
                if cut is None:
                    self.wfile.write(b"\r\n0\r\n\r\n")
                else:
                    self.close_connection = True
            return None
        self.reply(code, headers | {"Content-Length": str(len(body))})
        if not head:
            self.wfile.write(body)
        return None

    def reply(self, code, headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that has seen enough closes its connection."""


@contextmanager
def serve(body=BYTES, content_type="application/octet-stream", cuts=()):
    server = _Server(("127.0.0.1", 0), _Handler)
    server.body, server.content_type, server.cuts, server.asked = body, content_type, list(cuts), []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fetch(server, path, folder, **more):
    return download(open_session(0), f"{server.url}{path}", folder / "a.bin", backoff_seconds=0, **more)


@pytest.mark.parametrize(
    "path",
    [
        "/plain/a.zip",
        "/redirect/a.zip",
        "/plain/a.zip?download=1",
        "/head405/a.zip",
        "/head403/a.zip?X-Amz-Signature=1",
        "/head404/a.zip",
        "/head501/a.zip",
        "/head400,norange/a.zip",
        "/nolength/a.zip",
        "/nolength,norange/a.zip",
        "/nolength,nototal/a.zip",
        "/head405,nolength,norange/a.zip",
        "/gzip/a.zip",
        "/gzip,norange/a.zip",
        "/head403,gzip,nolength/a.zip",
        "/norange/a.zip",
        "/weak/a.zip",
    ],
)
def test_the_file_comes_whole_from_any_server(tmp_path, path):
    with serve() as server:
        assert fetch(server, path, tmp_path) == (len(BYTES), hashlib.sha256(BYTES).hexdigest())
    assert (tmp_path / "a.bin").read_bytes() == BYTES
    assert [file.name for file in tmp_path.iterdir()] == ["a.bin"]


def test_a_length_that_is_not_told_is_still_held_to_the_record(tmp_path):
    digest = hashlib.sha256(BYTES).hexdigest()
    with serve() as server:
        fetch(server, "/nolength,norange/a.zip", tmp_path, expected_bytes=len(BYTES), expected_sha256=digest)
        with pytest.raises(ContentError, match="expected 7 bytes as recorded, its server now has 200000"):
            fetch(server, "/nolength,norange/a.zip", tmp_path, expected_bytes=7)


def test_a_cut_file_without_a_length_begins_anew(tmp_path):
    with serve(cuts=[None, 50_000, None]) as server:  # from the last, which is for the request for the length
        fetch(server, "/nolength,norange/a.zip", tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == BYTES


def test_a_part_is_gone_on_with_at_another_signature_and_begun_anew_beside_a_broken_note(tmp_path):
    part, note = tmp_path / "a.bin.part", tmp_path / "a.bin.part.json"
    with serve() as server:
        with pytest.raises(ZeroDivisionError):
            fetch(server, "/strong/a.zip?signature=1", tmp_path, check=lambda path: 1 / 0)
        part.write_bytes(BYTES[:150_000])
        server.asked.clear()
        fetch(server, "/strong/a.zip?signature=2", tmp_path)
        assert [wanted for command, _, wanted in server.asked if command == "GET"] == ["bytes=150000-"]
        part.write_bytes(BYTES[:10])
        note.write_text('{"url": "http')
        fetch(server, "/strong/a.zip", tmp_path)
    assert (tmp_path / "a.bin").read_bytes() == BYTES


@pytest.mark.parametrize("code", [401, 403, 404, 410, 500])
def test_a_refusal_is_told_with_what_it_may_mean(tmp_path, code):
    hints = {401: "it asks to log in", 403: "log in, or a signed address is too old", 404: "may have moved"}
    with serve() as server, pytest.raises(TransferError, match=f"answered {code}.*{hints.get(code, '')}"):
        fetch(server, f"/status{code}/a.zip", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("habit", ["plain", "head405", "nolength", "norange", "gzip"])
@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (PAGE, "text/html; charset=utf-8"),
        (PAGE, "application/octet-stream"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "application/xml"),
        (b'{"message": "log in"}', "application/json"),
        (b"<HTML>" + bytes(100_000), ""),
    ],
)
def test_a_page_is_refused_and_nothing_is_left(tmp_path, habit, body, content_type):
    with serve(body, content_type) as server, pytest.raises(ContentError, match="sent a page") as caught:
        fetch(server, f"/{habit}/a.zip", tmp_path)
    assert re.search("log in|AccessDenied|HTML", str(caught.value))
    assert not list(tmp_path.iterdir())


def test_a_binary_file_that_is_called_text_is_a_file():
    refuse_page(b"PK\x03\x04" + bytes(20), "text/html", "u")
    refuse_page(b"\x89PNG", "application/json", "u")
    refuse_page(b"", "text/html", "u")


def archive_of(server, name, registry, folder, path="plain"):
    url = f"{server.url}/{path}/{name}"
    download_archive(str(folder / name), url, [url], "R-UDA-1.0", str(registry))


def test_a_login_page_is_not_recorded_and_the_same_command_works_afterwards(tmp_path):
    registry = tmp_path / "resources/checksums.tsv"
    data = write_archive(tmp_path / "good.zip", sample_members(0)).read_bytes()
    with serve(PAGE, "text/html") as server:
        with pytest.raises(ContentError, match="sent a page"):
            archive_of(server, "a.zip", registry, tmp_path / "archives")
        assert read_registry(registry) == {}
        server.body, server.content_type = data, "application/zip"
        archive_of(server, "a.zip", registry, tmp_path / "archives")
    assert read_registry(registry)["a.zip"].bytes == len(data)


@pytest.mark.parametrize(
    "body", [b"quota exceeded", bytes(1000), b"PK\x03\x04" + bytes(1000), b"\x1f\x8b" + bytes(99), b""]
)
def test_what_is_no_zip_is_not_recorded(tmp_path, body):
    registry = tmp_path / "checksums.tsv"
    with serve(body, "text/plain") as server, pytest.raises(ContentError, match="expected a zip"):
        archive_of(server, "a.zip", registry, tmp_path / "archives")
    assert read_registry(registry) == {}
    assert not (tmp_path / "archives/a.zip").exists()


def test_a_wrong_record_can_be_forgotten_as_the_message_says(tmp_path):
    registry = tmp_path / "checksums.tsv"
    registry.write_text(f"name\tbytes\tsha256\turl\na.zip\t24\t{'0' * 64}\thttp://elsewhere/a.zip\n")
    data = write_archive(tmp_path / "good.zip", sample_members(0)).read_bytes()
    with serve(data) as server:
        with pytest.raises(ContentError) as caught:
            archive_of(server, "a.zip", registry, tmp_path / "archives")
        message = str(caught.value)
        assert f"expected 24 bytes as recorded, its server now has {len(data)}" in message
        assert f"{registry} recorded a.zip" in message
        assert "http://elsewhere/a.zip" in message
        assert "delete its line there and run again" in message
        lines = registry.read_text().splitlines()
        registry.write_text("\n".join(line for line in lines if not line.startswith("a.zip")) + "\n")
        archive_of(server, "a.zip", registry, tmp_path / "archives")
    assert read_registry(registry)["a.zip"].sha256 == hashlib.sha256(data).hexdigest()


def test_parts_are_a_zip_from_the_first_to_the_last(tmp_path):
    data = write_archive(tmp_path / "good.zip", sample_members(0)).read_bytes()
    pieces = [data[:3000], data[3000:6000], data[6000:]]
    for number, piece in enumerate(pieces):
        (tmp_path / f"a.{number}").write_bytes(piece)
        check_zip(tmp_path / f"a.{number}", "u", is_first=number == 0, is_last=number == 2)
    with pytest.raises(ContentError, match="begins with"):
        check_zip(tmp_path / "a.1", "u", is_first=True, is_last=False)
    with pytest.raises(ContentError, match="no directory at its end"):
        check_zip(tmp_path / "a.1", "u", is_first=False, is_last=True)


def test_members_are_read_without_head_and_not_without_a_length(tmp_path):
    data = write_archive(tmp_path / "good.zip", sample_members(0)).read_bytes()
    with serve(data) as server:
        names = {
            member.name for member in list_members(RemoteArchive(open_session(0), [f"{server.url}/head405/a.zip"], 0))
        }
        assert names == set(sample_members(0))
        assert describe(open_session(0), f"{server.url}/nolength,norange/a.zip").bytes is None
        with pytest.raises(TransferError, match=r"does not tell the file's length.*set source.download: whole"):
            RemoteArchive(open_session(0), [f"{server.url}/nolength,norange/a.zip"], 0)


def test_being_sent_to_no_address_is_told():
    with serve() as server, pytest.raises(TransferError, match=r"/astray/a\.zip: no answer from its server"):
        describe(open_session(0), f"{server.url}/astray/a.zip")
