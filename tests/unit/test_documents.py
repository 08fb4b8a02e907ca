"""Pages and recipes that a script or a pin stands behind."""

import importlib.util
import json
import pkgutil
import re
import sys
import tomllib

import cv2
import numpy as np
import pytest
import yaml
from snakemake.utils import update_config

from documents import PAGES, Command, anchors_of, commands_of, links_of, swallowed
from modelled_faces import painted_points
from painted_head import paint_head
from recipes import ROOT
from tfake import __version__
from tfake.config.completion import complete_config
from tfake.core.classes import FaceClass
from tfake.core.radiometry import decode_counts
from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmarker_file import save_landmark_weights
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


def test_the_container_installs_what_the_project_has():
    text = (ROOT / "Containerfile").read_text()
    (installed,) = re.findall(r"pip install .*--constraint (\S+) '\.\[([\w,]+)\]'", text)
    assert (ROOT / installed[0]).exists()
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert set(installed[1].split(",")) <= extras.keys()


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


def test_one_version_everywhere():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert str(citation["version"]) == __version__
    assert f"## [{__version__}]" in (ROOT / "CHANGELOG.md").read_text()


ADDITIONS = dict(re.findall(r"(?ms)^### (.*?)\n(.*?)(?=^##)", (ROOT / "CONTRIBUTING.md").read_text()))


@pytest.mark.parametrize(
    ("addition", "files"),
    [
        ("A loss term of the thermalizer", 4),
        ("An annotated test set", 3),
        ("A kind of variant", 4),
        ("A study", 5),
        ("The codec of an array", 2),
        ("A config key", 2),
    ],
)
def test_an_addition_touches_few_files(addition, files):
    rows = re.findall(r"(?m)^\| (?!file |---)(.*?) \|", ADDITIONS[addition])
    assert 1 <= len(rows) <= files


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_modules_that_a_page_names_are_there(page):
    library = ROOT / "workflow_scripts"
    for name in re.findall(r"`(tfake/[\w./]+|heads/[\w./]+)`", page.read_text()):
        assert (library / name).exists(), f"{name} is named and not there"
    for name in re.findall(r"`(?:python -m )?(tfake(?:\.[a-z_0-9]+)+)", page.read_text()):
        assert pkgutil.resolve_name(name) is not None


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


def described_arrays():
    """Name to (type, shape) of the arrays that docs/formats.md describes; a row may describe several."""
    found = {}
    for names, kind in re.findall(
        r"(?m)^\| ((?:`\w+`(?:, )?)+) \| (\w+ \(.*?\)) \|", (ROOT / "docs/formats.md").read_text()
    ):
        dtype, shapes = kind.split(" ", 1)
        for name, shape in zip(re.findall(r"\w+", names), re.findall(r"\([^)]*\)", shapes), strict=False):
            found[name] = (dtype, shape)
    return found


@pytest.mark.parametrize("array", [*faces_layout(64), *images_layout(64), *thermal_layout(64)], ids=lambda a: a.name)
def test_the_formats_describe_every_array(array):
    dtype, shape = described_arrays()[array.name]
    size = ["H" if edge == 64 else str(edge) for edge in array.row_shape]
    assert dtype == array.dtype
    assert shape.replace("W", "H").strip("()").rstrip(",").split(", ") == ["N", *size]


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


def test_python_that_the_page_on_heat_shows_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    classes = paint_head(128).classes
    cv2.imwrite("classes.png", classes)
    cv2.imwrite("rgb.png", np.full((128, 128, 3), 120, np.uint8))
    np.save("points.npy", painted_points(128))
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```", (ROOT / "docs/heat.md").read_text(), re.MULTILINE | re.DOTALL):
        exec(block, names)
    found = decode_counts(cv2.imread("thermal.png", cv2.IMREAD_UNCHANGED))
    np.testing.assert_allclose(found, names["field"].celsius, atol=0.0051)
    skin = classes == FaceClass.SKIN
    assert names["rendered"]["fever"][skin].mean() > found[skin].mean() + 0.5
    warmth = [celsius[skin].mean() for celsius in names["rooms"].values()]
    assert warmth == sorted(warmth)
    assert names["seen"].shape == classes.shape
