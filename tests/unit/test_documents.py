"""Pages and recipes that a script or a pin stands behind."""

import importlib.util
import json
import re
import sys

import numpy as np
import pytest
import yaml
from snakemake.utils import update_config

from documents import PAGES, Command, anchors_of, commands_of, links_of, swallowed
from recipes import ROOT
from tfake.config.completion import complete_config
from tfake.landmarks.landmark_network import LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmarker_file import save_landmark_weights
from tfake.landmarks.sigma_calibration import Calibration
from tfake.store.layouts import faces_layout, images_layout, thermal_layout
from tiny_dataset import PIXELS, make_dataset

sys.path.insert(0, str(ROOT / "tests/scaling"))

from tables import FIGURES, PAGE, insert, render


def test_the_scaling_page_has_the_scripts_numbers():
    page = PAGE.read_text()
    assert insert(page, render(json.loads(FIGURES.read_text()))) == page, "run tests/scaling/tables.py"


def test_the_benchmarks_page_has_the_scripts_numbers():
    spec = importlib.util.spec_from_file_location("speed_tables", ROOT / "tests/speed/tables.py")
    speed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(speed)
    page = speed.PAGE.read_text()
    figures = json.loads(speed.FIGURES.read_text())
    assert speed.insert(page, speed.render(figures)) == page, "run tests/speed/tables.py"


def test_the_container_installs_the_pins():
    text = (ROOT / "Containerfile").read_text()
    assert "install --no-cache-dir --constraint constraints.txt '.[slurm,workflow]'" in text
    assert "pip check" in text
    # Debian's release whose python is the env files'.
    assert "FROM docker.io/library/debian:bookworm-slim" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    for link in links_of(page):
        place, _, anchor = link.partition("#")
        if re.match(r"https?://", link):
            assert re.fullmatch(r"https://[\w.-]+\.[a-z]+(/[\w./~-]*)?", place), f"{link} is no address"
            continue
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), f"{link} leads nowhere"
        assert not anchor or anchor in anchors_of(target), f"{link}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_a_page_names_are_there(page):
    named = re.findall(
        r"`((?:config|docs|envs|profiles|rules|schemas|tests|workflow_scripts)/[\w./-]+)`", page.read_text()
    )
    for name in named:
        assert (ROOT / name).exists(), f"{name} is named and not there"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_target_stands_where_snakemake_takes_it_for_a_config_file(page):
    assert {str(command): words for command in commands_of(page) if (words := swallowed(command))} == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("snakemake --configfile mine.yaml exports", ["exports"]),
        ("snakemake --configfile a.yaml b.yaml --cores 1 exports", []),
        ("snakemake exports --configfile mine.yaml", []),
        ("snakemake --config device=cpu -- exports", []),
        ("snakemake --config device=cpu exports", ["exports"]),
    ],
)
def test_the_trap_is_recognised(text, words):
    assert swallowed(Command("", {}, tuple(text.split()))) == words


def yaml_blocks(page):
    return re.findall(r"^```yaml\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [page for page in PAGES if yaml_blocks(page)], ids=lambda page: page.name)
def test_yaml_that_a_page_shows_is_a_config_that_would_be_taken(page, tmp_path):
    for number, block in enumerate(yaml_blocks(page)):
        file = tmp_path / f"{number}.yaml"
        file.write_text(block)
        config = yaml.safe_load((ROOT / "config.yaml").read_text())
        update_config(config, yaml.safe_load(block))
        complete_config(config, [file])


def test_the_formats_name_every_array():
    text = (ROOT / "docs/formats.md").read_text()
    for array in (*faces_layout(64), *images_layout(64), *thermal_layout(64)):
        assert f"`{array.name}`" in text, f"{array.name} is not in docs/formats.md"


def test_pictures_are_light():
    for path in (ROOT / "docs/images").iterdir():
        assert path.stat().st_size < 300_000, path.name


def test_no_command_gives_a_target_where_snakemake_expects_a_file():
    """After ``--configfile mine.yaml`` a target is taken for a second file: it stands before, or behind ``--``."""
    commands = []
    for page in [*PAGES, *(ROOT / "config/presets").glob("*.yaml"), ROOT / "Makefile"]:
        commands += re.findall(r"snakemake[^`\n#]*--configfiles? ([^`\n#;]*)", page.read_text())
    assert len(commands) > 5
    for words in commands:
        files = re.split(r"\s--?", f"{words} ")[0].split()
        assert all(name.rstrip(".,)").endswith((".yaml", "yaml`")) for name in files), words


def test_python_that_the_readme_shows_runs(tmp_path, monkeypatch):
    make_dataset(tmp_path / "results")
    weights = tmp_path / "results/landmarks/joint_70/weights.pt"
    weights.parent.mkdir(parents=True)
    save_landmark_weights(weights, LandmarkNetwork(LandmarkArchitecture(70, image_pixels=64)), Calibration())
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / "README.md").read_text(), flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    names = {}
    for block in blocks:
        exec(block, names)
        assert names["celsius"].shape == (PIXELS, PIXELS)
        assert 10 < np.nanmean(names["celsius"]) < 45
    assert names["landmarks"].shape[1:] == (70, 2)
