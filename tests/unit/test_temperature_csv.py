"""Tables of temperatures as programs write them: encodings, delimiters, decimal signs, headers, units, numbering."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_files import CELSIUS, table
from tfake.thermal_io import ThermalFileError, iterate_thermal, read_thermal


def read(text, encoding="utf-8"):
    return read_thermal(text.encode(encoding), name="a.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"])
@pytest.mark.parametrize(
    ("delimiter", "decimal"), [(";", ","), (";", "."), ("\t", ","), ("\t", "."), (",", "."), (" ", ","), ("  ", ".")]
)
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_what_programs_write(encoding, delimiter, decimal, end):
    header = f"File:{delimiter}IR_0042.jpg{end}Temperature [°C]{end}{end}"
    image = read(table(CELSIUS, delimiter, decimal, header, end), encoding)
    np.testing.assert_allclose(image.values, CELSIUS, atol=0.0051)
    assert (image.meaning, image.assumed) == ("celsius", ())


@pytest.mark.parametrize(
    ("header", "numbers"),
    [
        ("Unit;°F\n", CELSIUS * 1.8 + 32),
        ("Temperature (Fahrenheit)\n", CELSIUS * 1.8 + 32),
        ("Temperature (K)\n", CELSIUS + 273.15),
        ("Kelvin\n", CELSIUS + 273.15),
        ("Temperatur in °C;;;\n", CELSIUS),
    ],
)
def test_the_header_s_unit_counts(header, numbers):
    np.testing.assert_allclose(read(table(numbers, header=header)).values, CELSIUS, atol=0.0051)


def test_units_may_stand_in_the_cells():
    text = "\n".join(";".join(f"{value * 1.8 + 32:.2f}°F" for value in row) for row in CELSIUS)
    np.testing.assert_allclose(read(text).values, CELSIUS, atol=0.0051)
    with pytest.raises(ThermalFileError, match="several units"):
        read(text.replace("°F", "°C", 1))


def test_without_a_unit_it_is_celsius_and_said_so():
    image = read(table(CELSIUS))
    assert "no unit" in image.assumed[0]
    np.testing.assert_allclose(image.values, CELSIUS, atol=0.0051)


def test_row_and_column_numbers_are_no_temperatures():
    rows = [f"{number};" + line for number, line in enumerate(table(CELSIUS).splitlines())]
    top = ";" + ";".join(map(str, range(CELSIUS.shape[1])))
    for text in ("\n".join([top, *rows]), "\n".join(rows), "\n".join([top[1:], *table(CELSIUS).splitlines()])):
        np.testing.assert_allclose(read(text).values, CELSIUS, atol=0.0051)


def test_quoted_cells_trailing_delimiters_and_gaps():
    lines = [",".join(f'"{value:.2f}",'.replace(".", ",")[:-1] for value in row) + "," for row in CELSIUS]
    np.testing.assert_allclose(read("\n".join(lines)).values, CELSIUS, atol=0.0051)
    gap = table(CELSIUS).replace("22,00", "---", 1)
    assert np.isnan(read(gap).values).sum() == 1


def test_several_frames_below_each_other():
    text = "".join(table(CELSIUS + number, header=f"Frame {number};\n") for number in range(3))
    images = list(iterate_thermal(text.encode(), name="a.csv"))
    np.testing.assert_allclose([image.values.mean() - CELSIUS.mean() for image in images], [0, 1, 2], atol=0.001)
    double_ends = table(CELSIUS, end="\r\r\n")
    np.testing.assert_allclose(read(double_ends).values, CELSIUS, atol=0.0051)


def test_a_table_of_measurements_beside_the_image_is_no_image():
    text = "Spot;Temp\nSp1;36,5\nSp2;35,1\n\n" + table(CELSIUS)
    np.testing.assert_allclose(read(text).values, CELSIUS, atol=0.0051)


def test_commas_of_both_kinds_are_refused():
    text = "\n".join(",".join(f"{value:.1f}".replace(".", ",") for value in row) for row in CELSIUS)
    with pytest.raises(ThermalFileError, match="commas stand between its numbers"):
        read(text)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    height=st.integers(4, 9),
    width=st.integers(4, 9),
    delimiter=st.sampled_from((";", "\t", ",")),
    decimal=st.sampled_from(",."),
    lines=st.lists(st.sampled_from(("", "Emissivity;0,98", "Date 2024-01-02", '"a;b"', "T max\t36.5 °C")), max_size=4),
    seed=st.integers(0, 9),
)
def test_any_table_comes_back(height, width, delimiter, decimal, lines, seed):
    numbers = np.random.default_rng(seed).uniform(15, 38, (height, width))
    if delimiter == decimal:
        decimal = "."
    header = "".join(f"{line}\n" for line in lines)
    np.testing.assert_allclose(read(table(numbers, delimiter, decimal, header)).values, numbers, atol=0.0051)
