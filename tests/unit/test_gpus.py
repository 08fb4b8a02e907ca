"""Jobs on one machine take GPUs of their own; the machine's GPUs are made up."""

import os
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise

import pytest

from nvidia_smi import install
from recipes import LIBRARY
from tfake.core import gpu_claims, nvidia
from tfake.core.gpu_claims import JOBS_PER_GPU, claim_device, claim_gpus

NAMES = ["gpu-a", "gpu-b"]
JOB = """
import sys, time
from pathlib import Path
from tfake.core.gpu_claims import claim_gpus
folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
(taken,) = claim_gpus(["gpu-a", "gpu-b"], folder=folder / "locks")
began = time.time()
print(taken, flush=True)
time.sleep(seconds)
(folder / f"{sys.argv[3]}.txt").write_text(f"{taken} {began} {time.time()}")
"""


@pytest.fixture(autouse=True)
def same_environment():
    """A claim is for the life of the process: what it tells CUDA would reach every later test."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


def start(folder, seconds, name, **environment):
    command = [sys.executable, "-c", JOB, str(folder), str(seconds), name]
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), **environment}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.fixture(autouse=True)
def release(monkeypatch):
    monkeypatch.delenv(JOBS_PER_GPU, raising=False)
    monkeypatch.setattr(gpu_claims, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(gpu_claims, "_held", held := [])
    yield
    for file in held:
        os.close(file)


def test_jobs_side_by_side_never_share_a_gpu(tmp_path):
    jobs = [start(tmp_path, 0.3, str(number)) for number in range(5)]
    for job in jobs:
        assert job.wait(timeout=120) == 0
    spans = [path.read_text().split() for path in tmp_path.glob("*.txt")]
    assert len(spans) == 5
    assert {span[0] for span in spans} == set(NAMES)
    for gpu in NAMES:
        mine = sorted(tuple(map(float, span[1:])) for span in spans if span[0] == gpu)
        assert all(before[1] <= after[0] for before, after in pairwise(mine)), mine


def test_a_killed_job_gives_its_gpu_back(tmp_path):
    first, second = (start(tmp_path, 600, name) for name in "ab")
    taken = {first.stdout.readline().strip(), second.stdout.readline().strip()}
    assert taken == set(NAMES)
    first.send_signal(signal.SIGKILL)
    first.wait()
    third = start(tmp_path, 0, "c")
    assert third.wait(timeout=120) == 0
    second.kill()
    second.wait()


def take(folder, count=1, names=NAMES):
    return claim_gpus(names, count, folder)


def test_a_job_waits_until_a_gpu_is_free_and_says_for_whom(tmp_path, caplog):
    caplog.set_level("INFO")
    assert [take(tmp_path), take(tmp_path)] == [("gpu-a",), ("gpu-b",)]
    found = []
    waiting = threading.Thread(target=lambda: found.append(take(tmp_path)))
    waiting.start()
    time.sleep(0.2)
    assert found == []
    os.close(gpu_claims._held.pop(1))
    waiting.join(timeout=60)
    assert found == [("gpu-b",)]
    (line,) = [text for text in caplog.messages if "waiting" in text]
    assert line.startswith("waiting since 0 s for 1 of the GPUs gpu-a, gpu-b, which other jobs hold; ")
    assert f"gpu-a is held by process {os.getpid()}" in line


def test_one_that_waits_says_so_again_and_again(tmp_path, caplog, monkeypatch):
    caplog.set_level("INFO")
    monkeypatch.setattr(gpu_claims, "REPORT_SECONDS", 0.05)
    take(tmp_path, 2)
    waiting = threading.Thread(target=take, args=(tmp_path,))
    waiting.start()
    time.sleep(0.5)
    os.close(gpu_claims._held.pop())
    waiting.join(timeout=60)
    assert sum("waiting since" in text for text in caplog.messages) >= 2


def test_gpus_are_shared_when_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv(JOBS_PER_GPU, "2")
    assert [take(tmp_path)[0] for _ in range(4)] == [*NAMES, *NAMES]
    monkeypatch.setenv(JOBS_PER_GPU, "many")
    with pytest.raises(ValueError, match=r"TFAKE_JOBS_PER_GPU is the number of jobs .* found 'many'"):
        take(tmp_path)


def test_a_group_takes_all_its_gpus_at_once_or_none(tmp_path):
    names = ["a", "b", "c"]
    assert take(tmp_path, 2, names) == ("a", "b")
    second = []
    waiting = threading.Thread(target=lambda: second.append(take(tmp_path, 2, names)))
    waiting.start()
    time.sleep(0.2)
    # It waits without holding the one that is free.
    assert take(tmp_path, 1, names) == ("c",)
    assert second == []
    for _ in range(3):
        os.close(gpu_claims._held.pop())
    waiting.join(timeout=60)
    assert second == [("a", "b")]


def test_two_groups_on_gpus_for_one_never_wait_for_each_other(tmp_path):
    done = []

    def group():
        for _ in range(5):
            taken = take(tmp_path, 2)
            held = [gpu_claims._held.pop(), gpu_claims._held.pop()]
            done.append(taken)
            for file in held:
                os.close(file)

    groups = [threading.Thread(target=group) for _ in range(3)]
    for thread in groups:
        thread.start()
    for thread in groups:
        thread.join(timeout=60)
    assert done == [tuple(NAMES)] * 15


def test_what_cannot_be_had_is_said_at_once(tmp_path):
    with pytest.raises(ValueError, match="asks for 3 GPUs; there are 2: gpu-a, gpu-b"):
        take(tmp_path, 3)
    with pytest.raises(ValueError, match="asks for 1 GPUs; there are 0: none"):
        take(tmp_path, 1, [])
    with pytest.raises(ValueError, match="2 GPUs needs whole ones; these are MIG instances: MIG-x, MIG-y"):
        take(tmp_path, 2, ["MIG-x", "MIG-y"])


def test_a_job_shows_cuda_the_gpus_that_it_took_and_no_others(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch)
    monkeypatch.setattr(gpu_claims, "FOLDER", tmp_path / "locks")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert claim_device("cpu") == "cpu"
    assert "CUDA_VISIBLE_DEVICES" not in os.environ
    assert claim_device("auto", 0) == "cuda"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-11111111-aaaa"
    # A second job of the same machine: the first card is taken, the second one has instances.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert claim_device("cuda") == "cuda"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "MIG-22222222-0001"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-GPU-22222222-bbbb/1/0")
    assert claim_device("auto") == "cuda"
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "MIG-GPU-22222222-bbbb/1/0"
    assert (tmp_path / "locks/MIG-GPU-22222222-bbbb_1_0.0").exists()


@pytest.mark.parametrize("visible", ["", "-1", "NoDevFiles"])
def test_a_job_that_may_use_no_gpu_takes_none(visible, tmp_path, monkeypatch):
    install(tmp_path, monkeypatch)
    monkeypatch.setattr(gpu_claims, "FOLDER", tmp_path / "locks")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert claim_device("auto") == "auto"
    assert not (tmp_path / "locks").exists()


def test_a_card_that_is_named_and_not_there_is_not_claimed(tmp_path, monkeypatch):
    monkeypatch.setattr(nvidia, "list_gpus", tuple)
    monkeypatch.setattr(nvidia, "_NODES", tmp_path)
    monkeypatch.setattr(gpu_claims, "FOLDER", tmp_path / "locks")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert claim_device("auto") == "auto"
    assert not (tmp_path / "locks").exists()
    (tmp_path / "nvidia0").touch()
    assert claim_device("auto") == "cuda"


def test_only_scripts_claim():
    users = [path.relative_to(LIBRARY) for path in LIBRARY.rglob("*.py") if "tfake.core.gpu_claims" in path.read_text()]
    assert users
    for path in users:
        assert "tfake.core.gpu_claims" not in (LIBRARY / path).read_text().split('if __name__ == "__main__":')[0], path
