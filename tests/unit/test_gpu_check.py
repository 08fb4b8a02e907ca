"""`make gpu-check` goes its whole way on a CPU, and does not pretend to have seen a card."""

import json
import os
import subprocess
import sys

from recipes import ROOT

PARTS = 7


def check(folder, *options):
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
    command = [sys.executable, str(ROOT / "tests/gpu/check.py"), str(folder), *options]
    return subprocess.run(command, env=environment, cwd=folder.parent, capture_output=True, text=True, check=False)


def test_it_runs_through_on_a_cpu_and_says_that_this_was_no_card(tmp_path):
    done = check(tmp_path / "check", "--device", "cpu")
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((tmp_path / "check/check.json").read_text())
    assert found["ok"]
    assert len(found["parts"]) == PARTS
    assert all(part["ok"] for part in found["parts"].values())
    assert found["machine"]["model"] == "cpu"
    for name in found["parts"]:
        assert name in done.stdout
    assert "no card was checked" in done.stdout


def test_without_a_card_it_says_so_and_checks_nothing(tmp_path):
    done = check(tmp_path / "check")
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stdout.startswith("no card was checked")
    assert not (tmp_path / "check").exists()
