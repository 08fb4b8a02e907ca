"""Every kind of damage is named, and taken away with nothing else."""

import csv
import json
import os
import shutil

import numpy as np
import pytest

from products.repair_stores import repair_stores
from products.verify_stores import verify_stores
from tfake.store.arrays import create_store, write_shard
from tfake.store.layouts import thermal_layout
from tfake.store.manifest import Manifest, describe_files, write_manifest
from tfake.store.sealing import seal_store
from tfake.store.shards import StoreError
from tfake.store.verification import DIFFERS, OK, inspect_store, verify_store

PIXELS, SHARDS, SHARD = 16, 3, 2


def write_one(folder, shard):
    """What a shard's job does."""
    counts = np.random.default_rng(shard).integers(29000, 31000, (SHARD, PIXELS, PIXELS)).astype(np.uint16)
    write_shard(folder / "thermal.zarr", {"thermal": counts}, shard)
    described = describe_files(folder, [f"thermal.zarr/thermal/c/{shard}/0/0"])
    manifest = Manifest(shard, shard * SHARD, (shard + 1) * SHARD, {}, described, {"source_ok": SHARD}, {})
    write_manifest(folder / f"manifests/{shard}.json", manifest)


def complete(folder):
    """What a run does: whatever is missing, and the seal again."""
    store = folder / "thermal.zarr"
    if not all((store / name).exists() for name in ("zarr.json", "thermal/zarr.json")):
        create_store(store, thermal_layout(PIXELS), SHARDS * SHARD, SHARD, {"title": "test"})
    for shard in range(SHARDS):
        if not ((folder / f"manifests/{shard}.json").exists() and (store / f"thermal/c/{shard}/0/0").exists()):
            write_one(folder, shard)
    manifests = [folder / f"manifests/{shard}.json" for shard in range(SHARDS)]
    seal_store(folder / "SHA256SUMS", folder / "summary.json", store, manifests, SHARDS * SHARD)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sealed") / "warm"
    (folder / "manifests").mkdir(parents=True)
    complete(folder)
    return folder


@pytest.fixture
def folder(sealed, tmp_path):
    shutil.copytree(sealed, tmp_path / "warm")
    return tmp_path / "warm"


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def faults(folder):
    checked = inspect_store(folder / "SHA256SUMS", folder / "thermal.zarr", threads=2)
    return {file.path: file.state for file in checked if file.state != OK}


def repair(folder):
    repair_stores(str(folder.parent / "checked.csv"), [str(folder)], [], threads=2)
    rows = list(csv.DictReader((folder.parent / "checked.csv").open()))
    return {row["path"]: row["action"] for row in rows if row["action"]}, rows


def flip_bit(path, bit):
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


SEALED_FILES = [
    "thermal.zarr/zarr.json",
    "thermal.zarr/thermal/zarr.json",
    *(f"thermal.zarr/thermal/c/{shard}/0/0" for shard in range(SHARDS)),
    *(f"manifests/{shard}.json" for shard in range(SHARDS)),
    "SHA256SUMS",
]


@pytest.mark.parametrize("name", SEALED_FILES)
def test_any_flipped_bit_is_named_and_repaired(sealed, folder, name):
    before = content(sealed)
    path = folder / name
    bits = 8 * path.stat().st_size
    for bit in np.random.default_rng(0).choice(bits, 6, replace=False):
        flip_bit(path, int(bit))
        found = faults(folder)
        assert name in found
        # A shard's own manifest may be named with it; no other file of the store is.
        assert found.keys() <= {name, "SHA256SUMS"}, found
        with pytest.raises(StoreError, match=name):
            verify_store(folder / "SHA256SUMS", folder / "thermal.zarr")
        actions, _ = repair(folder)
        assert actions.keys() == found.keys()
        complete(folder)
        assert content(folder) == before


def test_a_sound_store_is_left_alone(sealed, folder):
    before = content(folder)
    actions, rows = repair(folder)
    assert actions == {}
    assert content(folder) == before
    assert {row["state"] for row in rows} == {OK}
    assert len(rows) == SHARDS + 2
    assert sum(int(row["bytes"]) for row in rows) == sum(
        len(data) for name, data in before.items() if name.startswith("thermal.zarr")
    )


def test_nothing_but_the_damaged_shard_goes(folder):
    (folder / "verified.json").write_text("{}")
    before = content(folder)
    flip_bit(folder / "thermal.zarr/thermal/c/1/0/0", 77)
    actions, _ = repair(folder)
    assert actions == {"thermal.zarr/thermal/c/1/0/0": "removed"}
    assert before.keys() - content(folder).keys() == {
        "thermal.zarr/thermal/c/1/0/0",
        "manifests/1.json",
        "verified.json",
    }


def test_metadata_come_back_as_old_as_the_shards(sealed, folder):
    path = folder / "thermal.zarr/thermal/zarr.json"
    before = content(folder)
    path.write_text(path.read_text().replace("degree_Celsius", "kelvin"))
    assert faults(folder) == {"thermal.zarr/thermal/zarr.json": DIFFERS}
    actions, _ = repair(folder)
    assert actions == {"thermal.zarr/thermal/zarr.json": "restored"}
    assert content(folder) == before
    shards = [os.stat(folder / f"thermal.zarr/thermal/c/{shard}/0/0").st_mtime for shard in range(SHARDS)]
    assert path.stat().st_mtime == pytest.approx(min(shards), abs=1e-3)
    (folder / "summary.json").unlink()
    path.write_text("{}")
    assert repair(folder)[0] == {"thermal.zarr/thermal/zarr.json": "removed"}
    assert not path.exists()


def test_files_of_nobody_and_lost_files_are_named(sealed, folder):
    before = content(folder)
    (folder / "thermal.zarr/thermal/c/0/0/0.part").write_bytes(b"half")
    (folder / "thermal.zarr/thermal/c/2/0/0").unlink()
    (folder / "manifests/0.json").unlink()
    actions, rows = repair(folder)
    states = {row["path"]: row["state"] for row in rows if row["state"] != OK}
    assert states == {
        "thermal.zarr/thermal/c/0/0/0.part": "not listed",
        "thermal.zarr/thermal/c/2/0/0": "missing",
        "manifests/0.json": "missing",
    }
    assert actions.keys() == states.keys()
    complete(folder)
    assert content(folder) == before


def test_the_table_is_written_although_verification_fails(folder, tmp_path):
    flip_bit(folder / "thermal.zarr/thermal/c/0/0/0", 5)
    flip_bit(folder / "thermal.zarr/thermal/c/2/0/0", 5)
    with pytest.raises(StoreError, match="2 faults"):
        verify_store(folder / "SHA256SUMS", folder / "thermal.zarr", 2, tmp_path / "table.csv")
    rows = list(csv.DictReader((tmp_path / "table.csv").open()))
    assert [row["path"] for row in rows if row["state"] == DIFFERS] == [
        "thermal.zarr/thermal/c/0/0/0",
        "thermal.zarr/thermal/c/2/0/0",
    ]


def test_a_store_that_is_not_sealed_is_passed_over(folder):
    (folder / "SHA256SUMS").unlink()
    before = content(folder)
    actions, rows = repair(folder)
    assert (actions, rows) == ({}, [])
    assert content(folder) == before


def test_every_store_is_verified_before_any_fault_is_told(folder, sealed, tmp_path):
    folders = [str(tmp_path / "unmade"), str(folder), str(sealed)]
    looked, table = tmp_path / "looked.json", tmp_path / "table.csv"
    verify_stores(str(looked), str(table), folders, threads=2)
    counts = json.loads(looked.read_text())
    assert list(counts) == folders[1:]
    assert counts[str(sealed)]["bytes"] > 0
    looked.unlink()
    (folder / "thermal.zarr/thermal/c/1/0/0").write_bytes(b"rot")
    (folder / "manifests/2.json").unlink()
    with pytest.raises(StoreError, match=r"(?s)2 faults in the stores; `snakemake repair`.*c/1/0/0.*manifests/2.json"):
        verify_stores(str(looked), str(table), folders, threads=2)
    assert not looked.exists()
    states = {row["path"]: row["state"] for row in csv.DictReader(table.open()) if row["folder"] == str(sealed)}
    assert set(states.values()) == {OK}


def test_nothing_to_verify_is_an_error(tmp_path):
    with pytest.raises(StoreError, match="no store is sealed"):
        verify_stores(str(tmp_path / "looked.json"), str(tmp_path / "table.csv"), [str(tmp_path)], threads=1)


def test_verification_names_the_remedy(folder):
    (folder / "thermal.zarr/thermal/c/1/0/0").write_bytes(b"rot")
    with pytest.raises(StoreError, match="`snakemake repair`"):
        verify_store(folder / "SHA256SUMS", folder / "thermal.zarr")
