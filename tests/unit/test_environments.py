"""One set of pins: pyproject.toml's, repeated by the env files and by constraints.txt."""

import ast
import re
import sys
import tomllib

import pytest
import yaml

from recipes import ROOT, SCRIPTS, rule_blocks, sources_of

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = dict(pin.split("==") for pin in PROJECT["dependencies"])
# The dev extra names the onnx extra by the package's own name.
EXTRA_PINS = dict(pin.split("==") for pins in PROJECT["optional-dependencies"].values() for pin in pins if "==" in pin)
ENVS = sorted((ROOT / "envs").glob("*.yaml"))


#: Pins that differ on purpose: mediapipe 1.x cannot be where 0.10 is, and needs numpy 2.
APART = {"face-landmarker": {"mediapipe", "numpy", "opencv-contrib-python"}}


def pip_part(env):
    (pip,) = (entry["pip"] for entry in env["dependencies"] if isinstance(entry, dict))
    return dict(pin.split("==") for pin in pip)


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_an_env_file_repeats_the_pins(path):
    env = yaml.safe_load(path.read_text())
    assert APART.get(path.stem, set()) <= pip_part(env).keys()
    for package, version in pip_part(env).items():
        if package in APART.get(path.stem, ()):
            assert PINS[package] != version, f"{path.name}: {package} need not be apart"
            continue
        pinned = (PINS | EXTRA_PINS).get(package)
        assert pinned == version, f"{path.name}: {package}=={version}, pyproject.toml: {pinned}"
    python = next(entry for entry in env["dependencies"] if str(entry).startswith("python="))
    assert python.split("=")[1] in ("3.11", "3.12")


def test_every_env_file_is_used_and_every_used_one_exists():
    used = {name for block in rule_blocks().values() for name in re.findall(r'/envs/([\w-]+)\.yaml"', block)}
    assert used == {path.stem for path in ENVS}


def test_every_pin_is_used_by_an_env_file_or_by_the_workflow_itself():
    used = set().union(*(pip_part(yaml.safe_load(path.read_text())) for path in ENVS))
    assert set(PINS) - used == {"snakemake"}


def test_the_constraints_hold_the_pins():
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    constraints = {
        re.sub(r"[-_.]+", "-", name).lower(): version
        for name, version in (line.split("==") for line in lines if "==" in line)
    }
    for package, version in (PINS | EXTRA_PINS).items():
        assert constraints[package] == version


#: Import names that are not the package's name.
PACKAGES = {
    "cv2": "opencv-contrib-python",
    "PIL": "pillow",
    "google_crc32c": "google-crc32c",
    "yaml": "pyyaml",
    "segmentation_models_pytorch": "segmentation-models-pytorch",
}


@pytest.mark.parametrize("rule", rule_blocks())
def test_a_rule_finds_what_it_imports_in_its_environment(rule):
    envs = re.findall(r'/(envs/[\w-]+\.yaml)"', rule_blocks()[rule])
    needed = set()
    for path in sources_of(SCRIPTS[rule]):
        if path.suffix == ".py":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    needed |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    needed.add(node.module.split(".")[0])
    needed -= {"tfake", *sys.stdlib_module_names}
    for env in envs:
        available = set(pip_part(yaml.safe_load((ROOT / env).read_text())))
        assert {PACKAGES.get(name, name) for name in needed} <= available, env
