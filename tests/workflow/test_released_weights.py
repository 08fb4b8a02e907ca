"""Thermalizers taken instead of trained, by the workflow."""

import json
import shutil

import pytest

from faulty_server import serve
from runs import configured, run, succeed, sums
from tfake.store.manifest import file_sha256


@pytest.mark.slow
def test_imported_weights_make_the_stores_that_they_made_before(finished, tmp_path):
    weights = {name: finished / f"results/thermalizers/{name}/weights.pt" for name in ("warm", "cold")}
    served = tmp_path / "served"
    served.mkdir()
    shutil.copy(weights["cold"], served)
    with serve(served) as server:
        given = {
            "warm": {"weights": str(weights["warm"]), "sha256": None},
            "cold": {"weights": f"{server.url}/weights.pt", "sha256": file_sha256(weights["cold"])},
        }
        output = succeed(tmp_path, config=configured(tmp_path, thermalizers=given))
    assert "train_thermalizer" not in output
    assert (tmp_path / "resources/weights/cold.pt").read_bytes() == weights["cold"].read_bytes()
    for name, path in weights.items():
        assert (tmp_path / f"results/thermalizers/{name}/weights.pt").read_bytes() == path.read_bytes()
        provenance = json.loads((tmp_path / f"results/thermalizers/{name}/provenance.json").read_text())
        assert provenance["imported"]["sha256"] == file_sha256(path)
        shard = f"results/variants/{name}/thermal.zarr/thermal/c/1/0/0"
        assert (tmp_path / shard).read_bytes() == (finished / shard).read_bytes()
    # The store's metadata say that its thermalizer was imported, so that its list differs in that one file.
    assert sums(tmp_path)["results/faces/SHA256SUMS"] == sums(finished)["results/faces/SHA256SUMS"]
    assert "trained elsewhere" in (tmp_path / "results/report/index.html").read_text()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"hot": {"weights": "w.pt", "sha256": None}}, "thermalizers.hot is for no condition"),
        ({"warm": {"weights": "http://localhost/w.pt", "sha256": None}}, "weights from a URL need their SHA-256"),
        ({"warm": {"weights": "w.pt", "sha256": "abc"}}, "abc"),
        ({"warm": {"weights": "nowhere.pt", "sha256": None}}, "nowhere.pt"),
    ],
)
def test_weights_that_cannot_be_had_stop_before_any_job(tmp_path, given, message):
    done = run(tmp_path, config=configured(tmp_path, thermalizers=given))
    assert done.returncode != 0
    assert message in done.stdout
    assert not (tmp_path / "results").exists()
