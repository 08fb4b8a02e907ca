"""A local HTTP server that serves a folder and misbehaves on request."""

import re
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Faults:
    """What goes wrong; every list is used up from its front, one entry a GET."""

    cut_after: list[int | None] = field(default_factory=list)  # bytes of the body, then the connection breaks
    statuses: list[int] = field(default_factory=list)  # answered instead, then as usual
    always_cut_after: int | None = None
    ignores_ranges: bool = False
    wrong_range: bool = False  # answers a range with bytes from elsewhere
    tells_length: int | None = None  # in HEAD
    body: bytes | None = None  # sent instead of the file's own
    etag: str = '"one"'


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        data = self._file()
        if data is not None:
            length = self.server.faults.tells_length or len(data)
            self._head(200, {"Content-Length": str(length), "ETag": self.server.faults.etag})

    def do_GET(self):
        faults: Faults = self.server.faults
        with self.server.guard:
            self.server.requests.append((self.path, self.headers.get("Range")))
            status = faults.statuses.pop(0) if faults.statuses else None
            cut = faults.cut_after.pop(0) if faults.cut_after else faults.always_cut_after
        if status is not None:
            self._head(status, {"Content-Length": "0"})
            return
        data = self._file()
        if data is None:
            return
        body = data if faults.body is None else faults.body
        headers = {"ETag": faults.etag}
        code = 200
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
        same = self.headers.get("If-Range") in (None, faults.etag)
        if match and same and not faults.ignores_ranges:
            start = int(match[1]) + (1 if faults.wrong_range else 0)
            stop = min(int(match[2]) + 1 if match[2] else len(body), len(body))
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(body)}"
            body, code = body[start:stop], 206
        self._head(code, headers | {"Content-Length": str(len(body))})
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None and cut < len(body):
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def _file(self):
        path = self.server.folder / self.path.lstrip("/")
        if path.is_file():
            return path.read_bytes()
        self._head(404, {"Content-Length": "0"})
        return None

    def _head(self, code, headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


@contextmanager
def serve(folder: Path, **faults):
    """Serve ``folder`` on a free port of this machine; yields the server (``url``, ``faults``, ``requests``)."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.folder, server.faults, server.requests, server.guard = folder, Faults(**faults), [], threading.Lock()
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
