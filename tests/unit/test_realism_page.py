"""The realism study's table and page, with real faces and without, and its scripts."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from mesh_faces import face_set, noise_maps
from studies.compare_realism import compare_realism
from studies.measure_realism import measure_realism as write_figures
from tfake.studies.landmark_errors import DETECTION_COLUMNS, FACE_COLUMNS, summarise
from tfake.studies.realism import figure_rows, measure_realism
from tfake.studies.realism_page import render_realism


def made_sets():
    """A real set, a variant that is like it, one that is not, and one without a face."""
    rng = np.random.default_rng(0)
    pattern = rng.standard_normal(478)

    def make(title, seed, like, sigma, radiometric=True):
        own = pattern if like else -pattern
        patterns = own + 0.3 * np.random.default_rng(seed).standard_normal((20, 478))
        return face_set(20, patterns, noise_maps(20, seed, sigma), title=title, radiometric=radiometric)

    real = make("people", 1, True, 3.0, radiometric=False)
    return [real], [make("near", 2, True, 3.0), make("far", 3, False, 1.5), face_set(0, title="none")]


@pytest.fixture(scope="module")
def found():
    real, made = made_sets()
    return measure_realism(made, real, seed=0)


def methods():
    rows = [
        {"method": name, "face": str(number), "subject": "", "view": "", "size": 50, "found": number > 0, "sigma": 0.1}
        | {f"nme_{length}": 0.05 if number else np.inf for length in ("box", "inter_ocular", "image")}
        for name in ("joint_70", "joint_70, box given")
        for number in range(4)
    ]
    table = pd.DataFrame(rows, columns=list(FACE_COLUMNS))
    return summarise(table, pd.DataFrame(columns=list(DETECTION_COLUMNS)), 0.1, None)


def test_the_nearer_set_scores_nearer(found):
    pairs = {pair["set"]: pair for pair in found["pairs"]}
    assert pairs.keys() == {"near", "far"}
    assert pairs["near"]["r"] > 0.9 > -0.9 > pairs["far"]["r"]
    assert pairs["near"]["spectrum"] < pairs["far"]["spectrum"]
    assert pairs["near"]["auc_patches"] < 0.75 < pairs["far"]["auc_patches"]
    assert found["ceilings"]["people"]["r"] > 0.9
    assert found["ceilings"]["people"]["auc_patches"] == pytest.approx(0.5, abs=0.2)
    assert found["sets"]["people"]["sd"] is None
    assert found["sets"]["near"]["sd"] == pytest.approx(1.05, abs=0.1)
    assert found["sets"]["none"]["faces"] == 0
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_every_figure_is_a_row(found):
    rows = figure_rows(found, {"near": {"charlotte": methods()}}).set_index(["set", "against", "figure"])["value"]
    assert rows["near", "people", "r"] == found["pairs"][0]["r"]
    assert rows["people", "people", "ceiling_auc_faces"] == found["ceilings"]["people"]["auc_faces"]
    assert rows["near", "", "spread_inner_canthi"] == found["sets"]["near"]["spread"]["inner canthi"]
    assert rows["near", "charlotte", "tstr joint_70: found"] == 3
    assert not rows.index.duplicated().any()


@pytest.fixture(scope="module")
def page(found):
    real, made = made_sets()
    return render_realism(found, [*real, *made], {"near": {"charlotte": methods()}}, ["tfw"], True)


def test_the_page_shows_all_of_it(page):
    assert "half against half" in page
    assert re.search(r'<th scope="row">near</th><td>20</td><td>0\.9\d</td>', page)
    assert page.count("data:image/webp") == 3 * 20
    assert page.count("data:image/png") == 2 * 3
    assert "none: no face could be used" in page
    assert "near on charlotte</th><td>3 of 4</td><td>0.0500" in page
    assert "Not there: tfw" in page
    assert not re.search(r'(src|href)="(?!#|data:)', page)


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1400])
def test_the_page_fits_its_window(browser, page, tmp_path, width):
    (tmp_path / "index.html").write_text(page, encoding="utf-8")
    shown = browser.open(tmp_path / "index.html", viewport={"width": width, "height": 900})
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    assert shown.complaints == []
    assert not [url for url in shown.requests if url.startswith("http")]


@pytest.mark.parametrize(
    ("tstr", "text"), [(True, "No annotated test set is there"), (False, "<code>realism.tstr</code> is false")]
)
def test_the_page_says_what_is_missing(tstr, text):
    made = [faces.subset(slice(4)) for faces in made_sets()[1]]
    page = render_realism(measure_realism(made, [], 0), made, {}, ["charlotte"], tstr)
    assert "No real faces to judge by" in page
    assert "subject_pattern" in page
    assert text in page
    assert "Against" not in page


def test_the_scripts_write_their_files(tmp_path):
    real, made = ([faces.subset(slice(4)) for faces in sets] for sets in made_sets())
    paths = {faces.title: str(tmp_path / f"{faces.title}.npz") for faces in (*real, *made)}
    for faces in (*real, *made):
        faces.save(paths[faces.title])
    names = [faces.title for faces in made]
    write_figures(str(tmp_path / "figures.json"), [paths[name] for name in names], [paths["people"]], 0)
    scores = tmp_path / "near/charlotte/scores.json"
    scores.parent.mkdir(parents=True)
    scores.write_text(json.dumps({"methods": methods()}, default=float))
    out = {name: str(tmp_path / name) for name in ("page", "table")}
    given = {"figures": str(tmp_path / "figures.json"), "faces": list(paths.values()), "scores": [str(scores)]}
    compare_realism(**out, **given, missing=[], tstr=True)
    assert "near on charlotte" in (tmp_path / "page").read_text()
    table = pd.read_csv(tmp_path / "table")
    assert list(table.columns) == ["set", "against", "figure", "value"]
    assert {"r", "auc_patches", "tstr joint_70: nme"} <= set(table["figure"])
