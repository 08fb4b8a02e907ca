"""What thermal numbers are declared to be, and how a wrong declaration is met."""

import numpy as np
import pytest

from tfake.thermal_io.scales import Scale, ScaleError, check_plausible, likely_scales, parse_scale, spread_evenly


def scene(room=22.0, skin=34.0):
    y, x = np.mgrid[:48, :48]
    return np.where((x - 24) ** 2 + (y - 24) ** 2 < 300, skin, room)


KELVIN = scene() + 273.15
STORED = {
    "celsius": scene().astype(np.float32),
    "kelvin": KELVIN.astype(np.float32),
    "fahrenheit": (scene() * 1.8 + 32).astype(np.float32),
    "counts:100": np.rint(KELVIN * 100).astype(np.uint16),
    "counts:10": np.rint(KELVIN * 10).astype(np.uint16),
    "counts:64": np.rint(KELVIN * 64).astype(np.uint16),
    "counts:25": np.rint(KELVIN * 25).astype(np.uint16),
    "counts:10:273.15": np.rint(scene() * 10).astype(np.int16),
    "counts:18:255.3722222": np.rint((scene() * 1.8 + 32) * 10).astype(np.uint16),
    "counts:1000": np.rint(KELVIN * 1000).astype(np.int32),
    "counts:1:273.15": np.rint(scene()).astype(np.int16),
    "counts:100:273.15": np.rint(scene() * 100).astype(np.uint16),
    "counts:3276.75:293.15": np.rint((scene() - 20) / 20 * 65535).astype(np.uint16),
}


@pytest.mark.parametrize("declared", STORED)
def test_a_right_declaration_gives_degrees(declared):
    scale = parse_scale(declared)
    check_plausible([("a", STORED[declared])], scale)
    np.testing.assert_allclose(scale.convert(STORED[declared]), scene(), atol=0.06)
    assert scale.convert(STORED[declared]).dtype == np.float32


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize("declared", STORED)
def test_a_wrong_declaration_is_refused_with_the_right_one(stored, declared):
    equal = {"counts:100": "celsius"}  # celsius takes these counts by itself
    right = parse_scale(stored)
    wrong = parse_scale(declared)
    close = np.allclose(wrong.convert(STORED[stored]), scene(), atol=8) if wrong.takes(STORED[stored].dtype) else False
    if stored == declared or declared == equal.get(stored) or close:
        return
    with pytest.raises(ScaleError) as caught:
        check_plausible([("a.png", STORED[stored])], wrong, "set")
    assert str(caught.value).startswith("set")
    first_hint = str(caught.value).split("looks like ")[1].split(", or ")[0]
    assert str(right) in first_hint or (stored == "counts:100" and first_hint.endswith("celsius"))


@pytest.mark.parametrize("room", [-5.0, 5.0, 15.0, 33.0])
@pytest.mark.parametrize("stored", ["counts:10", "counts:64", "kelvin", "fahrenheit"])
def test_rooms_of_every_season_are_told_from_other_units(room, stored):
    celsius = scene(room, 34.5)
    check_plausible([("a", celsius)], Scale("celsius"))
    scale = parse_scale(stored)
    numbers = (celsius + 273.15) * scale.per_kelvin if scale.name == "counts" else celsius
    numbers = {"kelvin": celsius + 273.15, "fahrenheit": celsius * 1.8 + 32}.get(stored, np.rint(numbers))
    numbers = numbers.astype(np.uint16 if scale.name == "counts" else np.float32)
    check_plausible([("a", numbers)], scale)
    with pytest.raises(ScaleError):
        check_plausible([("a", numbers)], Scale("celsius"))


def test_grey_values_are_told():
    ramp = np.rint(np.linspace(0, 65535, 48 * 48)).reshape(48, 48).astype(np.uint16)
    two = np.where(scene() > 30, 65535, 0).astype(np.uint16)
    for raw in (ramp, two, np.uint8([[0, 99], [200, 255]]), np.float32([[0.0, 0.4], [0.5, 1.0]])):
        assert likely_scales(raw)[0] == Scale("relative")
        with pytest.raises(ScaleError, match="grey values"):
            check_plausible([("a", raw)], Scale("celsius"))
        check_plausible([("a", raw)], Scale("relative"))


def test_floats_stretched_over_0_to_1_are_no_temperatures_even_of_an_empty_frame():
    unit = (scene() - 22) / 12
    for stored in (unit, unit.astype(np.float16), np.insert(unit, 0, np.nan, axis=0)):
        with pytest.raises(ScaleError, match=r"floats from 0 to 1.*declare values: relative"):
            check_plausible([("a", stored)], Scale("celsius"), people=False)
    # A shutter near 0 °C, and a wall of half a kelvin.
    for frame in (np.zeros((8, 8)), np.linspace(0.2, 0.7, 64)):
        check_plausible([("a", frame)], Scale("celsius"), people=False)


def test_thousandths_are_told():
    assert (
        str(likely_scales(np.rint(scene() * 1000).astype(np.int32))[0])
        == "{counts: {per_kelvin: 1000, offset: 273.15}}"
    )


def test_a_message_never_speaks_of_nan():
    for raw in (np.zeros((4, 4), np.uint16), np.full((4, 4), np.nan, np.float32), np.empty((0, 4), np.float32)):
        with pytest.raises(ScaleError, match="none of its pixels has a temperature") as caught:
            check_plausible([("a.png", raw)], Scale("celsius"), people=False)
        assert "nan" not in str(caught.value)


def test_raw_counts_without_a_known_scale_are_refused_with_what_to_do():
    with pytest.raises(ScaleError, match="no known scale fits: declare counts with the camera's own per_kelvin"):
        check_plausible([("a", np.rint(7000 + scene() * 40).astype(np.uint16))], Scale("celsius"))


def test_an_empty_frame_passes_as_a_frame_and_not_as_a_set_of_people():
    winter = [(name, scene(-12.0, -9.0)) for name in "abc"]
    check_plausible(winter, Scale("celsius"), people=False)
    with pytest.raises(ScaleError, match="set: as celsius"):
        check_plausible(winter, Scale("celsius"), "set")
    check_plausible([*winter, *((name, scene()) for name in "defg")], Scale("celsius"), "set")


def test_one_image_of_another_unit_is_named():
    with pytest.raises(ScaleError, match=r"set: b\.png: .*Kelvin"):
        check_plausible([("a.png", scene()), ("b.png", KELVIN)], Scale("celsius"), "set")


def test_byte_orders_are_one():
    big = STORED["counts:100"].astype(">u2")
    np.testing.assert_allclose(Scale("celsius").convert(big), scene(), atol=0.006)


@pytest.mark.parametrize(
    "declared",
    [
        "Celsius",
        "counts",
        "counts:",
        "counts:x",
        "counts:0",
        "counts:-10",
        "counts:inf",
        "counts:1:2:3",
        {"counts": None},
        {"counts": {}},
        {"counts": {"offset": 1}},
        {"counts": {"per_kelvin": 10, "offsets": 1}},
        {"counts": {"per_kelvin": "ten"}},
        {"counts": {"per_kelvin": 10}, "kelvin": 1},
        {"kelvin": {"per_kelvin": 10}},
        None,
        3,
    ],
)
def test_a_declaration_that_is_none_is_refused(declared):
    with pytest.raises(ValueError, match="thermal values must be one of celsius, kelvin, fahrenheit, relative"):
        parse_scale(declared)


def test_declarations_in_a_config_and_in_messages_are_the_same():
    scale = parse_scale({"counts": {"per_kelvin": 10, "offset": 273.15}})
    assert scale == parse_scale("counts:10:273.15") == parse_scale(scale)
    assert str(scale) == "{counts: {per_kelvin: 10, offset: 273.15}}"
    assert parse_scale({"counts": {"per_kelvin": 64}}).offset == 0
    assert [parse_scale(name).meaning for name in ("celsius", "kelvin", "counts:10", "relative")] == [
        "celsius",
        "celsius",
        "celsius",
        "relative",
    ]


def test_a_sample_is_spread_over_the_set():
    assert spread_evenly(range(5)) == [0, 1, 2, 3, 4]
    assert spread_evenly(range(101), 3) == [0, 50, 100]
    assert spread_evenly([]) == []
