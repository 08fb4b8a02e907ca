"""Formatters, linters, layers and types, as part of the tests."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recipes import ROOT

BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["snakefmt", "--check", "Snakefile", "rules", "workflow"],
        ["snakemake", "--lint"],
        ["lint-imports", "--no-cache"],
        ["mypy"],
    ],
    ids=" ".join,
)
def test_clean(command):
    tool = shutil.which(command[0], path=str(BIN)) or shutil.which(command[0])
    assert tool, f"{command[0]} is not installed"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow_scripts")}
    done = subprocess.run([tool, *command[1:]], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
