"""Install the core alone for each Python that is supported and found here, and read a dataset: ``make install-check``.

Python 3.11 takes the lock's versions (numpy 1), the others the newest that the ranges allow (numpy 2). What each reads
must be what this environment reads, out of a folder and out of a zip.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from recipes import ROOT  # noqa: E402 - the tests' own modules
from tiny_dataset import make_dataset  # noqa: E402

PYTHONS = ("3.11", "3.12", "3.13")
#: What a wheel is made of.
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "workflow_scripts")


def check_core(folder: Path, results: Path | None = None) -> None:
    """Install and read.

    Args:
        folder: where everything is put.
        results: the dataset; None: a small one is made.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    dataset = folder / "results"
    if results is None:
        make_dataset(dataset)
    else:
        shutil.copytree(results, dataset)
    archive = shutil.make_archive(str(folder / "zipped"), "zip", dataset)
    source = folder / "source"
    source.mkdir()
    for name in SOURCES:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, source / name)
    expected = read(Path(sys.executable), dataset, archive)
    checked = [version for version in PYTHONS if check_python(version, folder, source, (dataset, archive), expected)]
    if not checked:
        raise SystemExit(f"there is no Python {', '.join(PYTHONS)} here")


def check_python(version: str, folder: Path, source: Path, addresses: tuple, expected: dict) -> bool:
    """Whether there is this Python; what it reads is checked."""
    python = find_python(version)
    if python is None:
        print(f"Python {version}: not here")
        return False
    environment = folder / version
    subprocess.run([python, "-m", "venv", environment], check=True)
    pip = [environment / "bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    which = ["--constraint", ROOT / "constraints.txt"] if version == PYTHONS[0] else ["numpy>=2"]
    subprocess.run([*pip, *which, source], check=True)
    found = read(environment / "bin/python", *addresses)
    if found["found"] != expected["found"]:
        raise SystemExit(f"Python {version} with {found['versions']} reads other values than this environment")
    print(f"Python {version}: the same values, with {found['versions']}")
    return True


def read(python: Path, *addresses: str | Path) -> dict:
    """What ``read_core.py`` prints."""
    path = {} if python == Path(sys.executable) else {"PYTHONPATH": ""}
    command = [python, TESTS / "envs/read_core.py", *addresses]
    done = subprocess.run(command, env={**os.environ, **path}, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def find_python(version: str) -> str | None:
    """A Python of this version: on the path, or one of pyenv's."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for python in (f"python{version}", *map(str, versions.glob(f"{version}.*/bin/python"))):
        try:
            subprocess.run([python, "--version"], capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    return None


if __name__ == "__main__":
    check_core(Path(sys.argv[1]).resolve(), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
