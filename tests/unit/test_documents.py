"""Pages and recipes that a script or a pin stands behind."""

import json
import sys

from recipes import ROOT

sys.path.insert(0, str(ROOT / "tests/scaling"))

from tables import FIGURES, PAGE, insert, render


def test_the_scaling_page_has_the_scripts_numbers():
    page = PAGE.read_text()
    assert insert(page, render(json.loads(FIGURES.read_text()))) == page, "run tests/scaling/tables.py"


def test_the_container_installs_the_pins():
    text = (ROOT / "Containerfile").read_text()
    assert "install --no-cache-dir --constraint constraints.txt '.[slurm]'" in text
    assert "pip check" in text
    # Debian's release whose python is the env files'.
    assert "FROM docker.io/library/debian:bookworm-slim" in text
