"""The heat of faces calibrated on pictures whose pattern is known in closed form."""

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from tfake.heat.calibration import fit_points, name_place, write_tables
from tfake.heat.patterns import bare_vertices, mean_pattern, mirror_vertices, person_patterns, read_vertices
from tfake.heat.regions import control_celsius, control_weights, skin_field
from tfake.heat.tables import read_points, read_rows
from tfake.mesh.template import FACE_VERTICES, face_vertices
from tfake.studies.heat_calibration import main, read_people

VERTICES = face_vertices()[:FACE_VERTICES]
BARE = bare_vertices()


def planted(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A symmetric pattern: warm in the middle of the forehead, cool on the cheeks, warm at the chin."""
    return np.cos(0.5 * x) + 0.6 * np.sin(0.45 * y)


def draw_face(scale: float, gain: float, offset: float, of=planted) -> tuple[np.ndarray, np.ndarray]:
    """Picture (200, 200) uint8 of a pattern, 0 beside the face, and its points."""
    points = VERTICES[:, :2] * (scale, -scale) + (100.0, 92.0)
    column, row = np.meshgrid(np.arange(200.0), np.arange(200.0))
    image = gain * of((column - 100.0) / scale, -(row - 92.0) / scale) + offset
    mask = np.zeros(image.shape, np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points).astype(np.int32)), 1)
    mask = cv2.dilate(mask, np.ones((5, 5)))
    return np.where(mask > 0, image, 0).round().astype(np.uint8), points


@pytest.fixture
def pictures(tmp_path) -> tuple[Path, Path]:
    """Folder and points of four people's pictures, of other gains, offsets and sizes; the first has three."""
    rng = np.random.default_rng(0)
    listed = {}
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a_1", "a_2", "a_3", "b_1", "c_1", "d_1"):
        image, points = draw_face(rng.uniform(8.0, 10.0), rng.uniform(30.0, 45.0), rng.uniform(90.0, 140.0))
        cv2.imwrite(str(folder / f"{name}.png"), image)
        listed[f"{name}.png"] = points.tolist()
    (tmp_path / "points.json").write_text(json.dumps(listed))
    return folder, tmp_path / "points.json"


def test_planted_pattern_is_recovered(pictures):
    people = read_people(*pictures, no_data=0)
    assert list(people) == ["a", "b", "c", "d"]
    pattern = mean_pattern(np.array(list(people.values())))
    known = np.isfinite(pattern) & BARE
    assert known.sum() > 300
    truth = planted(*VERTICES[:, :2].T)
    assert np.corrcoef(pattern[known], truth[known])[0, 1] > 0.999


def test_fit_holds_the_pattern_and_its_unit(tmp_path):
    truth = planted(*VERTICES[:, :2].T)
    pattern = (truth - np.median(truth)) / truth.std()
    write_tables(tmp_path, fit_points(pattern, close=0.0, kelvin=0.8))
    tables = str(tmp_path)
    skin = skin_field(control_weights(VERTICES, tables), control_celsius(24.0, tables=tables))
    assert np.corrcoef(skin[BARE], pattern[BARE])[0, 1] > 0.99
    assert np.polyfit(pattern[BARE], skin[BARE], 1)[0] == pytest.approx(0.8, rel=0.05)
    weights = control_weights(VERTICES, "charlotte")
    level = np.median(skin_field(weights, control_celsius(24.0, tables="charlotte"))[BARE])
    assert np.median(skin[BARE]) == pytest.approx(level, abs=0.1)


def test_closing_moves_regions_to_their_lines():
    flat = np.zeros(FACE_VERTICES)
    by_close = {}
    for close in (0.0, 1.0):
        rows = fit_points(flat, close=close)
        by_close[close] = {row["anchor"]: float(row["celsius_at_24"]) for row in rows if row["anchor"].isdigit()}
    # A flat face differs from CHARLOTTE's by a cool nose tip and a warm forehead.
    assert np.ptp(list(by_close[0.0].values())) < 1.0 < np.ptp(list(by_close[1.0].values()))
    assert by_close[1.0]["4"] < by_close[0.0]["4"] - 0.3


def test_blur_draws_no_outline_beside_pixels_without_data():
    image = np.full((120, 120), 7.0, np.float32)
    valid = np.zeros(image.shape, bool)
    valid[20:100, 20:100] = True
    image[~valid] = np.nan
    column, row = np.meshgrid(np.arange(15.0, 105.0, 3.0), np.arange(15.0, 105.0, 3.0))
    points = np.column_stack((column.ravel(), row.ravel()))
    values = read_vertices(image, points, valid)
    inside = ((points >= 22) & (points < 98)).all(axis=1)
    outside = ((points < 20) | (points >= 100)).any(axis=1)
    assert np.allclose(values[inside], 7.0, atol=1e-5)
    assert np.isnan(values[outside]).all()


def test_a_person_with_more_pictures_counts_as_one():
    rng = np.random.default_rng(1)
    first, second, third = rng.standard_normal((3, FACE_VERTICES))
    once = person_patterns([("a", first), ("b", second), ("c", third)])
    often = person_patterns([("a", first)] * 9 + [("b", second), ("c", third)])
    assert np.allclose(mean_pattern(np.array(list(once.values()))), mean_pattern(np.array(list(often.values()))))


def test_pattern_knows_neither_gain_nor_level_and_is_symmetric():
    values = np.random.default_rng(2).standard_normal(FACE_VERTICES)
    one, other = (person_patterns([("a", gain * values + level)])["a"] for gain, level in ((1.0, 0.0), (20.0, 90.0)))
    assert np.allclose(one, other)
    mean = mean_pattern(np.array([one]))
    assert np.allclose(mean, mean[mirror_vertices()][mirror_vertices()])
    assert np.array_equal(mirror_vertices()[mirror_vertices()], np.arange(FACE_VERTICES))


def test_command_writes_tables_that_the_field_takes(pictures, tmp_path, capsys):
    output = tmp_path / "tables"
    assert main([*map(str, pictures), str(output), "--no-data", "0", "--close", "0", "--control-points", "40"]) == 0
    shown = capsys.readouterr().out
    assert "1,003 people" in shown
    agreement = json.loads((output / "agreement.json").read_text())
    assert agreement["people"] == 4
    warm = {row["room °C"]: row["other half"] for row in agreement["halves"]}
    assert warm[24.0] > 0.95
    assert len(read_points(str(output)).region) > 80
    with (output / "points.csv").open(newline="") as table:
        assert all(row["place"] for row in csv.DictReader(table))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--person", "^."], None),
        (["--person", r"\.png"], "at least 2 people"),
        (["--person", "^x"], "finds no person"),
        (["--person", "("], "no regular expression"),
        (["--control-points", "400"], "want a pattern known at as many vertices"),
    ],
)
def test_arguments_that_do_not_fit(pictures, tmp_path, capsys, monkeypatch, arguments, message):
    monkeypatch.setattr("tfake.studies.heat_calibration.measure_agreement", lambda *_: {})
    monkeypatch.setattr("tfake.studies.heat_calibration.write_agreement", lambda *_: None)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables/agreement.md").write_text("")
    code = main([*map(str, pictures), str(tmp_path / "tables"), "--no-data", "0", *arguments])
    assert code == (0 if message is None else 1)
    if message:
        assert message in capsys.readouterr().err


def test_faults_of_a_folder_are_named(pictures, tmp_path):
    folder, points = pictures
    with pytest.raises(FileNotFoundError, match="nowhere: no such folder"):
        read_people(tmp_path / "nowhere", points)
    with pytest.raises(FileNotFoundError, match=r"none\.json: no such file; expected a JSON object"):
        read_people(folder, tmp_path / "none.json")
    (folder / "b_1.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"b_1\.png: no such image"):
        read_people(folder, points)
    for text, message in (
        ("{", "expected a JSON object"),
        ("{}", "found none"),
        ('{"a_1.png": [[1, 2]]}', r"\(1, 2\)"),
    ):
        points.write_text(text)
        with pytest.raises(ValueError, match=message):
            read_people(folder, points)
    cv2.imwrite(str(folder / "empty.png"), np.zeros((200, 200), np.uint8))
    points.write_text(json.dumps({"empty.png": draw_face(9.0, 1.0, 1.0)[1].tolist()}))
    with pytest.raises(ValueError, match="no vertex of the face lies on pixels with data"):
        read_people(folder, points, no_data=0)


def test_tables_are_a_name_or_a_folder(tmp_path):
    write_tables(tmp_path / "own", read_rows("measured", "points.csv"))
    assert np.array_equal(read_points(str(tmp_path / "own")).celsius_at_24, read_points("measured").celsius_at_24)
    with pytest.raises(FileNotFoundError, match="measured, charlotte, or a folder with regions"):
        read_rows("guessed", "points.csv")
    (tmp_path / "own/points.csv").write_text("region,anchor\nnose,4\n")
    with pytest.raises(ValueError, match="missing paired"):
        read_rows(str(tmp_path / "own"), "points.csv")


def test_places_have_names():
    assert name_place(np.array([0.0, 5.5, 9.4])) == "forehead"
    assert name_place(np.array([3.2, 5.4, 8.6])) == "forehead 3.2 cm outwards"
    assert name_place(np.array([0.0, -8.6, 8.4])) == "chin 0.5 cm below"
