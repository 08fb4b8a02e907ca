"""The page of `build_report`, of a tiny dataset: three images of 64 pixels in one shard, one of them broken."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from archives import PIXELS
from tfake.products.report.image_sources import open_variant
from tfake.products.report.label_quality import draw_errors
from tfake.products.report.run_facts import gather_facts, read_store, read_timings
from tfake.products.report.temperatures import (
    VariantTemperatures,
    class_temperatures,
    draw_temperatures,
    prior_pull,
)
from tiny_report import CONFIG, make_report

SECTIONS = ("variants", "lineage", "gallery", "labels", "temperatures", "statuses", "losses", "timings", "checksums")
SEQUENCES = "../sequences/page/index.html"
VOID = {"meta", "link", "img", "input", "br"}


class Page(HTMLParser):
    """Elements of a page, in order; complains about tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text = [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not {"style", "script"} & set(self.open):
            self.text += data + " "

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A working directory with the page in it."""
    run = tmp_path_factory.mktemp("run")
    make_report(run)
    return run


@pytest.fixture(scope="module")
def source(run):
    return (run / "report/index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(source):
    return Page(source)


def test_it_is_whole(page, run):
    assert not page.open
    assert not list(run.rglob("*.part"))
    assert {attributes.get("id") for attributes in page.all("section")} == set(SECTIONS)


def test_it_needs_nothing_from_elsewhere(source, page):
    assert not re.search(r"""(src|href|url\()\s*=?\s*["']?\s*(https?:)?//""", source)
    assert "@import" not in source
    assert not any("src" in attributes for attributes in page.all("script"))
    for attributes in page.all("img"):
        # The viewer's picture has none before a face is opened.
        assert attributes.get("src", "data:image/").startswith("data:image/")
    for attributes in page.all("link"):
        assert attributes["href"].startswith("data:")


def test_links_lead_somewhere(run, page):
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    for tag, attributes in page.elements:
        target = attributes.get("href") or attributes.get("xlink:href") or ""
        if target.startswith("#"):
            assert target[1:] in ids, (tag, target)
        elif tag == "a":
            assert (run / "report" / target).is_file(), target
            # The folder may be sent: nothing leads out of it but to the page of the sequences, and that says so.
            assert ".." not in target or target == SEQUENCES


def test_it_leads_to_the_page_of_the_sequences(source):
    assert f'<a href="{SEQUENCES}">people through time</a>, a page of its own beside this folder' in source


def test_its_checksum_lists_are_the_stores(run):
    for store in ("faces", "variants/0", "variants/1", "variants/2"):
        (copied,) = (run / "report/files").glob(f"*{store.split('/')[-1]}-SHA256SUMS")
        assert copied.read_bytes() == (run / store / "SHA256SUMS").read_bytes()


def test_ids_are_unique(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_picture_is_described(page):
    pictures = [attributes for attributes in page.all("img") if "src" in attributes]
    assert len(pictures) == 2 * (2 + len(CONFIG["variants"])) + 2
    assert len({attributes["alt"] for attributes in pictures}) == len(pictures)


def test_every_control_has_a_label(source):
    controls = source.count("<input ") + source.count("<select ")
    assert len(re.findall(r"<label>[^<]*<(?:input|select) ", source)) == controls


def test_the_head_counts(page, run):
    words = " ".join(page.text.split())
    files = sum(json.loads(path.read_text())["files"] for path in run.rglob("verified.json"))
    assert "3 images 1 shard a store 3 variants" in words
    assert f"verified: yes ({files} files, " in words
    assert "procedural faces, seed 7" in words
    assert "CC0-1.0" in words


def test_each_variant_has_its_own_unit_size_and_terms(source):
    section = source.split('<section id="variants"')[1].split("</section>")[0]
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", section, re.DOTALL)
    cells = [
        [cell for cell in re.sub(r"<[^>]+>", "|", row.replace("\n", "")).split("|") if cell.strip()] for row in rows
    ]
    pixels = f"{PIXELS}x{PIXELS}"
    assert [row[:7] for row in cells] == [
        ["warm", "thermalizer warm", "26", pixels, "°C, 0.01 K a count", "2", "0 to 2"],
        ["chilly&lt;b&gt;", "thermalizer cold", "20", pixels, "°C, 0.01 K a count", "2", "0 to 2"],
        ["camera", "camera lepton looking at warm", "26", "32x24", "gray levels, 8 bit", "2", "0 to 2"],
    ]
    assert [row[8] for row in cells] == ["CC0-1.0", "CC0-1.0", "R-UDA-1.0 AND CC-BY-4.0"]
    # Nothing is said of all of them that holds for some.
    assert "counts of 0.01" not in source.split("<nav")[0]


def test_a_bad_sample_is_listed_with_its_status_and_shown_without_a_picture(page):
    words = " ".join(page.text.split())
    assert "000001 (row 1): undecodable image . 000001.png: its 6 bytes are no image" in words
    assert "No picture: 000001.png: its 6 bytes are no image" in words
    assert "source: undecodable image · 478 points: no image" in words


def test_a_face_without_mesh_has_no_dense_points(source, page):
    assert 'id="points-478-0"' in source
    assert 'id="points-478-2"' not in source
    assert "Faces without 478 points" in page.text


def test_the_labels_are_told_by_attempt_and_the_worst_are_drawn(source, page):
    words = " ".join(page.text.split())
    assert "1 face of 2 has 478 points" in words
    assert "3.00 % of the face's size (median)" in words
    assert "by 1.80 %: 40 % less" in words
    section = source.split('<section id="labels"')[1].split("</section>")[0]
    rows = [re.sub(r"<[^>]+>", "|", row).split("|") for row in re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", section)]
    cells = [[cell for cell in row if cell] for row in rows]
    assert cells == [
        ["wide", "the same with more around it", "1", "0", "1"],
        ["none", "the detector found no face in any of these", "0", "1", "1"],
    ]
    assert "retried : a later attempt was nearer to the exact points" in words
    assert "found 3.0 % off, corrected to 1.8 %" in words
    # The face without points comes first.
    assert re.findall(r"<figcaption><b>(\d+)</b> ([\w ]+)", section) == [("000002", "not found"), ("000000", "retried")]


def test_class_means_are_the_summaries(run, source):
    for number in range(2):
        statistics = json.loads((run / f"variants/{number}/summary.json").read_text())["statistics"]
        assert set(statistics) == {"background", "skin"}
        table = source.split('aria-label="Temperatures of ')[1 + number].split("</table>")[0]
        for name, entry in statistics.items():
            cells = re.search(rf">{name}</th>(.*?)</tr>", table, re.DOTALL)[1]
            values = re.findall(r"<td>(.*?)</td>", cells)
            assert values[2] == f"{entry['mean']:.2f}"
            assert values[3] == f"{entry['sd']:.2f}"


def test_a_variant_without_a_prior_is_drawn_without_one():
    statistics = {"skin": {"pixels": 5, "mean": 34.0, "sd": 0.5}}
    (entry,) = class_temperatures(statistics, None)
    assert (entry.prior, entry.difference, entry.mean) == (None, None, 34.0)
    modelled = VariantTemperatures("heat", 23.0, (entry,), (), {}, {})
    pulled = replace(modelled, classes=class_temperatures(statistics, np.full(19, 33.0)))
    assert (modelled.has_prior, pulled.has_prior) == (False, True)
    diamonds = [draw_temperatures([variant]).wide.count("var(--accent)") for variant in (modelled, pulled)]
    assert diamonds[0] < diamonds[1]


def test_a_modelled_variant_says_what_differs_for_it(run):
    heat = {"state": {"fever_kelvin": 1.5}, "lens": None}
    variants = {"warm": {"ambient_celsius": 23, "heat": heat}}
    store = read_store(run / "variants/0")
    store = replace(store, counts={"source_ok": 5, "without_mesh": 2})
    opened = [open_variant("warm", store.path, run / "faces/faces.zarr", store.span)]
    (facts,) = gather_facts({**CONFIG, "variants": variants}, {"warm": store}, opened, {"warm": 23.0})
    assert facts.made_by == "temperature model, no network, fever_kelvin 1.5, lens none"
    assert facts.images == 3


def test_the_prior_of_glass_and_background_is_the_ambient(source):
    tables = source.split('aria-label="Temperatures of ')[1:]
    for table, ambient in zip(tables, ("26.00", "20.00"), strict=True):
        assert re.search(rf">background</th><td>.*?</td><td>{ambient}</td>", table)


def test_why_a_class_lies_off_its_prior_is_said_where_pairs_hold_it(page):
    words = " ".join(page.text.split())
    assert "the prior, with its weight of 0.25, takes it 20 % of the way from theirs to its own" in words
    for key, value in (("values", "relative"), ("supervision", "within_class")):
        conditions = {"warm": {"pairs": {**CONFIG["conditions"]["warm"]["pairs"], key: value}}}
        assert prior_pull({**CONFIG, "conditions": conditions}) is None
    assert prior_pull({**CONFIG, "thermalizers": {name: {} for name in CONFIG["conditions"]}}) is None


def test_the_error_against_the_truth_is_shown_where_it_is_known(source):
    assert source.count("<caption>") == 2
    assert "warm: face MAE 0.62 K" in source
    assert "\N{MINUS SIGN}0.33" in source


def test_names_are_escaped(source):
    assert "chilly<b>" not in source
    assert "chilly&lt;b&gt;" in source


def test_figures_follow_the_page(source):
    figures = re.findall(r"<svg[^>]*>(?:(?!</svg>).)*<g (?:(?!</svg>).)*</svg>", source, re.DOTALL)
    assert len(figures) == 6
    for figure in figures:
        # A style sheet inside would hold for the whole page, and a date would differ from run to run.
        assert "<style" not in figure
        assert "<metadata" not in figure
        assert "currentColor" in figure
        assert not re.match(r"<svg[^>]* (width|height)=", figure)


def test_jobs_are_added_up_by_rule_the_longest_first(run, page):
    slow, fast = read_timings(run / "benchmarks")
    assert (slow.rule, slow.jobs, slow.wall_seconds) == ("index_archive", 1, 9.0)
    assert np.isnan(slow.cpu_seconds)
    assert np.isnan(slow.max_rss_mb)
    assert (fast.rule, fast.jobs, fast.wall_seconds, fast.cpu_seconds) == ("label_faces", 2, 3.5, 2.0)
    assert fast.max_rss_mb == 101
    assert "not measured" in page.text


def test_without_benchmarks_there_is_no_table(tmp_path):
    assert read_timings(tmp_path / "nowhere") == []


def test_it_is_light(run):
    assert (run / "report/index.html").stat().st_size < 1_000_000


@pytest.mark.slow
def test_a_hundred_thousand_faces_make_no_heavier_drawing():
    rng = np.random.default_rng(0)
    sizes = []
    for rows in (2_000, 100_000):
        error, yaw = rng.uniform(0, 0.1, rows), rng.uniform(-90, 90, rows)
        drawing = draw_errors(error, error / 2, yaw, np.zeros(rows, np.uint8), 0.04, 0.06)
        sizes.append(len(drawing.wide))
    assert sizes[1] < 1.1 * sizes[0] < 1_000_000
    assert "of 2,000 faces" in drawing.wide
