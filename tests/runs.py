"""Running the workflow from tests, in folders of their own."""

import hashlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
TINY = ROOT / "tests/configs/tiny.yaml"


def command(folder: Path, *arguments: str, config: Path = TINY) -> list[str]:
    """The command that runs the workflow in ``folder``."""
    base = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)]
    return [*base, "--configfile", str(config), "--cores", "2", *arguments]


#: Forks of a process that has imported Snakemake: most runs here are short, and importing it is most of their time.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["snakemake.cli", "snakemake.api", "snakemake.workflow"])


def _snakemake(arguments: list[str], environment: dict[str, str], log: str) -> None:
    """In a process of its own: run Snakemake, with what it and its jobs write in a file."""
    with open(log, "wb") as written:
        for stream in (1, 2):
            os.dup2(written.fileno(), stream)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["snakemake", *arguments]
    from snakemake.cli import main

    main(arguments)


def run(folder: Path, *arguments: str, config: Path = TINY) -> subprocess.CompletedProcess:
    """Run the workflow to its end; its output, stderr included, is in ``stdout``."""
    words = command(folder, *arguments, config=config)
    with tempfile.NamedTemporaryFile(prefix="snakemake-") as log:
        process = _FORKS.Process(target=_snakemake, args=(words[3:], {**os.environ, "COLUMNS": "200"}, log.name))
        process.start()
        process.join()
        output = Path(log.name).read_text()
    return subprocess.CompletedProcess(words, process.exitcode, output)


def configured(folder: Path, **changes: object) -> Path:
    """Write a copy of the tiny config with some keys changed, each named with its blocks: ``source__images=3``."""
    config = yaml.safe_load(TINY.read_text())
    for name, value in changes.items():
        *blocks, key = name.split("__")
        block = config
        for part in blocks:
            block = block.setdefault(part, {})
        block[key] = value
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return path


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
