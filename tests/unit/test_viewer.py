"""The page in a browser: its filters, its layers, and that what the pointer reads is what the stores hold."""

import json
import re
import shutil

import numpy as np
import pytest
import zarr

from packed import unpack
from tfake.core.radiometry import decode_counts
from tfake.pages.page_images import pack
from tfake.products.report.image_sources import open_variant
from tiny_report import CAMERA, make_report

DESK = {"viewport": {"width": 1280, "height": 900}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "color_scheme": "dark"}
VARIANTS = ("warm", "chilly<b>", "camera")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    make_report(run)
    return run


@pytest.fixture(scope="module")
def desk(browser, run):
    page = browser.open(run / "report/index.html", **DESK)
    yield page
    # Whatever the tests did with it.
    assert page.complaints == []


@pytest.fixture
def face(desk):
    """The viewer with the first face in it, closed again."""
    desk.locator(".card .open").first.click()
    arrive(desk, "Face 000000")
    yield desk
    desk.keyboard.press("Escape")


def arrive(page, title):
    page.wait_for_function(
        "title => document.getElementById('viewer-title').textContent === title"
        " && !document.getElementById('viewer').hasAttribute('aria-busy')",
        arg=title,
    )


def choose(page, variant):
    page.select_option("#viewer-variant", label=variant)
    page.wait_for_function(
        "name => state.face.variant.name === name && !document.getElementById('viewer').hasAttribute('aria-busy')",
        arg=variant,
    )


def point(page, x, y):
    """Move the mouse to the middle of a pixel, and return what the page says."""
    box = page.locator("#stage").bounding_box()
    width, height = page.evaluate("[state.face.variant.width, state.face.variant.height]")
    page.mouse.move(box["x"] + (x + 0.5) * box["width"] / width, box["y"] + (y + 0.5) * box["height"] / height)
    return page.inner_text("#reading")


def painted(page, layer):
    """The pixels of a layer's canvas: (h, w, 4) uint8, read from a copy meant for reading."""
    values = page.evaluate(
        f"""(() => {{
          const {{ width, height }} = part("layer-{layer}");
          const copy = new OffscreenCanvas(width, height).getContext("2d", {{ willReadFrequently: true }});
          copy.drawImage(part("layer-{layer}"), 0, 0);
          return [height, width, [...copy.getImageData(0, 0, width, height).data]];
        }})()"""
    )
    return np.array(values[2], np.uint8).reshape(*values[:2], 4)


def stored(run, variant):
    return zarr.open_group(run / f"variants/{VARIANTS.index(variant)}/thermal.zarr", mode="r")["thermal"]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_packing_loses_nothing(dtype):
    image = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (7, 5), endpoint=True).astype(dtype)
    image[0, :2] = 0, np.iinfo(dtype).max
    np.testing.assert_array_equal(unpack(pack(image), (7, 5), dtype), image)


@pytest.mark.parametrize("image", [np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.float32)])
def test_only_images_of_counts_are_packed(image):
    with pytest.raises(ValueError, match="uint8 or uint16"):
        pack(image)


def test_a_variant_of_another_size_needs_labels_of_its_own(run, tmp_path):
    shutil.copytree(run / "variants/2/thermal.zarr", tmp_path / "thermal.zarr")
    shutil.rmtree(tmp_path / "thermal.zarr/landmarks_70")
    with pytest.raises(ValueError, match="need landmarks_70 of their own"):
        open_variant("camera", tmp_path / "thermal.zarr", run / "faces/faces.zarr", (0, 3))


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_pointer_reads_what_the_store_holds(face, run, variant):
    choose(face, variant)
    counts = stored(run, variant)[0]
    height, width = counts.shape
    assert counts.shape == (CAMERA if variant == "camera" else (64, 64))
    for x, y in ((0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1), (width // 3, height // 2)):
        words = point(face, x, y)
        assert f"x {x}, y {y}, count {counts[y, x]}" in words
        if variant == "camera":
            assert words.startswith(f"{counts[y, x]} (not a temperature)")
        else:
            assert words.startswith(f"{decode_counts(counts[y, x : x + 1])[0]:.2f} °C")


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_count_and_class_arrives(face, run, variant):
    choose(face, variant)
    counts, classes = json.loads(face.evaluate("JSON.stringify([[...state.face.counts], [...state.face.classes]])"))
    np.testing.assert_array_equal(counts, stored(run, variant)[0].ravel())
    owner = run / ("variants/2/thermal.zarr" if variant == "camera" else "faces/faces.zarr")
    np.testing.assert_array_equal(classes, zarr.open_group(owner, mode="r")["segmentation"][0].ravel())


@pytest.mark.parametrize("layer", ["rgb", "thermal", "classes", "70", "478"])
def test_each_layer_is_switched_by_its_box_and_by_its_key(face, layer):
    choose(face, "warm")
    key = {"rgb": "r", "thermal": "t", "classes": "c", "70": "7", "478": "4"}[layer]
    box = face.locator(f"#show-layer-{layer}")

    def seen():
        return face.evaluate(f"getComputedStyle(part('layer-{layer}')).visibility") == "visible"

    assert box.is_checked() == seen()
    for switch in (box.click, lambda: face.keyboard.press(key)):
        before = box.is_checked()
        switch()
        assert box.is_checked() != before
        assert seen() == box.is_checked()


def test_layers_hold_what_they_are_named_for(face):
    choose(face, "warm")
    assert face.locator("#layer-70").get_attribute("d").count("M") == 70
    assert face.locator("#layer-478").get_attribute("d").count("M") == 478
    assert face.locator("#layer-rgb").get_attribute("src").startswith("data:image/webp;base64,")
    # Skin and background are different in both maps.
    for layer in ("thermal", "classes"):
        assert len({tuple(colour) for colour in painted(face, layer).reshape(-1, 4).tolist()}) > 1


def test_a_camera_shows_its_own_points_and_the_source_as_it_sees_it(face, run):
    choose(face, "camera")
    expected = zarr.open_group(run / "variants/2/thermal.zarr", mode="r")["landmarks_70"][0]
    drawn = re.findall(r"M(\S+) (\S+)h0", face.locator("#layer-70").get_attribute("d"))
    np.testing.assert_allclose(np.array(drawn, float), expected, atol=0.006)
    assert face.locator("#show-layer-478").is_disabled()
    assert face.inner_text("#viewer-unit") == "(gray levels)"
    assert face.input_value("#viewer-palette") == "white hot"
    size = face.evaluate("layer => [layer.naturalWidth, layer.naturalHeight]", face.query_selector("#layer-rgb"))
    assert size == [512, 384]


def test_palette_and_scale_repaint_the_thermal_image(face):
    choose(face, "warm")
    assert face.input_value("#viewer-palette") == "inferno"
    face.select_option("#viewer-palette", "white hot")
    face.evaluate("setScale(20, 40)")
    point(face, 5, 60)
    value = face.evaluate("readingAt(state.face, 5, 60).value")
    assert abs(float(painted(face, "thermal")[60, 5, 0]) - 255 * (value - 20) / 20) <= 1
    face.fill("#viewer-high", "60")
    assert abs(float(painted(face, "thermal")[60, 5, 0]) - 255 * (value - 20) / 40) <= 1
    face.fill("#viewer-high", "")  # no number: the picture stays
    assert abs(float(painted(face, "thermal")[60, 5, 0]) - 255 * (value - 20) / 40) <= 1
    face.click("#viewer-whole")
    assert face.input_value("#viewer-high") != ""
    face.click("#viewer-fit")
    low, high = (float(face.input_value(f"#viewer-{end}")) for end in ("low", "high"))
    assert low <= value <= high


def test_the_keyboard_alone_reads_and_turns(desk):
    button = desk.locator(".card .open").first
    button.focus()
    desk.keyboard.press("Enter")
    arrive(desk, "Face 000000")
    assert desk.evaluate("document.activeElement.id") == "stage"
    desk.evaluate("read(20, 20)")
    before = json.loads(desk.evaluate("JSON.stringify(state.at)"))
    desk.keyboard.press("ArrowRight")
    desk.keyboard.press("Shift+ArrowDown")
    after = json.loads(desk.evaluate("JSON.stringify(state.at)"))
    assert (after["x"], after["y"]) == (before["x"] + 1, before["y"] + 10)
    assert f"x {after['x']}, y {after['y']}" in desk.inner_text("#reading")
    desk.keyboard.press("n")
    arrive(desk, "Face 000002")  # 000001 is broken and cannot be opened
    desk.keyboard.press("p")
    arrive(desk, "Face 000000")
    desk.keyboard.press("Escape")
    assert not desk.locator("#viewer").is_visible()
    assert desk.evaluate("document.activeElement.classList.contains('open')")


def test_a_picture_of_the_gallery_opens_in_its_variant(desk):
    desk.locator('figure[data-variant="chilly<b>"]').last.click()
    arrive(desk, "Face 000002")
    assert desk.evaluate("state.face.variant.name") == "chilly<b>"
    desk.click("#viewer-close")


def test_filters_choose_cards_and_pictures(desk):
    def shown():
        return desk.eval_on_selector_all(".card[data-row]:not([hidden]) h3", "found => found.map(e => e.textContent)")

    assert shown() == ["000000", "000001", "000002"]
    desk.select_option("#filter-status", "retried")
    assert shown() == ["000000"]
    assert desk.inner_text("#filter-count") == "1 of 3 shown"
    desk.select_option("#filter-yaw", label="more than 40°")
    assert shown() == []
    assert desk.locator("#filter-none").is_visible()
    desk.click("#filters button[type=reset]")
    desk.wait_for_function("document.getElementById('filter-count').textContent === '3 of 3 shown'")
    desk.select_option("#filter-class", label="skin")
    assert shown() == ["000000", "000002"]
    desk.select_option("#filter-yaw", label="frontal, to 15°")
    assert shown() == ["000000", "000002"]
    desk.select_option("#filter-variant", "camera")
    visible = desk.eval_on_selector_all("figure[data-variant]:not([hidden])", "all => all.map(e => e.dataset.variant)")
    assert visible == ["camera", "camera"]
    desk.click("#filters button[type=reset]")
    desk.wait_for_function("document.getElementById('filter-count').textContent === '3 of 3 shown'")


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_fits_its_window_and_asks_for_nothing_elsewhere(browser, run, size):
    page = browser.open(run / "report/index.html", **size)
    width = size["viewport"]["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(".card .open").first.click()
    arrive(page, "Face 000000")
    box = page.locator("#viewer").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert page.evaluate("dialog.scrollWidth <= dialog.clientWidth")
    assert {request.split(":")[0] for request in page.requests} <= {"file", "data"}
    assert page.complaints == []


def test_without_its_folder_the_page_offers_no_face_and_says_why(browser, run, tmp_path):
    shutil.copy(run / "report/index.html", tmp_path)
    page = browser.open(tmp_path / "index.html", **DESK)
    page.wait_for_selector("#alone:not([hidden])")
    assert "open results/report/index.html in its own folder" in page.inner_text("#alone")
    assert page.locator(".card .open:visible").count() == 0
    page.locator("figure[data-variant]").first.click()
    assert not page.evaluate("dialog.open")


def test_in_its_folder_every_face_is_offered(desk):
    desk.wait_for_selector("html.openable")
    assert desk.locator(".card .open:visible").count() == 2
    assert not desk.locator("#alone").is_visible()


def test_a_face_whose_data_are_missing_is_named(browser, run, tmp_path):
    shutil.copytree(run / "report", tmp_path / "report")
    (tmp_path / "report/faces/0.js").unlink()
    page = browser.open(tmp_path / "report/index.html", **DESK)
    page.locator(".card .open").first.click()
    page.wait_for_selector("#viewer-fault:not([hidden])")
    assert "faces/0.js is not beside this page" in page.inner_text("#viewer-fault")


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("number", [0, 1], ids=["light", "dark"])
def test_text_can_be_read(run, number):
    """WCAG 2.2, 1.4.3: a contrast of 4.5 at least."""
    source = (run / "report/index.html").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--(\w+): (#\w{6});", re.findall(r":root \{(.*?)\}", source, re.DOTALL)[number]))
    for paper in ("paper", "raised"):
        for ink in ("ink", "muted", "accent", "second", "fault", "ok"):
            light, dark = sorted((luminance(colours[ink]), luminance(colours[paper])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, paper)
