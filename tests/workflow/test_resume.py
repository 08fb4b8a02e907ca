"""Runs that are killed, and two runs at once."""

import os
import shutil
import signal
import subprocess
import time

import pytest

from runs import command, run, succeed, sums

TIMEOUT_SECONDS = 900


def remove_shards(folder):
    """Undo the shard jobs and what follows from them."""
    shutil.rmtree(folder / "logs")
    for store in folder.glob("results/**/*.zarr"):
        for chunks in store.rglob("c"):
            if chunks.is_dir():
                shutil.rmtree(chunks)
        shutil.rmtree(store.parent / "manifests")
        for name in ("SHA256SUMS", "summary.json", "verified.json"):
            (store.parent / name).unlink()


def start(folder, *arguments):
    return subprocess.Popen(
        command(folder, *arguments), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


def wait_for(path, process):
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not path.exists():
        assert process.poll() is None, f"the run ended before {path} appeared"
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


def kill(process):
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize(
    ("job", "shard_file"),
    [
        ("thermalize_faces/warm/1", "results/variants/warm/thermal.zarr/thermal/c/1/0/0"),
        ("label_faces/1", "results/faces/faces.zarr/segmentation/c/1/0/0"),
    ],
)
def test_a_killed_run_resumes_with_the_same_command(finished, copy, job, shard_file):
    remove_shards(copy)
    process = start(copy, "faces", "variants")
    wait_for(copy / f"logs/{job}.log", process)
    kill(process)
    assert not list(copy.glob(f"results/**/{job.split('/')[-2]}/manifests/1.json"))
    # As if the kill had come in the middle of the write.
    (copy / shard_file).parent.mkdir(parents=True, exist_ok=True)
    (copy / shard_file).write_bytes(b"half a shard")
    succeed(copy, "faces", "variants")
    assert sums(copy) == sums(finished)


def test_two_runs_at_once_are_refused(copy):
    remove_shards(copy)
    first = start(copy, "faces", "variants")
    try:
        wait_for(copy / "logs/label_faces/0.log", first)
        second = run(copy, "faces", "variants")
    finally:
        kill(first)
    assert second.returncode != 0
    assert "cannot be locked" in second.stdout
