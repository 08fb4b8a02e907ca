"""A published folder: terms that travel, metadata that machines read, checksums that hold."""

import json
import subprocess
from dataclasses import replace

import mlcroissant
import pandas as pd
import pytest
import yaml
from rocrate.rocrate import ROCrate

import tfake
from products.publish_variant import publish_variant
from recipes import ROOT
from tfake.products.publication.card import write_card
from tfake.products.publication.facts import gather_facts
from tfake.products.publication.folder import find_commit
from tfake.store.manifest import file_sha256, read_sums
from tfake.store.shards import StoreError
from tiny_dataset import MOVED, ROWS, make_dataset

DAY = "2026-01-31"
CONFIG = {"publication": {"version": "1.2.0", "url": None, "creators": ["Somebody"]}, "source": {"images": ROWS}}


def publish(folder, license):
    results = make_dataset(folder / "results", license)
    published = folder / "warm-1.2.0"
    publish_variant(
        str(published), "warm", str(results / "faces"), str(results / "variants/warm"), CONFIG, str(ROOT), DAY
    )
    return published


@pytest.fixture(scope="module")
def free(tmp_path_factory):
    return publish(tmp_path_factory.mktemp("free"), "CC0-1.0")


@pytest.fixture(scope="module")
def bound(tmp_path_factory):
    return publish(tmp_path_factory.mktemp("bound"), "R-UDA-1.0")


def test_the_checksums_list_every_file(free):
    sums = read_sums(free / "SHA256SUMS")
    present = {str(path.relative_to(free)) for path in free.rglob("*") if path.is_file()}
    assert sums.keys() == present - {"SHA256SUMS"}
    assert all(file_sha256(free / name) == digest for name, digest in sums.items())
    # The stores' own lists hold where they are, too.
    for folder in ("faces", "variants/warm"):
        subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=free / folder, check=True)


def test_the_terms_of_facesynthetics_travel(bound):
    text = (ROOT / "workflow_scripts/tfake/acquisition/licenses/R-UDA-1.0.txt").read_text()
    assert (bound / "LICENSE.txt").read_text() == text
    assert "Wood" in (bound / "ATTRIBUTION.txt").read_text()
    card = (bound / "README.md").read_text()
    assert "non-commercial research" in card
    assert "Tadas Baltrušaitis" in card
    titles = [work["title"] for work in yaml.safe_load((bound / "CITATION.cff").read_text())["references"]]
    assert any(title.startswith("Fake it till you make it") for title in titles)
    assert (
        json.loads((bound / "croissant.json").read_text())["license"] == "https://github.com/microsoft/FaceSynthetics"
    )


def test_procedural_faces_are_free_of_terms(free):
    assert "CC0 1.0 Universal" in (free / "LICENSE.txt").read_text()
    assert not (free / "ATTRIBUTION.txt").exists()
    citation = yaml.safe_load((free / "CITATION.cff").read_text())
    assert (citation["type"], citation["license"], citation["date-released"]) == ("dataset", "CC0-1.0", DAY)
    assert not any("Fake it" in work["title"] for work in citation["references"])
    assert "FaceSynthetics" not in (free / "README.md").read_text()


def test_the_card_is_one_that_hugging_face_reads(bound):
    hub = pytest.importorskip("huggingface_hub")
    data = hub.DatasetCard.load(bound / "README.md").data
    assert (data.license, data.license_name, data.license_link) == ("other", "r-uda-1.0", "LICENSE.txt")
    assert data.size_categories == ["n<1K"]
    assert (bound / data.configs[0]["data_files"]).exists()


def test_the_rows_are_a_table_that_keeps_ids_as_text(free):
    table = pd.read_parquet(free / "rows.parquet")
    assert table["image_id"].tolist() == [f"{row:06d}" for row in range(ROWS)]
    assert table["group"][MOVED] == "000001"
    assert table["split"][MOVED] == table["split"][1]
    faces = tfake.open_dataset(free, statuses=None)
    for part in ("train", "validation", "test"):
        assert faces.split(part).rows.tolist() == table.index[table["split"] == part].tolist()
    assert table["face_mean"][0] == pytest.approx(34.8, abs=0.05)
    assert table["face_mean"].isna().sum() == 1


def test_croissant_validates_and_its_records_load(bound):
    dataset = mlcroissant.Dataset(jsonld=str(bound / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    assert not dataset.metadata.ctx.issues.warnings
    records = list(dataset.records("faces"))
    assert [record["faces/image_id"] for record in records] == [f"{row:06d}".encode() for row in range(ROWS)]
    assert records[3]["faces/face_mean"] == pytest.approx(34.8, abs=0.05)
    classes = list(dataset.records("classes"))
    assert classes[2] == {"classes/id": 2, "classes/name": "nose"}


def test_croissant_says_what_the_library_itself_would_leave_out(bound):
    described = json.loads((bound / "croissant.json").read_text())
    assert described["isLiveDataset"] is False
    assert described["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    assert described["rai:personalSensitiveInformation"].startswith("None")
    assert described["rai:dataLimitations"]
    for file in described["distribution"]:
        assert file["sha256"] == file_sha256(bound / file["contentUrl"])
        assert file["contentSize"] == f"{(bound / file['contentUrl']).stat().st_size} B"


def test_the_card_says_who_made_the_temperatures_and_what_the_lens_did(free, tmp_path):
    facts = gather_facts("warm", free.parent / "results/variants/warm", CONFIG, DAY, None)
    table = pd.DataFrame({"status": ["ok"], "landmarks_478_status": ["ok"], "split": ["train"]})
    heat = {"persons": "drawn", "seed": 3, "state": {"fever_kelvin": 1.5, "perfusion": 1.0, "breath": None}}
    heat |= {"lens": {"blur_pixels": 1.5, "netd_kelvin": 0.03}}
    given = {"source_sha256": "5" * 64, "history": "made by tests", "ambient_celsius": 18.0, "variant": "heat"}
    modelled = {"recipe": 1, "tables": "measured", "tables_sha256": "8" * 64}

    def card(**attributes):
        write_card(tmp_path, replace(facts, attributes=given | attributes), table, "")
        return " ".join((tmp_path / "README.md").read_text().split())

    text = card(heat=heat, modelled=modelled)
    assert "without a network" in text
    assert "The room is at 18 °C. Tables `measured` (SHA-256 `8888888888888888…`" in text
    assert "drawn from the seed 3 and its id; fever_kelvin 1.5." in text
    assert "blur of 1.5 pixels of an image 512 wide, and temporal noise of 30 mK" in text
    assert "modelled.json" in text
    mean = card(heat=heat | {"persons": "mean", "lens": None}, modelled=modelled, of="heat")
    assert "the temperatures of the mean person" in mean
    assert "neither blur nor noise" in mean
    assert "recorded through the camera model in `provenance/config.yaml` from variant `heat`" in mean
    trained = card(heat=heat, condition="warm", thermalizer_sha256="7" * 64, thermalizer={})
    assert "trained for the condition `warm`" in trained
    assert "temporal noise of 30 mK" in trained


def test_the_provenance_is_a_workflow_run_crate(bound):
    crate = json.loads((bound / "ro-crate-metadata.json").read_text())
    nodes = {node["@id"]: node for node in crate["@graph"]}
    root, action = nodes["./"], nodes["#run"]
    assert {"@id": "https://w3id.org/ro/wfrun/workflow/0.5"} in root["conformsTo"]
    assert root["mainEntity"] == action["instrument"] == {"@id": "provenance/workflow/Snakefile"}
    assert "ComputationalWorkflow" in nodes[root["mainEntity"]["@id"]]["@type"]
    assert nodes["#maker"]["sha256"] == "7" * 64
    for reference in (*root["hasPart"], *action["object"], *action["result"], *action["agent"], *root["conformsTo"]):
        assert reference["@id"] in nodes
    for name, node in nodes.items():
        if "File" in node["@type"]:
            assert (bound / name).is_file()
    config = yaml.safe_load((bound / "provenance/config.yaml").read_text())
    assert config == CONFIG
    assert json.loads((bound / "provenance/versions.json").read_text())["tfake-workflow"] == tfake.__version__


def test_the_crate_is_one_that_its_library_reads(bound):
    crate = ROCrate(str(bound))
    assert crate.mainEntity.id == "provenance/workflow/Snakefile"
    assert crate.mainEntity["programmingLanguage"]["name"] == "Snakemake"
    assert crate.root_dataset["mentions"].type == "CreateAction"


def test_publishing_twice_gives_the_same_bytes(free, tmp_path):
    again = publish(tmp_path, "CC0-1.0")
    before, after = read_sums(free / "SHA256SUMS"), read_sums(again / "SHA256SUMS")
    # When the run ended is part of the provenance.
    assert {name for name in before if before[name] != after.get(name)} <= {"ro-crate-metadata.json"}
    assert before.keys() == after.keys()


def test_a_store_that_changed_is_not_published(tmp_path):
    results = make_dataset(tmp_path / "results")
    shard = results / "variants/warm/thermal.zarr/thermal/c/1/0/0"
    data = bytearray(shard.read_bytes())
    data[9] ^= 1
    shard.write_bytes(data)
    with pytest.raises(StoreError, match="c/1/0/0 is not what was sealed"):
        publish_variant(
            str(tmp_path / "p"), "warm", str(results / "faces"), str(results / "variants/warm"), CONFIG, str(ROOT), DAY
        )
    assert not (tmp_path / "p/SHA256SUMS").exists()


def test_a_workflow_outside_git_has_no_commit(tmp_path):
    assert find_commit(tmp_path) is None
