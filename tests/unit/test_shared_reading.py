"""Files that are read in place are read rightly by threads, forked processes and spawned ones at once."""

import multiprocessing
import os
import pickle
import sys
import zipfile
import zlib
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

from archives import write_archive
from tfake.archive.file_trees import open_tree
from tfake.archive.pairs import open_pairs
from tfake.archive.zip_archive import MemberError, list_members, open_archive
from tfake.core.files import PositionalFile
from thermal_sets import gray, same, visible, write_set, zipped

MEMBERS = {f"{n:03d}.bin": np.random.default_rng(n).bytes(100_000 + n) for n in range(40)}


@pytest.fixture(params=["pread", "seek"])
def positional(request, monkeypatch):
    """With positional reads, and as where there are none (Windows)."""
    if request.param == "seek":
        monkeypatch.delattr(os, "pread")


@contextmanager
def often_switching():
    """Python's threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@pytest.mark.usefixtures("positional")
@pytest.mark.parametrize("parts", [1, 3])
def test_threads_share_an_archive(tmp_path, parts):
    data = write_archive(tmp_path / "a.zip", MEMBERS).read_bytes()
    paths = [tmp_path / f"b.zip.{number + 1:03d}" for number in range(parts)]
    for path, piece in zip(paths, np.array_split(np.frombuffer(data, np.uint8), parts), strict=True):
        path.write_bytes(piece.tobytes())
    archive = open_archive(paths)
    members = list_members(archive) * 10
    with often_switching(), ThreadPoolExecutor(8) as pool:
        found = list(pool.map(archive.read, members))
    assert found == [MEMBERS[member.name] for member in members]


@pytest.mark.usefixtures("positional")
def test_a_positional_file_ends_where_the_file_ends(tmp_path):
    (tmp_path / "a").write_bytes(b"abcdef")
    file = PositionalFile(open(tmp_path / "a", "rb", buffering=0))  # noqa: SIM115 - closed below
    assert (file.size, file.read(2, 3), file.read(4, 9), file.read(9, 1)) == (6, b"cde", b"ef", b"")
    file.close()


def inherit(read, started):
    """In a forked process what is handed over here is the parent's own object; in a spawned one it was pickled."""
    globals().update(read=read, started=started)


def sums(names):
    started.wait()  # noqa: F821 - from inherit
    return [zlib.crc32(read(name)) for name in names]  # noqa: F821


def together(read, names, method):
    """What four processes read at once, each everything, ten times over."""
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(4, context, inherit, (read, context.Barrier(4))) as pool:
        return list(pool.map(sums, [names * 10] * 4))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_share_an_archive(tmp_path, method):
    archive = open_archive([write_archive(tmp_path / "a.zip", MEMBERS)])
    members = list_members(archive)
    archive.read(members[0])  # its file is open when the processes start
    expected = [zlib.crc32(MEMBERS[member.name]) for member in members] * 10
    assert together(archive.read, members, method) == [expected] * 4


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("pack", ["folder", "zip"])
def test_processes_share_a_tree(tmp_path, method, pack):
    if pack == "folder":
        (tmp_path / "set").mkdir()
        for name, data in MEMBERS.items():
            (tmp_path / "set" / name).write_bytes(data)
    path = tmp_path / "set" if pack == "folder" else write_archive(tmp_path / "a.zip", MEMBERS)
    tree = open_tree(path, "files")
    tree.read(tree.names[0])
    assert together(tree.read, list(tree.names), method) == [[zlib.crc32(MEMBERS[n]) for n in tree.names] * 10] * 4


@pytest.mark.parametrize("pack", [same, zipped])
def test_pairs_travel(tmp_path, pack):
    write_set(tmp_path / "set", {"a_v.png": visible(3), "a_t.png": gray()})
    pairs = open_pairs(pack(tmp_path / "set"), "relative")
    copy = pickle.loads(pickle.dumps(pairs))
    np.testing.assert_array_equal(copy[0].rgb, pairs[0].rgb)
    assert copy.subjects == pairs.subjects


def test_long_extra_fields_and_other_compressions(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
            info = zipfile.ZipInfo(f"{method} ä")
            info.extra = b"\xfe\xca" + (500).to_bytes(2, "little") + bytes(500)
            archive.writestr(info, MEMBERS["000.bin"], method)
    opened = open_archive([path])
    *known, unknown = list_members(opened)
    assert all(opened.read(member) == MEMBERS["000.bin"] for member in known)
    with pytest.raises(MemberError, match="compression method 14 is neither stored"):
        opened.read(unknown)
