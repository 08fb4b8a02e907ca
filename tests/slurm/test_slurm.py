"""The whole workflow and an arm of the ablation through a real Slurm, with jobs and the controller failing on the way.

``make test-slurm`` runs it, and installs Slurm where it may. It ends in the checksums of a local run.
"""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest
import yaml

from runs import ROOT, TINY, succeed, sums

HERE = Path(__file__).parent
TIMEOUT_SECONDS = 3600
#: Rules that run a network, derived ones included: the GPU partition is theirs.
NETWORKS = ("train_thermalizer", "train_arm", "thermalize_faces")
MISSING = [name for name in ("slurmctld", "slurmd", "munged") if not shutil.which(name, path=os.defpath + ":/usr/sbin")]
MISSING += [] if importlib.util.find_spec("snakemake_executor_plugin_slurm") else ["snakemake-executor-plugin-slurm"]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"SLURM NOT TESTED: no {', '.join(MISSING)}; see make test-slurm")


def free_ports():
    """The first of two neighbouring ports that nobody listens on."""
    for port in range(16817, 18000, 2):
        try:
            for each in (port, port + 1):
                socket.create_server(("127.0.0.1", each)).close()
        except OSError:
            continue
        return port
    raise OSError("no two neighbouring ports are free")


class Cluster:
    """A private Slurm: its environment, its queue, its controller."""

    def __init__(self, lab):
        self.lab = lab
        path = [ROOT / "profiles/slurm/bin", lab / "bin", os.environ["PATH"]]
        own = {
            "PORT": str(free_ports()),
            "LAB": str(lab),
            "SLURM_CONF": str(lab / "etc/slurm.conf"),
            "PATH": ":".join(map(str, path)),
        }
        self.environment = {**os.environ, **own, "COLUMNS": "200"}

    def call(self, *command):
        return subprocess.run(command, env=self.environment, check=True, capture_output=True, text=True).stdout

    def up(self):
        subprocess.run(["bash", HERE / "up.sh"], env=self.environment, check=True)

    def down(self):
        subprocess.run(["bash", HERE / "down.sh"], env=self.environment, check=True)

    def jobs(self):
        """Every job of this cluster's life: (id, state, what it runs, partition, generic resources)."""
        fields = "JobID:20,State:20,Comment:200,Partition:20,tres-per-job:40"
        listed = self.call("squeue", "--states=all", "--noheader", "-O", fields)
        return [tuple(line.split()) for line in listed.splitlines() if "rule_" in line]

    def hang(self, job):
        """Stop a job's processes, as a dead disk would; its time goes on."""

        def stop():
            stopped = 0
            for line in self.call("scontrol", "listpids", job).splitlines()[1:]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(line.split()[0]), signal.SIGSTOP)
                    stopped += 1
            return stopped

        until(stop, f"job {job} has no process")

    def stop_controller(self):
        pid = int((self.lab / "run/slurmctld.pid").read_text())
        os.kill(pid, signal.SIGTERM)
        until(lambda: not Path(f"/proc/{pid}").exists(), "slurmctld did not stop")


@pytest.fixture
def cluster():
    # Not in pytest's folder: munge wants its socket's path open to everybody.
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="tfake-slurm-")))
    cluster.lab.chmod(0o755)
    try:
        cluster.up()
        yield cluster
    finally:
        cluster.down()
    shutil.rmtree(cluster.lab)


def until(condition, message, process=None, log=None):
    """What a condition gives once it holds; a run that ends before, or takes too long, fails with its log's end."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not (found := condition()):
        assert process is None or process.poll() is None, f"the run ended before: {message}\n{end_of(log)}"
        assert time.monotonic() < deadline, f"{message} after {TIMEOUT_SECONDS} s\n{end_of(log)}"
        time.sleep(0.2)
    return found


def end_of(log):
    """The last lines that a run has written."""
    return log.read_text()[-8000:] if log else ""


def profile(folder):
    """The shipped profile, but quick to look, and with too little memory for the first attempt at one rule."""
    settings = yaml.safe_load((ROOT / "profiles/slurm/profile.yaml").read_text())
    settings["set-resources"] = {"index_archive": {"mem_mb": "60 if attempt == 1 else 2000"}}
    # No card is behind the pretended GPU: on a CPU, the last bits depend on torch's threads, and the local run has one.
    settings["set-threads"] = dict.fromkeys(NETWORKS, 1)
    settings |= {"jobs": 8, "latency-wait": 10, "slurm-init-seconds-before-status-checks": 3}
    folder.mkdir()
    (folder / "profile.yaml").write_text(yaml.safe_dump(settings))
    return folder


def running(cluster, rule):
    return next((job[0] for job in cluster.jobs() if job[1] == "RUNNING" and rule in job[2]), None)


def test_a_run_through_slurm_gives_the_local_checksums_whatever_fails(cluster, tmp_path):
    local, remote = tmp_path / "local", tmp_path / "remote"
    local.mkdir()
    remote.mkdir()
    arms = yaml.safe_load((ROOT / "config.yaml").read_text())["ablation"]["arms"]
    arm = f"results/ablation/warm/{next(iter(arms))}/0/weights.pt"
    succeed(local, "all", arm)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(remote)]
    command += ["--configfile", str(TINY), "--workflow-profile", str(profile(tmp_path / "profile")), "--", "all", arm]
    began = time.monotonic()
    log = tmp_path / "log.txt"
    with open(log, "w") as written:
        process = subprocess.Popen(command, env=cluster.environment, stdout=written, stderr=subprocess.STDOUT)
    try:
        cancelled = until(lambda: running(cluster, "label_faces"), "no label_faces runs", process, log)
        cluster.call("scancel", cancelled)
        until(lambda: running(cluster, "train_thermalizer"), "no train_thermalizer runs", process, log)
        cluster.stop_controller()
        time.sleep(8)
        cluster.up()
        hung = until(lambda: running(cluster, "thermalize_faces"), "no thermalize_faces runs", process, log)
        cluster.hang(hung)
        cluster.call("scontrol", "update", f"JobId={hung}", "TimeLimit=1")
        until(lambda: process.poll() is not None, "the run has not ended", log=log)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert process.returncode == 0, end_of(log)
    jobs = cluster.jobs()
    states = {job[0]: job[1] for job in jobs}
    assert states[cancelled] == "CANCELLED"
    assert states[hung] == "TIMEOUT"
    starved = [state for _, state, rule, *_ in jobs if "index_archive" in rule]
    assert sorted(starved) in (["COMPLETED", "FAILED"], ["COMPLETED", "OUT_OF_MEMORY"])
    for _, _, rule, partition, resources in jobs:
        needs_gpu = any(name in rule for name in NETWORKS)
        assert (partition, "gpu" in resources) == (("gpu", True) if needs_gpu else ("cpu", False)), rule
    assert any("train_arm" in rule for _, _, rule, *_ in jobs)
    assert sums(remote) == sums(local)
    assert (remote / arm).read_bytes() == (local / arm).read_bytes()
    assert len(sums(remote)) == 3
    ends = ", ".join(f"{count} {state}" for state, count in Counter(states.values()).most_common())
    files = sum(len(text.splitlines()) for text in sums(remote).values())
    print(f"\nSlurm: {len(jobs)} jobs in {time.monotonic() - began:.0f} s ({ends}), the controller stopped once;")
    print(f"{files} checksums in {len(sums(remote))} lists are those of the local run")
