"""A run's variants handed on and brought back: published, exported as T-FAKE's files, imported as a variant."""

import subprocess

import numpy as np
import yaml

import tfake
from runs import TINY, succeed

EXPORT = "results/exports/warm/tfake/SHA256SUMS"


def test_a_variant_is_published_exported_and_imported(copy, tmp_path):
    """publish_variant, export_variant, create_import_store and import_faces, by way of Snakemake."""
    succeed(copy, "publish", EXPORT)
    published = copy / "results/publication/warm-1.0.0"
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=published, check=True)
    run, handed_on = tfake.open_dataset(copy / "results"), tfake.open_dataset(published)
    assert handed_on.variants == ("warm",)
    for ours, theirs in zip(run, handed_on, strict=True):
        np.testing.assert_array_equal(ours.thermal["warm"], theirs.thermal["warm"])
    assert "CC0" in (published / "LICENSE.txt").read_text()
    modelled = copy / "results/publication/heat-1.0.0"
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=modelled, check=True)
    assert "without a network" in (modelled / "README.md").read_text()
    assert "Nothing to be done" in succeed(copy, "publish", EXPORT)

    files = (copy / EXPORT).parent
    theirs = {"files": str(files), "points": f"{files}/annotations.pkl", "license": "CC-BY-NC-SA-4.0"}
    config = yaml.safe_load(TINY.read_text())
    config["variants"] = {"theirs": {**theirs, "condition": "warm", "ambient_celsius": None}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(config))
    output = succeed(copy, config=tmp_path / "mine.yaml")
    assert "thermalize_faces" not in output
    assert "model_faces" not in output
    assert "import_faces" in output
    both = tfake.open_dataset(copy / "results", ["warm", "theirs"])
    for face in both:
        difference = face.thermal["theirs"] - np.clip(face.thermal["warm"], 20, 40)
        assert abs(difference).max() < 0.01
    page = (copy / "results/report/index.html").read_text()
    assert "published images" in page
