"""The page that finds landmarks in a browser: the library's points, nothing sent, and what it says when it cannot."""

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

from recipes import ROOT
from tfake.landmarks.landmarker import ThermalLandmarker
from tiny_onnx import blobs, write_landmarker

pytestmark = pytest.mark.browser
RUNTIME = Path(os.environ.get("ORT_WEB", ROOT / "runs/npm/node_modules/onnxruntime-web/dist"))
VIEWPORTS = ({"width": 1400, "height": 900}, {"width": 390, "height": 844})
PICTURE = blobs((224, 320), (90, 70, 16), (240, 150, 16))


def build(folder, runtime, landmarker):
    """The page alone as a site, without the reference, with a runtime and a landmarker, or with neither."""
    docs = folder.with_name(f"{folder.name}_docs")
    docs.mkdir()
    shutil.copytree(ROOT / "docs/browser", docs / "browser")
    for name in ("browser.md", "site.css"):
        shutil.copy(ROOT / "docs" / name, docs)
    configuration = folder.with_name(f"{folder.name}.yml")
    hooks = f"hooks: [{ROOT / 'docs/hooks.py'}]"
    configuration.write_text(f"INHERIT: {ROOT / 'mkdocs.yml'}\ndocs_dir: {docs}\n{hooks}\nplugins: []\n")
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "ORT_WEB": str(runtime), "LANDMARKER": str(landmarker)}
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(folder), "-f", str(configuration)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return write_landmarker(tmp_path_factory.mktemp("exported"), threshold=0.2)


@pytest.fixture(scope="module")
def served(tmp_path_factory, exported):
    """The page's address on a server of this test's own."""
    if not (RUNTIME / "ort.wasm.min.js").is_file():
        pytest.skip(f"NOT TESTED: landmarks in a browser. {RUNTIME} is not there; `make docs` brings onnxruntime-web")
    site = build(tmp_path_factory.mktemp("site"), RUNTIME, exported)
    handler = functools.partial(QuietHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/browser.html"
        server.shutdown()


class Address:
    """What ``Browser.open`` takes a path for."""

    def __init__(self, address):
        self.address = address

    def as_uri(self):
        return self.address


def wait_for(page, text):
    page.locator('[data-part="status"]').filter(has_text=text).wait_for(timeout=60_000)


def answer_of(page):
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the points as JSON").click()
    return json.loads(Path(download.value.path()).read_text())


def write_pictures(folder):
    """One picture in every form that the page reads."""
    cv2.imwrite(str(folder / "gray.png"), PICTURE)
    colours = np.stack((PICTURE, PICTURE, PICTURE // 2 + 20), axis=2)
    cv2.imwrite(str(folder / "colours.png"), colours)
    celsius = (20 + PICTURE.astype(np.float32) / 12.75).astype(np.float32)
    cv2.imwrite(str(folder / "counts.png"), ((celsius + 273.15) * 100).round().astype(np.uint16))
    np.save(folder / "celsius.npy", celsius)
    np.save(folder / "cold.npy", celsius - 15)
    return {
        "gray.png": PICTURE,
        "colours.png": colours,
        "counts.png": cv2.imread(str(folder / "counts.png"), cv2.IMREAD_UNCHANGED),
        "celsius.npy": celsius,
        "cold.npy": celsius - 15,
    }


@pytest.mark.parametrize("viewport", VIEWPORTS, ids=["desk", "phone"])
def test_the_points_are_those_of_the_library(browser, served, exported, tmp_path, viewport):
    landmarker = ThermalLandmarker(exported)
    page = browser.open(Address(served), viewport=viewport)
    wait_for(page, "Ready: drop a picture.")
    loaded = len(page.requests)
    for name, image in write_pictures(tmp_path).items():
        page.get_by_label("Picture (PNG of 8 or 16 bits").set_input_files(tmp_path / name)
        wait_for(page, f"2 faces in {name}, 320 x 224 pixels")
        (entry,) = answer_of(page)["images"]
        expected = landmarker.process(image, sliding_window=True, multi=True)
        assert len(entry["faces"]) == len(expected) == 2
        points = np.array([face["landmarks"] for face in entry["faces"]])
        order = [int(np.abs(points[:, 0] - face[0]).sum(axis=1).argmin()) for face in expected.landmarks]
        assert sorted(order) == [0, 1]
        assert np.abs(points[order] - expected.landmarks).max() < 0.5
        for key, values in (("confidence", expected.confidence), ("score", expected.score)):
            np.testing.assert_allclose([entry["faces"][place][key] for place in order], values, atol=0.01)
        sigma = np.array([face["sigma_pixels"] for face in entry["faces"]])
        np.testing.assert_allclose(sigma[order], expected.sigma, rtol=0.05, atol=0.05)
    drawn = page.locator("canvas").evaluate(
        "canvas => { const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;"
        "let count = 0; for (let i = 0; i < data.length; i += 4) count += data[i] !== data[i + 2]; return count; }"
    )
    assert drawn > 500
    assert page.locator('[data-part="faces"] tr').count() == 2
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.complaints == []
    own = served.rpartition("/")[0]
    assert [address for address in page.requests if not address.startswith((own, "blob:", "data:"))] == []
    # Nothing leaves the page for a picture.
    assert [address for address in page.requests[loaded:] if not address.startswith("blob:")] == []


def test_the_keyboard_reaches_everything(browser, served):
    page = browser.open(Address(served), viewport=VIEWPORTS[0])
    wait_for(page, "Ready")
    page.get_by_label("Picture (PNG of 8 or 16 bits").focus()
    seen = set()
    for _ in range(4):
        seen.add(page.evaluate("document.activeElement.id"))
        page.keyboard.press("Tab")
    assert {"try-picture", "try-points", "try-confidence", "try-networks"} <= seen


def test_what_is_no_picture_is_said(browser, served, tmp_path):
    (tmp_path / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    (tmp_path / "x.onnx").write_bytes(b"no model")
    page = browser.open(Address(served), viewport=VIEWPORTS[0])
    wait_for(page, "Ready")
    page.get_by_label("Picture (PNG of 8 or 16 bits").set_input_files(tmp_path / "torn.png")
    wait_for(page, "It did not work: this is no PNG, JPEG or .npy that this browser can read")
    page.get_by_label("Other networks").set_input_files(tmp_path / "x.onnx")
    wait_for(page, "It did not work: this")


def test_a_site_without_runtime_and_networks_says_so(browser, tmp_path):
    site = build(tmp_path / "site", tmp_path / "none", tmp_path / "none")
    page = browser.open(site / "browser.html", viewport=VIEWPORTS[1])
    wait_for(page, "Browsers run no networks on pages that are opened from the disk")
    assert page.complaints == []
    handler = functools.partial(QuietHandler, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.open(Address(f"http://127.0.0.1:{server.server_port}/browser.html"), viewport=VIEWPORTS[0])
        wait_for(page, "This site was built without onnxruntime-web")
        assert page.complaints == []
        server.shutdown()


@pytest.mark.skipif(shutil.which("node") is None, reason="NOT TESTED: the page's scripts alone. There is no node")
def test_metadata_is_read_out_of_a_model(exported):
    code = (
        "const fs = require('fs'); const text = fs.readFileSync(process.argv[1], 'utf8');"
        "const Landmarker = new Function(text + '; return Landmarker')();"
        "console.log(JSON.stringify(Landmarker.readMetadata(new Uint8Array(fs.readFileSync(process.argv[2])))))"
    )
    command = ["node", "-e", code, str(ROOT / "docs/browser/landmarker.js"), str(exported / "detector.onnx")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["search_pixels"] == 128
