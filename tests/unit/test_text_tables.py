"""Tables and texts of any program: the same rows come out, and a bad line costs itself."""

import pytest

from tfake.core.text_tables import decode_text, parse_number, read_rows

ROWS = [("name", "x", "note"), ("Zoë", "21.5", "a b"), ("b", "-0.25", "")]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]


def table(delimiter=",", newline="\n", decimal=".", encoding="utf-8", end=True):
    lines = [delimiter.join(cell.replace(".", decimal) if cell[:1] in "-2" else cell for cell in row) for row in ROWS]
    return (newline.join(lines) + newline * end).encode(encoding)


def cells(data):
    return [row.cells for row in read_rows(data)]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("delimiter", "decimal"), [(",", "."), (";", "."), (";", ","), ("\t", ","), ("\t", ".")])
@pytest.mark.parametrize("end", [False, True])
def test_every_spelling_gives_the_same_rows(encoding, newline, delimiter, decimal, end):
    assert cells(table(delimiter, newline, decimal, encoding, end)) == ROWS


def test_utf_16_with_either_mark():
    for encoding, mark in (("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff")):
        assert cells(mark + table(encoding=encoding)) == ROWS


def test_an_open_quote_costs_its_line():
    rows = list(read_rows(b'a,b\n"1,2\n3,4\n"5","6,7"\n'))
    assert [row.cells for row in rows] == [("a", "b"), (), ("3", "4"), ("5", "6,7")]
    assert [bool(row.fault) for row in rows] == [False, True, False, False]
    assert "quote" in rows[1].fault
    assert [row.line for row in rows] == [1, 2, 3, 4]


def test_blank_rows_are_told():
    rows = list(read_rows(b"a,b,c\n,,,\n\n  ,\t,\n1,2,3\n"))
    assert [row.is_blank for row in rows] == [False, True, True, True, False]


def test_an_endless_cell_is_a_fault_of_its_line():
    rows = list(read_rows(b"a,b\n" + b"1" * 200_000 + b",2\n3,4\n"))
    assert rows[1].fault
    assert rows[2].cells == ("3", "4")


def test_bytes_of_no_encoding_are_text_all_the_same():
    assert decode_text(b"\x81\x8d\x8f")
    assert decode_text(b"") == ""
    assert decode_text(b"\xff\xfe\x00") is not None
    assert cells(b"") == [()] or cells(b"") == [("",)]


@pytest.mark.parametrize("text", ["", None, "x", "nan", "inf", "-inf", "1e999", "1_0", "1,5", "#DIV/0!", "--1"])
def test_what_is_no_finite_number_is_refused(text):
    with pytest.raises(ValueError, match="number"):
        parse_number(text)


def test_numbers():
    assert [parse_number(text) for text in ("1", "-2.5", "1e2", " 3 ", "+4.")] == [1, -2.5, 100, 3, 4]
