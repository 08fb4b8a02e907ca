"""What the core alone can do: the packages of pyproject.toml's dependencies, and nothing of the extras."""

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires

import pytest
from packaging.requirements import Requirement
from test_dataset import zip_folder

from envs.lock import canonical
from recipes import LIBRARY, ROOT
from tiny_dataset import make_dataset

CORE = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
READ = ROOT / "tests/envs/read_core.py"
#: Finds no module of those that are not to be there.
WITHOUT = """
import sys
class Without:
    def __init__(self, finder):
        self._finder = finder
    def __getattr__(self, name):
        return getattr(self._finder, name)
    def find_spec(self, name, path=None, target=None):
        return None if name in {absent!r} else self._finder.find_spec(name, path, target)
sys.meta_path[:] = map(Without, sys.meta_path)
"""


def with_what_they_need(packages):
    """Packages, and those that they are installed with."""
    found, queue = set(), [Requirement(package).name for package in packages]
    while queue:
        if (name := canonical(queue.pop())) not in found:
            found.add(name)
            needed = [Requirement(text) for text in requires(name) or ()]
            queue += [one.name for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    return found


def run_with(packages, code, *arguments):
    """Run code where nothing is installed but these packages and what they need."""
    kept = with_what_they_need(packages)
    absent = {module for module, owners in packages_distributions().items() if not kept & set(map(canonical, owners))}
    absent -= {"tfake", "heads"}
    command = [sys.executable, "-c", WITHOUT.format(absent=absent) + code, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    return make_dataset(tmp_path_factory.mktemp("installing") / "results")


def test_reading_a_folder_imports_little(results):
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    done = subprocess.run([sys.executable, READ, results], env=environment, capture_output=True, text=True, check=True)
    imported = {module.split(".")[0] for module in json.loads(done.stdout)["modules"]}
    owners = packages_distributions()
    packages = {canonical(package) for module in imported for package in owners.get(module, ())}
    assert {"numpy", "numcodecs", "google-crc32c"} <= packages
    assert packages <= with_what_they_need(CORE) - {"zarr"} | {"tfake-workflow", "setuptools"}


def test_the_core_reads_folders_and_zips_as_everything_does(results, tmp_path):
    addresses = (results, zip_folder(results, tmp_path / "results.zip"))
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    everything = subprocess.check_output([sys.executable, READ, *addresses], env=environment, text=True)
    # Zarr loads whatever says that it has codecs for it.
    bare = run_with([*CORE, "zarrs"], f"exec(compile(open({str(READ)!r}).read(), 'read_core.py', 'exec'))", *addresses)
    found = json.loads(bare)
    assert found["found"] == json.loads(everything)["found"]
    assert not {"cv2", "pandas", "pyarrow", "scipy", "torch"} & set(found["modules"])


@pytest.mark.parametrize(
    ("code", "extra"),
    [
        ("tfake.open_dataset(sys.argv[1]).torch()", "torch"),
        ("tfake.open_dataset(sys.argv[1], fields=['rgb'], archive='a.zip')", "rgb"),
        ("tfake.open_dataset('memory://results')", "remote"),
        ("tfake.ThermalLandmarker", "landmarks"),
    ],
)
def test_what_needs_more_names_the_extra(results, code, extra):
    printed = run_with(
        CORE, f"import tfake\ntry:\n    {code}\nexcept ModuleNotFoundError as error:\n    print(error)", results
    )
    assert re.search(
        rf"needs the package \w+, which is not installed: pip install 'tfake-workflow\[{extra}\]'", printed
    )


def test_the_lowest_layer_needs_numpy_alone():
    code = (
        "import importlib, pkgutil, tfake.core\n"
        "for module in pkgutil.iter_modules(tfake.core.__path__):\n"
        "    if module.name != 'devices':\n"
        "        importlib.import_module(f'tfake.core.{module.name}')\n"
        "print(tfake.core.sensor.__name__)"
    )
    assert run_with(["numpy"], code).strip() == "tfake.core.sensor"
