"""The table of recipes: it tells when the code behind a rule became another one, and only then."""

import json
import subprocess

import pytest

import recipes

BASE = """
import logging
import numpy as np
from tfake.core.classes import SKIN

LIMIT = 3

def mean(values, weights=None):
    total = np.sum(values)
    return total / len(values)

class Reader:
    size: int = 1

    def read(self):
        return mean([SKIN, LIMIT])
"""
OTHER = """
def use(reader):
    return reader.read() + 1
"""


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setattr(recipes, "LIBRARY", tmp_path)

    def write(base=BASE, other=OTHER):
        recipes._parsed.cache_clear()
        (tmp_path / "a.py").write_text(base)
        (tmp_path / "b.py").write_text(other)
        return ["a.py", "b.py"]

    return write


def changed(library, *texts):
    """What is another definition in the files of these texts than in those of BASE and OTHER."""
    before = recipes.current(library())
    return recipes.find_changed(before, library(*texts))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    total = np", '    """Mean of some values."""\n    # Of all.\n    total = np'),
        ("total / len(values)", "(\n        total / len(values)\n    )"),
        ("total", "amount"),
        ("import numpy as np", "import numpy as num"),
        ("np.", "numpy."),
        ("(values, weights=None)", "(values: list[float], weights: list[float] | None = None) -> float"),
        ("LIMIT = 3", "LIMIT: int = 3\n__all__ = ['mean']"),
        ("    return total", "    logging.info('%d values', len(values))\n    return total"),
        ("from tfake.core.classes import SKIN", "from tfake.core.labels import SKIN"),
        ("from tfake.core.classes import SKIN", "from tfake.core.classes import SKIN as LARGEST"),
        ("LIMIT = 3", "LIMIT = 3\n\ndef nobody_uses_it():\n    return 7\n"),
        ("LIMIT = 3\n", "def later():\n    return LIMIT\n\nLIMIT = 3\n"),
    ],
)
def test_what_no_output_can_tell_is_no_change(library, old, new):
    text = BASE.replace(old, new)
    if old == "np.":
        text = text.replace("import numpy as np", "import numpy")
    if new == "import numpy as num":
        text = text.replace("np.", "num.")
    if new.endswith("LARGEST"):
        text = text.replace("[SKIN", "[LARGEST")
    assert text != BASE
    assert changed(library, text) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("LIMIT = 3", "LIMIT = 3.0", "LIMIT"),
        ("LIMIT = 3", "LIMIT = None", "LIMIT"),
        ("total /", "total -", "mean"),
        ("total / len(values)", "len(values) / total", "mean"),
        ("weights=None", "weights=0", "mean"),
        ("(values, weights=None)", "(weights, values=None)", "mean"),
        ("import numpy as np", "import jax.numpy as np", "mean"),
        ("size: int", "size: str", "Reader"),
        ("class Reader:", "class Reader(dict):", "Reader"),
        ("[SKIN, LIMIT]", "[LIMIT, SKIN]", "Reader.read"),
        ("        return mean", "        raise ValueError('no')\n        return mean", "Reader.read"),
    ],
)
def test_another_meaning_is_a_change(library, old, new, expected):
    assert changed(library, BASE.replace(old, new)) == [expected]


def test_a_definition_may_move_to_another_file(library):
    start, end = BASE.index("def mean"), BASE.index("class Reader")
    moved = BASE[:start] + "from tfake.b import mean\n\n" + BASE[end:]
    assert changed(library, moved, "import numpy\n" + BASE[start:end].replace("np.", "numpy.") + OTHER) == []


def test_a_definition_may_have_another_name(library):
    names = (("mean", "average"), ("Reader", "Source"), ("LIMIT", "BOUND"), ("read", "load"))
    base, other = BASE, OTHER
    for old, new in names:
        base, other = base.replace(old, new), other.replace(f".{old}(", f".{new}(")
    assert changed(library, base, other) == []
    # Another name and another body is another definition, which those who use it show.
    assert changed(library, base.replace("BOUND = 3", "BOUND = 4"), other) == ["use"]


def test_data_counts_by_every_byte(library, tmp_path):
    (tmp_path / "table.csv").write_text("1")
    before = recipes.current(["table.csv"])
    (tmp_path / "table.csv").write_text("2")
    assert recipes.find_changed(before, ["table.csv"]) == ["table.csv"]


def test_two_branches_that_change_different_definitions_agree_on_the_table(tmp_path):
    table = recipes.current(recipes.behind())
    first, second = sorted(table)[10:12]
    for name, changed in (("ours", first), ("base", None), ("theirs", second)):
        values = {entry: ["moved"] if entry == changed else hashes for entry, hashes in table.items()}
        (tmp_path / name).write_text(json.dumps(values, indent=1, sort_keys=True))
    merged = subprocess.run(
        ["git", "merge-file", "-p", "ours", "base", "theirs"], cwd=tmp_path, capture_output=True, check=True
    )
    assert [entry for entry, hashes in json.loads(merged.stdout).items() if hashes == ["moved"]] == [first, second]
