"""Running the workflow from tests, in folders of their own."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TINY = ROOT / "tests/configs/tiny.yaml"


def command(folder: Path, *arguments: str, config: Path = TINY) -> list[str]:
    """The command that runs the workflow in ``folder``."""
    base = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    return [*base, "--configfile", str(config), "--cores", "2", *arguments]


def run(folder: Path, *arguments: str, config: Path = TINY) -> subprocess.CompletedProcess:
    """Run the workflow to its end; its output, stderr included, is in ``stdout``."""
    return subprocess.run(
        command(folder, *arguments, config=config),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


def succeed(folder: Path, *arguments: str, config: Path = TINY) -> str:
    """Run the workflow, expect success, and return its output."""
    done = run(folder, *arguments, config=config)
    assert done.returncode == 0, done.stdout
    return done.stdout


def sums(folder: Path) -> dict[str, str]:
    """Every ``SHA256SUMS`` below a run's results, by path."""
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.glob("results/**/SHA256SUMS"))}


def tree_hash(folder: Path) -> str:
    """One hash of all files below a folder, names included."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()
