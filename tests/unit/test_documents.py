"""Pages and recipes that a script or a pin stands behind."""

import importlib.util
import json
import sys

from recipes import ROOT

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
    assert "install --no-cache-dir --constraint constraints.txt '.[slurm]'" in text
    assert "pip check" in text
    # Debian's release whose python is the env files'.
    assert "FROM docker.io/library/debian:bookworm-slim" in text
