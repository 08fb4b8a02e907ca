"""Damage to a finished run: only what is damaged is made again, to the same bytes."""

import csv
import os
import random
import re
import stat
import subprocess
import time

import pytest
from test_resume import kill, remove_shards, start

from archives import flip_byte
from runs import command, run, succeed, sums

WARM, COLD = "results/variants/warm", "results/variants/cold"


def planned(folder):
    """Rule to number of jobs of the next run."""
    return {name: int(count) for name, count in re.findall(r"(?m)^(\w+) +(\d+)$", succeed(folder, "--dry-run"))}


def damage(path):
    """As bit rot does it: no time stamp tells."""
    before = path.stat()
    flip_byte(path, before.st_size // 2)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_repair_makes_again_only_what_verification_names(finished, copy):
    damage(copy / WARM / "thermal.zarr/thermal/c/1/0/0")
    damage(copy / COLD / "thermal.zarr/thermal/zarr.json")
    failed = run(copy, "--forcerun", "verify_thermal", "--keep-going", "--", "variants")
    assert failed.returncode != 0
    for variant, name in (("warm", "thermal.zarr/thermal/c/1/0/0"), ("cold", "thermal.zarr/thermal/zarr.json")):
        rows = list(csv.DictReader((copy / f"logs/verify_thermal/{variant}.csv").open()))
        assert [row["path"] for row in rows if row["state"] != "ok"] == [name]
    succeed(copy, "--forcerun", "repair_stores", "--", "repair_stores")
    rows = csv.DictReader((copy / "results/checked.csv").open())
    actions = {f"{row['folder']}/{row['path']}": row["action"] for row in rows}
    assert {name: action for name, action in actions.items() if action} == {
        f"{WARM}/thermal.zarr/thermal/c/1/0/0": "removed",
        f"{COLD}/thermal.zarr/thermal/zarr.json": "restored",
    }
    jobs = planned(copy)
    assert (jobs["thermalize_faces"], jobs["seal_thermal"], jobs["verify_thermal"]) == (1, 1, 2)
    assert jobs.keys() & {"create_thermal_store", "label_faces", "train_thermalizer", "verify_faces"} == set()
    succeed(copy)
    assert sums(copy) == sums(finished)


def test_a_manifest_without_its_shard_and_the_reverse_are_made_again(finished, copy):
    (copy / WARM / "thermal.zarr/thermal/c/0/0/0").unlink()
    (copy / COLD / "manifests/2.json").unlink()
    # Snakemake by itself does not look for what lies behind a finished target.
    succeed(copy, "--forcerun", "repair_stores", "--", "repair_stores")
    jobs = planned(copy)
    assert (jobs["thermalize_faces"], jobs["seal_thermal"]) == (2, 2)
    assert "label_faces" not in jobs
    succeed(copy, "variants")
    assert sums(copy) == sums(finished)


def test_a_member_that_rots_after_it_was_indexed_is_named(copy):
    remove_shards(copy)
    archive = copy / "results/source/faces.zip"
    before = archive.stat()
    place = archive.read_bytes().index(b"000002.png") + 200
    flip_byte(archive, place)
    os.utime(archive, ns=(before.st_atime_ns, before.st_mtime_ns))
    done = run(copy, "--keep-going", "variants")
    assert done.returncode != 0
    assert "000002.png" in done.stdout
    assert "CRC" in done.stdout
    # One shard of the labels is lost; trainings read all of them, the temperature model those of its own shard.
    for store in ("results/faces", "results/variants/heat"):
        assert sorted(path.stem for path in (copy / store / "manifests").glob("*.json")) == ["0", "2"]


@pytest.mark.slow
def test_kills_at_random_moments_of_the_whole_workflow(finished, copy):
    remove_shards(copy)
    moments = random.Random(0)
    for _ in range(3):
        process = start(copy, "faces", "variants")
        time.sleep(moments.uniform(2, 9))
        kill(process)
    succeed(copy, "faces", "variants")
    assert sums(copy) == sums(finished)


def test_a_folder_that_cannot_be_written_is_named(copy):
    remove_shards(copy)
    for path in (copy, *copy.rglob("*")):
        path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) | stat.S_IROTH)
        if path.is_dir():
            path.chmod(path.stat().st_mode | stat.S_IXOTH)
    nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    if nobody:
        reachable = subprocess.run(["ls", str(copy)], capture_output=True, check=False, **nobody)
        if reachable.returncode:
            pytest.skip("the folder of this test is closed to other users")
    environment = {**os.environ, "HOME": str(copy), "XDG_CACHE_HOME": "/nonexistent"}
    done = subprocess.run(
        command(copy, "variants"), capture_output=True, text=True, check=False, env=environment, **nobody
    )
    for path in (copy, *(path for path in copy.rglob("*") if path.is_dir())):
        path.chmod(0o755)
    assert done.returncode != 0
    output = done.stdout + done.stderr
    assert re.search("Permission denied|Read-only file system|not writable", output), output
    assert str(copy) in output, output
