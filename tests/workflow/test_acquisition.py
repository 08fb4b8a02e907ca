"""Published archives, fetched from a server by the workflow."""

import re

import pandas as pd
import pytest

from archives import write_samples
from faulty_server import serve
from runs import configured, run, succeed


@pytest.fixture
def served(tmp_path):
    folder = tmp_path / "served"
    folder.mkdir()
    data = write_samples(folder / "a.zip", range(9)).read_bytes()
    for number in range(3):
        piece = data[number * len(data) // 3 : (number + 1) * len(data) // 3]
        (folder / f"a.zip.{number + 1:03d}").write_bytes(piece)
    return folder


def settings(server, *names, **more):
    urls = [f"{server.url}/{name}" for name in names]
    common = {"source__images": 5, "source__image_pixels": 64, "source__accept_license": True}
    return common | {"source__license": "R-UDA-1.0", "source__archive": urls} | more


def identity(folder):
    return pd.read_parquet(folder / "results/source/index.parquet").attrs["source_sha256"]


def test_download_archive_and_fetch_members_bring_the_same_samples(served, tmp_path):
    whole, few = tmp_path / "whole", tmp_path / "few"
    whole.mkdir()
    few.mkdir()
    with serve(served, cut_after=[20_000, 10_000], statuses=[]) as server:
        parts = ("a.zip.001", "a.zip.002", "a.zip.003")
        output = succeed(whole, "source", config=configured(whole, **settings(server, *parts)))
        assert output.count("going on") == 2
        changes = settings(server, "a.zip", source__download="first_samples")
        succeed(few, "source", config=configured(few, **changes))
    assert identity(whole) == identity(few)
    rows = (whole / "resources/checksums.tsv").read_text().splitlines()
    assert [row.split("\t")[0] for row in rows] == ["name", *parts]
    assert (whole / "resources/archives/R-UDA-1.0.txt").exists()
    # A file that is lost comes again alone, and is held to its record.
    (whole / "resources/archives/a.zip.002").unlink()
    with serve(served) as server:
        config = configured(whole, **settings(server, *parts))
        succeed(whole, "resources/archives/a.zip.002", config=config)
        assert [path for path, _ in server.requests] == ["/a.zip.002"]


def test_a_missing_file_ends_the_run_with_its_address(served, tmp_path):
    with serve(served) as server:
        done = run(tmp_path, "source", "--retries", "0", config=configured(tmp_path, **settings(server, "b.zip")))
        assert done.returncode != 0
        assert f"{server.url}/b.zip: its server answered 404 Not Found" in done.stdout


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source__archive": "dataset_100"}, "dataset_100 is published under R-UDA-1.0; set source.license"),
        (
            {"source__archive": "dataset_100000_parts", "source__license": "R-UDA-1.0"},
            "dataset_100000.zip.001, dataset_100000.zip.002, dataset_100000.zip.003, dataset_100000.zip.004 would be "
            "downloaded under the terms R-UDA-1.0",
        ),
        ({"source__archive": "mine.zip"}, "a file of your own goes into a list: [mine.zip]"),
        (
            {
                "source__archive": ["http://localhost/a.zip.001", "a.zip.002"],
                "source__accept_license": True,
                "source__download": "first_samples",
            },
            "source.archive has local files, too",
        ),
        ({"conditions__warm__pairs": {"path": "SEJONG", "values": "relative"}}, "docs/data.md says where to ask"),
    ],
)
def test_a_download_that_cannot_be_made_stops_before_any_job(tmp_path, changes, message):
    done = run(tmp_path, config=configured(tmp_path, **changes))
    assert done.returncode != 0
    assert message in done.stdout
    assert not (tmp_path / "results").exists()


def test_a_release_is_planned_without_a_connection(tmp_path):
    changes = {"source__archive": "dataset_100000_parts", "source__license": "R-UDA-1.0"}
    config = configured(tmp_path, **changes, source__accept_license=True)
    plan = succeed(tmp_path, "source", "--dry-run", config=config)
    assert re.search(r"(?m)^download_archive +4$", plan)


@pytest.mark.parametrize(
    ("addresses", "names"),
    [
        (["a.zip?download=1"], [r"a\.zip"]),
        (["files/a%20b.zip?X-Amz-Signature=1&x=a.tar"], [r"a_b\.zip"]),
        (["download?id=5"], [r"archive-[0-9a-f]{8}\.zip"]),
        (["1/a.zip.001/content", "1/a.zip.002/content"], [rf"archive-[0-9a-f]{{8}}\.zip\.00{part}" for part in (1, 2)]),
        (["1/a.zip", "2/a.zip"], [rf"archive-[0-9a-f]{{8}}\.zip\.00{part}" for part in (1, 2)]),
        (["a.zip.001?x=1", "a.zip.002?x=1"], [r"a\.zip\.001", r"a\.zip\.002"]),
    ],
)
def test_every_address_has_a_file_of_its_own(tmp_path, addresses, names):
    urls = [f"https://somewhere.invalid/{address}" for address in addresses]
    more = {"source__archive": urls, "source__license": "CC0-1.0", "source__accept_license": True}
    plan = succeed(tmp_path, "source", "--dry-run", config=configured(tmp_path, **more))
    found = {name.rstrip(".") for name in re.findall(r"resources/archives/([^\s,]+)", plan)}
    assert len(found) == len(urls)
    for name in names:
        assert any(re.fullmatch(name, each) for each in found), found
