"""Jobs on one machine take GPUs of their own; the machine's GPUs are made up."""

import os
import signal
import subprocess
import sys
import threading
import time
from itertools import pairwise
from types import SimpleNamespace

import pytest
import torch

from recipes import LIBRARY
from tfake import devices, gpus
from tfake.gpus import JOBS_PER_GPU, claim_gpu

NAMES = ["gpu-a", "gpu-b"]
JOB = """
import sys, time
from pathlib import Path
from tfake.gpus import claim_gpu
folder, seconds = Path(sys.argv[1]), float(sys.argv[2])
index = claim_gpu(["gpu-a", "gpu-b"], folder / "locks")
began = time.time()
print(index, flush=True)
time.sleep(seconds)
(folder / f"{sys.argv[3]}.txt").write_text(f"{index} {began} {time.time()}")
"""


def start(folder, seconds, name, **environment):
    command = [sys.executable, "-c", JOB, str(folder), str(seconds), name]
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), **environment}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


@pytest.fixture(autouse=True)
def release(monkeypatch):
    monkeypatch.delenv(JOBS_PER_GPU)
    monkeypatch.setattr(gpus, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(gpus, "_held", held := [])
    yield
    for file in held:
        os.close(file)


def test_jobs_side_by_side_never_share_a_gpu(tmp_path):
    jobs = [start(tmp_path, 0.3, str(number)) for number in range(5)]
    for job in jobs:
        assert job.wait(timeout=120) == 0
    spans = [tuple(map(float, path.read_text().split())) for path in tmp_path.glob("*.txt")]
    assert len(spans) == 5
    assert {span[0] for span in spans} == {0.0, 1.0}
    for gpu in (0.0, 1.0):
        mine = sorted(span[1:] for span in spans if span[0] == gpu)
        assert all(before[1] <= after[0] for before, after in pairwise(mine)), mine


def test_a_killed_job_gives_its_gpu_back(tmp_path):
    first, second = (start(tmp_path, 600, name) for name in "ab")
    taken = {first.stdout.readline().strip(), second.stdout.readline().strip()}
    assert taken == {"0", "1"}
    first.send_signal(signal.SIGKILL)
    first.wait()
    third = start(tmp_path, 0, "c")
    assert third.wait(timeout=120) == 0
    second.kill()
    second.wait()


def test_a_job_waits_until_a_gpu_is_free(tmp_path):
    assert [claim_gpu(NAMES, tmp_path), claim_gpu(NAMES, tmp_path)] == [0, 1]
    found = []
    waiting = threading.Thread(target=lambda: found.append(claim_gpu(NAMES, tmp_path)))
    waiting.start()
    time.sleep(0.2)
    assert found == []
    os.close(gpus._held.pop(1))
    waiting.join(timeout=60)
    assert found == [1]


def test_gpus_are_shared_when_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv(JOBS_PER_GPU, "2")
    assert [claim_gpu(NAMES, tmp_path) for _ in range(4)] == [0, 1, 0, 1]
    monkeypatch.setenv(JOBS_PER_GPU, "many")
    with pytest.raises(ValueError, match=r"TFAKE_JOBS_PER_GPU is the number of jobs .* found 'many'"):
        claim_gpu(NAMES, tmp_path)
    with pytest.raises(ValueError, match="no GPU"):
        claim_gpu([], tmp_path)


def test_a_process_keeps_the_gpu_that_it_got(tmp_path, monkeypatch):
    chosen = []
    monkeypatch.setattr(gpus, "FOLDER", tmp_path)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: SimpleNamespace(uuid=NAMES[index]))
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    claim_gpu(NAMES, tmp_path)
    devices._own_gpu.cache_clear()
    try:
        assert devices.resolve_device("auto") == torch.device("cuda", 1)
        assert devices.resolve_device("cuda") == torch.device("cuda", 1)
        assert devices.resolve_device("cpu") == torch.device("cpu")
    finally:
        devices._own_gpu.cache_clear()
    assert chosen == [1]
