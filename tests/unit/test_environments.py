"""One set of versions: the lock file's, within pyproject.toml's ranges, repeated by the env files."""

import re
import sys
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement

from envs.lock import APART, ENVS, canonical, pins_of, read_lock, with_lock
from recipes import LIBRARY, ROOT, SCRIPTS, imported_names, rule_blocks, sources_of

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
RANGES = [Requirement(text) for texts in (PROJECT["dependencies"], *EXTRAS.values()) for text in texts]
LOCK = read_lock()
#: Import names that are not the package's name.
PACKAGES = {
    "cv2": "opencv-contrib-python",
    "PIL": "pillow",
    "google_crc32c": "google-crc32c",
    "yaml": "pyyaml",
    "segmentation_models_pytorch": "segmentation-models-pytorch",
}


#: In the place of opencv-contrib-python where nothing is shown: the two cannot be installed together, and the lock file
#: is of one environment.
UNLOCKED = ("opencv-python-headless",)
#: Imported when somebody hands over an exported landmarker, which no rule does.
NOT_IN_RULES = {"onnxruntime"}


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_an_env_file_repeats_the_lock(path):
    assert path.read_text() == with_lock(path, LOCK)
    (pip,) = (entry["pip"] for entry in yaml.safe_load(path.read_text())["dependencies"] if isinstance(entry, dict))
    assert dict(pin.split("==") for pin in pip) == (pins := pins_of(path))
    for package in APART.get(path.stem, ()):
        assert LOCK[package] != pins[package], f"{path.name}: {package} need not be apart"


def test_every_env_file_is_used_and_every_used_one_exists():
    used = {name for block in rule_blocks().values() for name in re.findall(r'/envs/([\w-]+)\.yaml"', block)}
    assert used == {path.stem for path in ENVS}


@pytest.mark.parametrize("required", RANGES, ids=str)
def test_the_lock_is_within_the_ranges(required):
    if required.name == PROJECT["name"]:
        assert required.extras <= EXTRAS.keys()
    elif required.name not in UNLOCKED:
        assert required.specifier.contains(LOCK[canonical(required.name)])


def test_what_an_env_file_installs_is_what_an_extra_names():
    named = {canonical(required.name) for required in RANGES}
    assert set().union(*(map(canonical, pins_of(path)) for path in ENVS)) <= named


#: What the registry of thermalizers names for one of its kinds, whose jobs have an environment of their own.
OF_DIFFUSION = {"diffusers"}


@pytest.mark.parametrize("rule", rule_blocks())
def test_a_rule_finds_what_it_imports_in_its_environment(rule):
    envs = re.findall(r'/(envs/[\w-]+\.yaml)"', rule_blocks()[rule])
    needed = set()
    for path in sources_of(SCRIPTS[rule]):
        if path.suffix == ".py":
            needed |= {name.split(".")[0] for name in imported_names(path)}
    needed -= {*(folder.name for folder in LIBRARY.iterdir()), *sys.stdlib_module_names, *NOT_IN_RULES}
    for env in envs:
        others = set() if env == "envs/diffusion.yaml" else OF_DIFFUSION
        assert {PACKAGES.get(name, name) for name in needed - others} <= pins_of(ROOT / env).keys(), env
