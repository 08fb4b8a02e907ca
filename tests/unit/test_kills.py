"""kill -9 at random moments of a shard's job: what is finished in the end is what an undisturbed run makes."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from runs import ROOT, tree_hash
from tfake.store.arrays import create_store
from tfake.store.layouts import thermal_layout
from tfake.store.manifest import Manifest, describe_files, write_manifest
from tfake.store.sealing import seal_store
from tfake.store.stream import ShardStream

KILLS = 50
SHARDS, SHARD, PIXELS = 4, 6, 96


def work(folder):
    """Every shard that has no manifest yet; then the seal. In the order in which a job does it."""
    (array,) = thermal_layout(PIXELS)
    manifests = [folder / f"manifests/{shard}.json" for shard in range(SHARDS)]
    for shard, manifest in enumerate(manifests):
        if manifest.exists():
            continue
        with ShardStream(folder / "thermal.zarr", "thermal", shard) as stream:
            for row in range(SHARD):
                rng = np.random.default_rng(shard * SHARD + row)
                stream.append(stream.encode(rng.integers(29000, 31000, (PIXELS, PIXELS)).astype(np.uint16)))
            stream.close()
        described = describe_files(folder, [f"thermal.zarr/{array.shard_file(shard)}"])
        write_manifest(manifest, Manifest(shard, shard * SHARD, (shard + 1) * SHARD, {}, described, {}, {}))
    seal_store(folder / "SHA256SUMS", folder / "summary.json", folder / "thermal.zarr", manifests, SHARDS * SHARD)


def disturb(folder, seed=0):
    """Fork the work and kill it, again and again; whenever it gets through, begin with an empty folder again."""
    choice = random.Random(seed)
    kills = finished = 0
    longest = 0.05
    while kills < KILLS:
        child = os.fork()
        if child == 0:
            work(folder)
            os._exit(0)
        time.sleep(choice.uniform(0, longest))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            kills += 1
            # Where single kills come too early for any progress, give more time; that ends the loop on a slow machine.
            longest *= 1.02
        else:
            finished += 1
            for path in (*folder.glob("manifests/*"), *folder.glob("thermal.zarr/thermal/c/*/0/0")):
                path.unlink()
    work(folder)
    print(kills, finished)


def create(folder):
    """The store's metadata, as an earlier job makes them."""
    (folder / "manifests").mkdir(parents=True)
    create_store(folder / "thermal.zarr", thermal_layout(PIXELS), SHARDS * SHARD, SHARD, {})


def start(call, folder):
    """In a process of its own: only one that has a single thread may fork, and zarr starts threads where it works."""
    done = subprocess.run(
        [sys.executable, __file__, call.__name__, str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "workflow_scripts", ROOT / "tests")))},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_fifty_kills_change_no_byte(tmp_path):
    for name, call in (("killed", disturb), ("calm", work)):
        start(create, tmp_path / name)
        printed = start(call, tmp_path / name)
        if call is disturb:
            assert int(printed.split()[0]) == KILLS
    # Not a trace of the kills: neither halves nor leftovers.
    assert tree_hash(tmp_path / "killed") == tree_hash(tmp_path / "calm")


if __name__ == "__main__":
    {"create": create, "disturb": disturb, "work": work}[sys.argv[1]](Path(sys.argv[2]))
