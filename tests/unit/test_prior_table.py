"""The prior as a model of the ambient: the published targets, what was measured on people, and faulty tables."""

from importlib import resources

import numpy as np
import pytest

from tfake.core.classes import FaceClass
from tfake.thermalizer.prior_table import load_prior


def at(ambient, table="charlotte"):
    celsius = load_prior(table).at(ambient).celsius
    return {face_class: float(celsius[face_class]) for face_class in FaceClass if face_class != FaceClass.IGNORE}


def slope(face_class):
    return (at(27)[face_class] - at(20)[face_class]) / 7


def test_tfake2025_holds_the_published_targets():
    warm, cold = (load_prior("tfake2025").at(room) for room in (26.0, 20.0))
    assert warm.celsius.dtype == np.float32
    assert warm.celsius.shape == (19,)
    assert (warm.std_kelvin == 1).all()
    expected = {"SKIN": (35, 33), "NOSE": (35, 31.5), "LEFT_EYE": (35, 34), "RIGHT_BROW": (34, 31)}
    expected |= {"LEFT_EAR": (35, 32), "MOUTH_INTERIOR": (35, 35), "TOP_LIP": (35, 32.5), "BOTTOM_LIP": (35, 32.5)}
    expected |= {"NECK": (35, 34), "HAIR": (30, 30), "BEARD": (32, 31), "CLOTHING": (32, 30), "FACEWEAR": (28, 28)}
    expected |= {"HEADWEAR": (28, 28), "GLASSES": (26, 20), "BACKGROUND": (26, 20)}
    for name, temperatures in expected.items():
        assert (warm.celsius[FaceClass[name]], cold.celsius[FaceClass[name]]) == temperatures, name


def test_warm_faces_may_stand_in_a_cool_room():
    """As T-FAKE's own do."""
    prior = load_prior("tfake2025").at(20.0, read_at_celsius=26.0).celsius
    assert (prior[FaceClass.SKIN], prior[FaceClass.GLASSES], prior[FaceClass.BACKGROUND]) == (35, 20, 20)


def test_the_nose_is_steepest_and_coldest_and_its_gap_closes():
    """Facts measured on CHARLOTTE (8,032 images) that any prior of this project's own must keep."""
    face = (FaceClass.SKIN, FaceClass.LEFT_EYE, FaceClass.TOP_LIP, FaceClass.MOUTH_INTERIOR)
    assert all(slope(FaceClass.NOSE) > slope(other) for other in face)
    for room in (12, 16, 20, 23, 26):
        assert all(at(room)[FaceClass.NOSE] < at(room)[other] for other in face), room
    gaps = [at(room)[FaceClass.SKIN] - at(room)[FaceClass.NOSE] for room in (12, 20, 27)]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[1] == pytest.approx(2.6, abs=0.5)
    assert gaps[2] == pytest.approx(0.45, abs=0.4)


def test_in_the_cold_the_mouth_is_warmest_and_the_nose_varies_most():
    cold = at(20)
    assert max(cold, key=cold.get) == FaceClass.MOUTH_INTERIOR
    deviation = load_prior("charlotte").at(20).std_kelvin
    bare = [FaceClass.SKIN, FaceClass.LEFT_EYE, FaceClass.TOP_LIP, FaceClass.NECK]
    assert deviation[FaceClass.NOSE] > 1.8 * deviation[bare].max()


@pytest.mark.parametrize("room", [10, 12, 20, 25, 30, 34])
def test_a_face_stays_between_its_room_and_its_core(room):
    for face_class, celsius in at(room).items():
        assert room <= celsius <= 37.5, face_class


def test_warmer_rooms_make_warmer_faces():
    rooms = np.array([list(at(room).values()) for room in range(10, 35)])
    assert (np.diff(rooms, axis=0) > 0).all()


def test_between_and_beyond_its_rooms_a_table_is_linear():
    table = load_prior("tfake2025")
    nose = [table.at(room).celsius[FaceClass.NOSE] for room in (14.0, 23.0, 32.0)]
    np.testing.assert_allclose(nose, [28.0, 33.25, 38.5])


def write_table(path, edit):
    path.write_text(edit((resources.files("tfake.thermalizer") / "priors/tfake2025.csv").read_text()))
    return path


def test_a_table_of_ones_own(tmp_path):
    path = write_table(tmp_path / "mine.csv", lambda text: text.replace("HAIR,30,30,1", "HAIR,26,27.5,2"))
    table = load_prior(path)
    assert table.name == "mine"
    prior = table.at(26.0)
    assert (prior.celsius[FaceClass.HAIR], prior.std_kelvin[FaceClass.HAIR]) == (27.5, 2)


def test_offsets_are_added_to_their_classes_alone():
    table = load_prior("tfake2025")
    moved = table.shifted({"NOSE": -1.0, "SKIN": 0.5})
    difference = moved.at(20).celsius - table.at(20).celsius
    assert (difference[FaceClass.NOSE], difference[FaceClass.SKIN]) == (-1, 0.5)
    assert np.count_nonzero(difference) == 2
    for name, message in (("NOSES", "NOSES is no class"), ("GLASSES", "follows the room"), ("IGNORE", "no class")):
        with pytest.raises(ValueError, match=message):
            table.shifted({name: 1.0})


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda text: text.replace("at_20_celsius", "cold", 1), "expected the columns"),
        (lambda text: text.replace("at_20_celsius", "at_30_celsius", 1), "expected the columns"),
        (lambda text: text.replace("\nHAIR,", "\nHAIRS,"), "HAIR"),
        (lambda text: text.replace("\nHAIR,", "\nSKIN,"), "19 classes"),
        (lambda text: text.replace("HAIR,30,", "HAIR,,"), "HAIR: temperatures must be numbers or all blank"),
        (lambda text: text.replace("HAIR,30,30,1", "HAIR,30,30,0"), "HAIR.*sd_kelvin"),
        (lambda text: text.replace("HAIR,30,30,1", "HAIR,30,30,"), "HAIR.*sd_kelvin"),
    ],
)
def test_a_faulty_table_is_named(tmp_path, edit, message):
    path = write_table(tmp_path / "faulty.csv", edit)
    with pytest.raises(ValueError, match=message) as caught:
        load_prior(path)
    assert "faulty.csv" in str(caught.value)


def test_an_unknown_table_is_named():
    with pytest.raises(FileNotFoundError, match=r"nowhere.*charlotte, outdoor, tfake2025"):
        load_prior("nowhere")


def test_a_table_says_which_rooms_it_answers_for(tmp_path):
    charlotte = load_prior("charlotte")
    assert charlotte.ambient_range_celsius == (10, 34)
    charlotte.check_ambients((10, 34))
    charlotte.check_ambients((60, 60), read_at_celsius=20)
    for rooms, read_at in (((60, 60), None), ((20, 35), None), ((9, 20), None), ((20, 20), 40)):
        with pytest.raises(ValueError, match=r"charlotte answers for rooms of 10 to 34 °C; it is asked for "):
            charlotte.check_ambients(rooms, read_at)
    mine = load_prior(write_table(tmp_path / "mine.csv", lambda text: text.partition("\n")[2]))
    assert mine.ambient_range_celsius == (10, 36)
    stated = load_prior(write_table(tmp_path / "own.csv", lambda text: text.replace("10 to 30", "-5 to 21.5", 1)))
    assert stated.ambient_range_celsius == (-5, 21.5)


@pytest.mark.parametrize(
    ("convert", "likely"),
    [
        (lambda celsius: celsius + 273.15, "Kelvin"),
        (lambda celsius: celsius * 1.8 + 32, "degrees Fahrenheit"),
        (lambda celsius: (celsius + 273.15) * 10, "0.1 K counts"),
        (lambda celsius: (celsius + 273.15) * 100, "0.01 K counts"),
    ],
)
def test_a_table_in_another_unit_is_refused_with_its_likely_unit(tmp_path, convert, likely):
    def edit(text):
        lines = text.splitlines()
        for place, line in enumerate(lines[2:], start=2):
            cells = line.split(",", 3)
            cells[1:3] = [f"{convert(float(cell)):g}" if cell else "" for cell in cells[1:3]]
            lines[place] = ",".join(cells)
        return "\n".join(lines)

    with pytest.raises(ValueError, match=rf"mine\.csv: its temperatures are no degrees Celsius: .*looks like {likely}"):
        load_prior(write_table(tmp_path / "mine.csv", edit))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda text: text.replace("HAIR,30,30", "HAIR,30,300"),
            r"HAIR: expected temperatures of -60 to 60 °C; found \[30",
        ),
        (lambda text: "", "expected the columns"),
        (lambda text: text.replace("HAIR,30,30,1", "HAIR,30,1"), "HAIR: expected 5 values; found 4"),
        (lambda text: text.replace("HAIR,30,30,1", '"HAIR,30,30,1'), "expected 5 values; found a quote is open"),
        (lambda text: text.replace("HAIR,30,", "HAIR,warm,"), "HAIR: temperatures must be numbers.*'warm'"),
    ],
)
def test_what_is_wrong_with_a_table_is_told_with_its_name(tmp_path, edit, message):
    with pytest.raises(ValueError, match=rf"mine\.csv: .*{message}"):
        load_prior(write_table(tmp_path / "mine.csv", edit))


def test_a_table_of_any_program_is_read(tmp_path):
    text = (resources.files("tfake.thermalizer") / "priors/charlotte.csv").read_text()
    head, columns, *rows = text.splitlines()
    lines = [head, columns.replace(",", ";")]
    lines += [";".join(row.split(",", 5)[:5]).replace(".", ",") + ";mine" for row in rows]
    path = tmp_path / "mine.csv"
    path.write_bytes("\r\n".join(lines).encode("utf-16"))
    np.testing.assert_array_equal(load_prior(path).celsius, load_prior("charlotte").celsius)
