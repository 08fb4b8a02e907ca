"""The documentation site is built without warnings, has every module, and asks nothing of a network."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recipes import ROOT, rule_blocks

DESK, PHONE = {"width": 1400, "height": 900}, {"width": 390, "height": 844}
PAGES = (
    "index",
    "configuration",
    "heat",
    "architecture",
    "browser",
    "contributing",
    "notebooks/read_a_dataset",
    "reference/tfake.camera",
)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "https_proxy": "http://127.0.0.1:1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_module_is_in_the_reference(site):
    pages = {path.stem: path.read_text() for path in (site / "reference").glob("*.html")}
    library = ROOT / "workflow_scripts"
    for package in ("tfake", "heads"):
        for path in (library / package).rglob("[!_]*.py"):
            module = ".".join(path.relative_to(library).with_suffix("").parts)
            page = pages[".".join(module.split(".")[:2]) if module.count(".") > 1 else package]
            assert f'id="{module}"' in page, module


def test_the_graph_of_the_rules_is_drawn_with_every_rule(site):
    graph = (ROOT / "docs/architecture.md").read_text().split("```mermaid")[1].split("```")[0]
    drawing = re.search(r'<div class="drawing".*?</svg>', (site / "architecture.html").read_text(), re.DOTALL)[0]
    named = {rule for rule in rule_blocks() if re.search(rf"\b{rule}\b", graph)}
    assert len(named) > 20
    assert {rule for rule in named if f">{rule}</text>" not in drawing} == set()


def test_no_page_loads_anything_from_elsewhere(site):
    for page in site.rglob("*.html"):
        loaded = re.findall(r'<(?:script|img|iframe)[^>]+src="([^"]+)"', page.read_text())
        loaded += re.findall(r'<link[^>]+rel="(?:stylesheet|icon|preconnect)"[^>]+href="([^"]+)"', page.read_text())
        assert [address for address in loaded if address.startswith(("http", "//"))] == [], page


def test_the_search_knows_the_library(site):
    index = json.loads((site / "search/search_index.json").read_text())
    assert any("ThermalLandmarker" in entry["title"] for entry in index["docs"])


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_a_page_fits_the_screen(site, browser, page, viewport):
    shown = browser.open(Path(site / f"{page}.html"), viewport=viewport)
    assert shown.complaints == []
    assert [address for address in shown.requests if not address.startswith(("file:", "data:", "blob:"))] == []
    assert shown.locator("h1").first.is_visible()
    assert shown.evaluate("document.documentElement.scrollWidth <= innerWidth")
