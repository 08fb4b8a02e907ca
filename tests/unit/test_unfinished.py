"""Several shards a job: the same bytes, and what was finished before a stop is taken back, if it is still right."""

import json
import os

import pytest
import test_thermalize_faces as one_shard
from test_thermalize_faces import SHARDS, thermalize

from archives import flip_byte
from products.repair_stores import repair_stores
from tfake.store import manifest
from tfake.store.repair import FOLDER, keep_shard, take_back
from variants import thermalize_faces as script

folder, weights = one_shard.folder, one_shard.weights
MADE = {"thermal.zarr/thermal/c/{}/0/0", "{}.json"}


def outputs(folder):
    """The files of every shard and their manifests."""
    return {name.format(shard): (folder / name.format(shard)).read_bytes() for name in MADE for shard in SHARDS}


def delete_outputs(folder):
    """As Snakemake does with those of a job that failed, and before a job runs again."""
    for name in MADE:
        for shard in SHARDS:
            (folder / name.format(shard)).unlink(missing_ok=True)


@pytest.fixture
def thermalized(monkeypatch):
    """The number of rows that the network was asked for, call by call."""
    rows = []
    real = script.thermalize_rows

    def counting(thermalizer, archive, records, *arguments):
        rows.append(len(records))
        return real(thermalizer, archive, records, *arguments)

    monkeypatch.setattr(script, "thermalize_rows", counting)
    return rows


@pytest.fixture
def stopped(folder, weights, monkeypatch):
    """A job that failed when it had finished two of three shards, its outputs deleted; what a whole job writes."""
    thermalize(folder, weights, *SHARDS)
    expected = outputs(folder)
    delete_outputs(folder)
    with monkeypatch.context() as patch:
        real = manifest.write_manifest

        def fails(path, written):
            if written.shard == 2:
                raise OSError(28, "No space left on device")
            real(path, written)

        patch.setattr(manifest, "write_manifest", fails)
        with pytest.raises(OSError, match="No space"):
            thermalize(folder, weights, *SHARDS)
    delete_outputs(folder)
    return expected


def test_a_job_of_several_shards_makes_what_single_jobs_make(folder, weights):
    for shard in SHARDS:
        thermalize(folder, weights, shard)
    expected = outputs(folder)
    delete_outputs(folder)
    thermalize(folder, weights, *SHARDS, threads=2)
    assert outputs(folder) == expected
    assert not list((folder / FOLDER).glob("*"))
    one_shard.seal_and_verify(folder)
    assert not (folder / FOLDER).exists()


def test_a_stopped_job_goes_on_behind_its_last_finished_shard(folder, weights, stopped, thermalized):
    thermalize(folder, weights, *SHARDS)
    assert thermalized == [1]
    assert outputs(folder) == stopped
    assert not list((folder / FOLDER).glob("*"))


def test_a_kept_shard_that_is_damaged_is_made_again(folder, weights, stopped, thermalized):
    flip_byte(folder / FOLDER / "0/thermal.zarr/thermal/c/0/0/0", 100)
    thermalize(folder, weights, *SHARDS)
    assert thermalized == [3]
    assert outputs(folder) == stopped


def test_kept_shards_of_another_recipe_are_made_again(folder, weights, stopped, thermalized):
    thermalize(folder, weights, *SHARDS, recipe=2)
    assert thermalized == [5]
    assert {name: data for name, data in outputs(folder).items() if "zarr" in name} == {
        name: data for name, data in stopped.items() if "zarr" in name
    }
    assert json.loads((folder / "0.json").read_text())["made_from"]["recipe"] == 2


def test_a_disk_without_links_keeps_copies(folder, weights, monkeypatch):
    def refuse(*_):
        raise OSError(95, "Operation not supported")

    thermalize(folder, weights, 0)
    before = (folder / "0.json").read_bytes()
    monkeypatch.setattr(os, "link", refuse)
    keep_shard(folder, folder / "0.json")
    made_from = json.loads(before)["made_from"]
    (folder / "0.json").unlink()
    assert not take_back(folder, folder / "0.json", 0, (0, 1), made_from)
    assert take_back(folder, folder / "0.json", 0, (0, 2), made_from)
    assert (folder / "0.json").read_bytes() == before


def test_repair_keeps_the_good_shards_of_a_job_for_it(folder, weights, thermalized):
    (folder / "manifests").mkdir()
    thermalize(folder, weights, *SHARDS)
    expected = outputs(folder)
    for shard in SHARDS:
        os.link(folder / f"{shard}.json", folder / f"manifests/{shard}.json")
    one_shard.seal_and_verify(folder)
    flip_byte(folder / "thermal.zarr/thermal/c/1/0/0", 100)
    repair_stores(str(folder / "checked.csv"), [str(folder)], [str(folder)], threads=2)
    delete_outputs(folder)
    thermalize(folder, weights, *SHARDS)
    assert thermalized == [5, 2]
    assert outputs(folder) == expected
