"""The page of the sequences: its numbers are the store's, and in a browser the pointer reads them."""

import json
import re
import shutil

import av
import numpy as np
import pytest

import tfake
from packed import unpack
from planned import plan_of
from sequences.build_sequence_page import build_sequence_page
from tfake.core.codes import PointState
from tfake.core.radiometry import decode_counts
from tfake.products.sequence_page.clip_data import MOST_CELLS
from tfake.products.sequence_page.failures import count_unread, find_failures
from tfake.products.sequence_page.place_traces import PLACES, Chart, draw_up_charts, read_places
from tiny_sequences import sequence_plan, write_sequences

#: Neither a multiple of the cells nor of a film's blocks.
PIXELS, FRAMES, RATE = 72, 3, 12.5
MADE, MISSING = ("s0000_l00_rest_wink", "s0000_l00_rest_talk"), "s0000_l00_rest_puff"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A store of which the last sequence has not been rendered."""
    folder = tmp_path_factory.mktemp("results")
    changes = {"frames": FRAMES, "frames_per_second": RATE, "image_pixels": PIXELS}
    write_sequences(folder, sequence_plan(subjects=1, expressions=["wink", "talk", "puff"], **changes), made=2)
    return folder


@pytest.fixture(scope="module")
def sequence(results):
    return tfake.open_sequences(results)[1]


def build(results, folder, most=32):
    build_sequence_page(str(folder / "index.html"), str(folder / "data"), str(folder / "films"), str(results), most)
    return folder


@pytest.fixture(scope="module")
def built(results, tmp_path_factory):
    return build(results, tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def html(built):
    return (built / "index.html").read_text(encoding="utf-8")


def data_of(folder, name):
    name_again, data = json.loads(f"[{(folder / f'data/{name}.js').read_text()[len('tfakeData(') : -len(');') - 1]}]")
    assert name_again == name
    return data


def cube_of(folder, name):
    counts = unpack(data_of(folder, name)["cube"], (FRAMES * MOST_CELLS, MOST_CELLS), np.uint16)
    return decode_counts(counts).reshape(FRAMES, MOST_CELLS, MOST_CELLS)


def overlaps():
    """(cells, pixels): what fraction of a cell each pixel is."""
    edges = np.arange(MOST_CELLS + 1) * PIXELS / MOST_CELLS
    pixel = np.arange(PIXELS)
    shared = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    return np.clip(shared, 0, None) * MOST_CELLS / PIXELS


class Altered:
    """A sequence some of whose arrays are others."""

    def __init__(self, sequence, **arrays):
        self.sequence, self.arrays, self.sequence_id = sequence, arrays, sequence.sequence_id

    def __len__(self):
        return len(self.sequence)

    def read(self, name, frames=None):
        values = self.arrays.get(name)
        return self.sequence.read(name, frames) if values is None else values[slice(None) if frames is None else frames]


def test_the_cube_holds_the_stores_temperatures(built, sequence):
    weights = overlaps()
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    means = weights @ sequence.read("thermal").astype(float) @ weights.T
    np.testing.assert_allclose(cube_of(built, sequence.sequence_id), means, atol=0.0051)


def test_the_curves_are_the_stores(built, sequence):
    charts = {chart["title"]: chart["curves"] for chart in data_of(built, sequence.sequence_id)["charts"]}
    curves = sequence.curves()
    for title, name, expected in (
        ("Expression", "intensity", curves["intensity"]),
        ("Lids, 1 is closed", "lid left", curves["lid_left"]),
        ("Jaw", "opening", curves["jaw_degrees"]),
        ("Head", "pitch upwards", curves["head_pose"][:, 1]),
        ("Gaze", "right", curves["gaze"][:, 0]),
        ("Breath, 1 is out", "breath", curves["breath"]),
        ("Body", "pulse", curves["pulse_kelvin"]),
    ):
        np.testing.assert_allclose(charts[title][name], expected, rtol=1e-4)
    # At rest nothing cools the nose and nobody has fever.
    assert "nose" not in charts["Body"]
    assert "Perfusion" not in charts
    points = np.array(data_of(built, sequence.sequence_id)["points"]).reshape(FRAMES, 70, 2)
    np.testing.assert_allclose(points, sequence.read("landmarks_70"), atol=0.0501)


def test_places_are_read_where_the_points_are(sequence):
    """Heat around one point of one frame: its place alone is warm, then. In twice as many pixels, which places need."""
    points = {name: 2 * sequence.read(name) for name in ("landmarks_70", "landmarks_478")}
    column, row, _ = points["landmarks_478"][1, PLACES["nose_tip"]]
    rows, columns = np.mgrid[: 2 * PIXELS, : 2 * PIXELS]
    celsius = np.full((FRAMES, *rows.shape), 30.0, np.float32)
    celsius[1][np.hypot(columns - column, rows - row) < 5] = 36.0
    seen = np.full((FRAMES, 478), PointState.VISIBLE)
    altered = Altered(sequence, thermal=celsius, landmarks_478_visibility=seen, **points)
    traces = {trace.place: trace for trace in read_places(altered)}
    assert traces.keys() == PLACES.keys()
    np.testing.assert_allclose(traces["nose_tip"].celsius, [30, 36, 30], atol=1e-4)
    np.testing.assert_allclose(traces["forehead"].celsius, 30, atol=1e-4)


def test_what_covers_a_place_is_a_gap_with_a_reason(sequence):
    states = np.full((FRAMES, 478), PointState.VISIBLE)
    states[1:, PLACES["left_cheek"]] = PointState.FACEWEAR
    states[2, PLACES["nose_tip"]] = PointState.OUTSIDE
    thermal = np.zeros((FRAMES, 2 * PIXELS, 2 * PIXELS), np.float32)
    points = {name: 2 * sequence.read(name) for name in ("landmarks_70", "landmarks_478")}
    altered = Altered(sequence, thermal=thermal, landmarks_478_visibility=states, **points)
    traces = read_places(altered)
    by_place = {trace.place: trace for trace in traces}
    assert np.isnan(by_place["left_cheek"].celsius).tolist() == [False, True, True]
    assert by_place["left_cheek"].reasons == ("", *["covered by facewear"] * 2)
    unread = [(own.place, own.reason, own.sequences, own.frames) for own in count_unread([traces, traces])]
    assert unread[:2] == [
        ("left cheek", "covered by facewear", 2, 4),
        ("nose tip", "outside the picture", 2, 2),
    ]
    (failure,) = find_failures(altered, np.zeros((FRAMES, 2, 2)))
    assert (failure.status, failure.frames, failure.is_fault) == ("cut by the edge", 1, False)


def test_a_frame_without_temperatures_is_a_fault(sequence):
    celsius = np.zeros((FRAMES, 2, 2))
    celsius[1] = np.nan
    failure = find_failures(Altered(sequence, landmarks_478_visibility=np.zeros((FRAMES, 478))), celsius)[0]
    assert (failure.status, failure.frames, failure.is_fault) == ("without an image", 1, True)


def test_the_page_says_what_is_missing_and_needs_nothing_from_elsewhere(html):
    assert "2 sequences of 1 person, 3 frames each" in html
    assert re.search(rf'{MISSING}</th><td>3</td>\s*<td class="text"><span class="fault">not rendered</span>', html)
    assert re.findall(r'data-clip="(\w+)"', html) == list(MADE)
    assert not re.search(r'(src|href)="(?!#|data:|films/)', html)


def test_films_lie_beside_the_page_and_all_is_the_same_again(built, results, tmp_path):
    for name in MADE:
        with av.open(str(built / f"films/{name}.mp4")) as film:
            assert sum(1 for _ in film.decode(video=0)) == FRAMES
    again = build(results, tmp_path)
    files = sorted(path.relative_to(built) for path in built.rglob("*") if path.is_file())
    assert len(files) == 1 + 3 + 2
    assert {name: (again / name).read_bytes() for name in files} == {
        name: (built / name).read_bytes() for name in files
    }


def test_few_are_shown_of_many(results, tmp_path):
    folder = build(results, tmp_path, most=1)
    assert [path.stem for path in (folder / "films").iterdir()] == [MADE[0]]
    assert "1 of 2, spread evenly" in (folder / "index.html").read_text()


def point(page, x, y):
    """Move the mouse to the middle of a cell, and return what the page says."""
    page.locator("#stage").scroll_into_view_if_needed()
    box = page.locator("#stage").bounding_box()
    page.mouse.move(*(box[key] + (cell + 0.5) * box["width"] / MOST_CELLS for key, cell in (("x", x), ("y", y))))
    return page.locator("#reading").evaluate("reading => ({...reading.dataset})")


def arrive(page, name):
    page.wait_for_function("name => state.id === name", arg=name)


@pytest.mark.browser
def test_the_pointer_draws_the_trace_of_its_cell(browser, built):
    page = browser.open(built / "index.html", viewport={"width": 1400, "height": 900})
    arrive(page, MADE[0])
    page.select_option("#clip", MADE[1])
    arrive(page, MADE[1])
    cube = cube_of(built, MADE[1])
    for x, y in ((3, 60), (31, 40)):
        said = point(page, x, y)
        assert (said["x"], said["y"], said["frame"]) == (str(x), str(y), "0")
        assert float(said["celsius"]) == pytest.approx(cube[0, y, x], abs=1e-3)
        traced = page.evaluate(
            "[...document.querySelector('#beside .curve').getAttribute('d').matchAll(/[ML]([^ ]+) ([^ML]+)/g)]"
        )
        heights = np.array([float(y) for _, _, y in traced])
        # Up is warmer, and one scale holds for all of them.
        slope = np.polyfit(cube[:, y, x], heights, 1)
        assert slope[0] < 0
        np.testing.assert_allclose(np.polyval(slope, cube[:, y, x]), heights, atol=0.05)
    page.locator("#stage").focus()
    page.keyboard.press("Shift+ArrowUp")
    page.locator("#time").fill("2")
    said = page.locator("#reading").evaluate("reading => ({...reading.dataset})")
    assert (said["x"], said["y"], said["frame"]) == ("31", "32", "2")
    assert float(said["celsius"]) == pytest.approx(cube[2, 32, 31], abs=1e-3)
    assert page.locator(".now").first.evaluate("now => now.style.left") == "100%"
    # The film is at the same moment, where the browser plays it.
    page.wait_for_function("!grid.hidden || (film.readyState > 1 && !film.seeking)")
    if page.evaluate("grid.hidden"):
        assert page.evaluate("film.currentTime") * RATE == pytest.approx(2.5, abs=0.01)
        assert page.complaints == []
    assert not [url for url in page.requests if url.startswith("http")]


@pytest.mark.browser
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1400, "light")])
def test_the_page_fits_its_window(browser, built, width, scheme):
    page = browser.open(built / "index.html", viewport={"width": width, "height": 900}, color_scheme=scheme)
    arrive(page, MADE[0])
    page.click("#play")
    page.wait_for_function("state.frame > 0")
    page.click("#play")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    unnamed = page.evaluate("[...document.querySelectorAll('select, input')].filter(one => !one.labels.length).length")
    assert unnamed == 0
    assert page.locator(".plot").evaluate_all("plots => plots.every(plot => / from -?.* to /.test(plot.ariaLabel))")


@pytest.mark.browser
def test_without_films_it_shows_what_it_reads_and_without_data_it_says_so(browser, built, tmp_path):
    shutil.copytree(built, tmp_path / "page")
    shutil.rmtree(tmp_path / "page/films")
    page = browser.open(tmp_path / "page/index.html")
    arrive(page, MADE[0])
    page.wait_for_function("!grid.hidden")
    assert page.is_visible("#filmless")
    page.locator("#time").fill("1")
    shades = page.evaluate("new Set(grid.getContext('2d').getImageData(0, 0, cells, cells).data).size")
    assert shades > 50
    shutil.rmtree(tmp_path / "page/data")
    page = browser.open(tmp_path / "page/index.html")
    page.locator("#alone").wait_for(state="visible")


def test_the_report_leads_to_the_page_where_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert plan_of().products.sequence_page is None
    page = tmp_path / "results/sequences/page/index.html"
    page.parent.mkdir(parents=True)
    page.touch()
    assert plan_of().products.sequence_page == "results/sequences/page/index.html"


def test_charts_leave_out_what_says_nothing(sequence):
    charts = draw_up_charts(sequence, read_places(sequence))
    assert all(isinstance(chart, Chart) and chart.curves for chart in charts)
    (expression,) = (chart for chart in charts if chart.title == "Expression")
    assert all(np.ptp(values) >= 0.02 for name, values in expression.curves.items() if name != "intensity")
