"""The report's lineage graph, and its temperatures' distributions."""

import re
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfake.core.classes import FaceClass
from tfake.pages.charts import stand_alone
from tfake.products.report.lineage import Node, describe_lineage, draw_lineage, gather_lineage, layers_of
from tfake.products.report.temperatures import measure_distributions, measured_by_charlotte

CONFIG = {
    "source": {"archive": ["/data/part.001", "/data/part.002"]},
    "conditions": {
        "warm": {
            "pairs": {"path": "sejong.zip", "values": "relative"},
            "bank": {"path": "lwir/", "values": "relative"},
        },
        "cold": {"pairs": {"path": None, "values": "celsius"}, "bank": {"path": None, "values": "celsius"}},
        "theirs": {},
    },
    "thermalizers": {"theirs": {"weights": "released.pt"}},
    "variants": {
        "warm": {"condition": "warm"},
        "cold": {"condition": "cold"},
        "theirs": {"condition": "theirs"},
        "small": {"of": "warm"},
    },
}


def store(name):
    return SimpleNamespace(name="faces.zarr", rows=1200, identity=name * 16)


@pytest.fixture
def nodes():
    variants = {name: store(name) for name in CONFIG["variants"]}
    weights = {name: name * 16 for name in ("warm", "cold", "theirs")}
    return gather_lineage(CONFIG, CONFIG["source"]["archive"], "ab" * 32, store("faces"), variants, weights)


def test_each_product_comes_from_what_made_it(nodes):
    made_from = {node.key: set(node.made_from) for node in nodes}
    assert made_from["thermalizer warm"] == {"source", "pairs sejong.zip", "bank lwir/"}
    assert made_from["thermalizer cold"] == {"source", "lab cold"}
    assert made_from["thermalizer theirs"] == set()
    assert made_from["variant warm"] == {"thermalizer warm", "source"}
    assert made_from["variant small"] == {"variant warm", "faces"}


def test_a_node_is_behind_all_that_it_was_made_from(nodes):
    layers = layers_of(nodes)
    layer = {key: number for number, column in enumerate(layers) for key in column}
    assert all(layer[parent] < layer[node.key] for node in nodes for parent in node.made_from)
    assert layers[-1] == ["variant small"]


def test_the_drawing_holds_every_node_and_no_edge_that_another_way_says(nodes):
    drawn = draw_lineage(nodes)
    ElementTree.fromstring(stand_alone(drawn))
    assert drawn.count("<rect") == len(nodes)
    # The source and what warm learned from, cold likewise, each variant's thermalizer, the source of "theirs", labels.
    assert drawn.count("<path") == 3 + 2 + 3 + 1 + 1 + 2
    assert "part.001 + part.002" in drawn
    assert "var(--" not in stand_alone(drawn)


def _along(path):
    """Points on a path of moves, cubic curves and level lines: (n, 2)."""
    here, points = None, []
    for command, numbers in re.findall(r"([MCH])([^MCH]*)", path):
        values = np.array(numbers.split(), float)
        if command == "M":
            here = values
        elif command == "H":
            there = np.array([values[0], here[1]])
            points.append(here + np.linspace(0, 1, 50)[:, None] * (there - here))
            here = there
        else:
            a, b, c = values.reshape(3, 2)
            t = np.linspace(0, 1, 50)[:, None]
            points.append((1 - t) ** 3 * here + 3 * (1 - t) ** 2 * t * a + 3 * (1 - t) * t**2 * b + t**3 * c)
            here = c
    return np.concatenate(points)


@st.composite
def graphs(draw):
    """Nodes, each made from some of those before it."""
    count = draw(st.integers(1, 12))
    parents = [draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set() for number in range(count)]
    return [Node(str(number), "kind", "title", "", tuple(map(str, made))) for number, made in enumerate(parents)]


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_no_edge_runs_behind_a_box(nodes):
    drawn = ElementTree.fromstring(stand_alone(draw_lineage(nodes)))
    tags = {tag: [element.attrib for element in drawn.iter() if element.tag.endswith(tag)] for tag in ("rect", "path")}
    boxes = np.array([[float(box[name]) for name in ("x", "y", "width", "height")] for box in tags["rect"]])
    assert len(boxes) == len(nodes)
    for path in tags["path"]:
        for x, y in _along(path["d"]):
            inside = (boxes[:, 0] < x - 0.01) & (x + 0.01 < boxes[:, 0] + boxes[:, 2])
            inside &= (boxes[:, 1] < y - 0.01) & (y + 0.01 < boxes[:, 1] + boxes[:, 3])
            assert not inside.any()
    # Nor does one box lie on another, or outside the drawing.
    for number, (x, y, width, height) in enumerate(boxes):
        others = np.delete(boxes, number, axis=0)
        apart = (others[:, 0] >= x + width) | (others[:, 0] + others[:, 2] <= x)
        apart |= (others[:, 1] >= y + height) | (others[:, 1] + others[:, 3] <= y)
        assert apart.all()
        assert 0 <= x <= x + width <= float(drawn.get("viewBox").split()[2])
        assert 0 <= y <= y + height <= float(drawn.get("viewBox").split()[3])


def test_names_cannot_break_the_drawing():
    drawn = draw_lineage([Node("a", "variant", "<b>&", "")])
    assert "<b>&" in [element.text for element in ElementTree.fromstring(stand_alone(drawn)).iter()]


def test_the_words_say_the_same(nodes):
    words = describe_lineage(nodes)
    assert (
        "thermalizer cold (coldcoldcold), from source part.001 + part.002 and procedural pairs lab set, cold" in words
    )


@pytest.mark.parametrize("made_from", [("b",), ("gone",)])
def test_a_circle_or_a_gap_is_refused(made_from):
    with pytest.raises(ValueError, match="cannot be"):
        layers_of([Node("a", "", "", "", made_from), Node("b", "", "", "", ("a",))])


def variant(celsius, classes):
    celsius, classes = np.asarray(celsius, np.float32), np.asarray(classes, np.uint8)
    return SimpleNamespace(name="x", segmentation=classes, values=lambda row: celsius[row])


def test_a_distribution_is_of_its_class_alone():
    celsius = np.full((2, 10, 10), 20.0)
    celsius[0, :5] = np.linspace(30.0, 35.0, 50).reshape(5, 10)
    celsius[1, 0, 0] = np.nan
    classes = np.zeros((2, 10, 10))
    classes[0, :5] = FaceClass.SKIN
    classes[1, 9, 9] = FaceClass.IGNORE
    found = measure_distributions(variant(celsius, classes), [0, 1])
    assert list(found) == [FaceClass.BACKGROUND, FaceClass.SKIN]
    assert (found[FaceClass.BACKGROUND].faces, found[FaceClass.SKIN].faces) == (2, 1)
    for entry in found.values():
        assert entry.fractions.sum() == pytest.approx(1)
        assert len(entry.edges) == len(entry.fractions) + 1
    skin = found[FaceClass.SKIN]
    np.testing.assert_allclose((skin.low, skin.median, skin.high), (30.25, 32.5, 34.75), atol=0.11)
    assert found[FaceClass.BACKGROUND].median == pytest.approx(20.0, abs=0.051)


def test_charlotte_speaks_of_the_rooms_it_was_recorded_in():
    assert measured_by_charlotte(5.0) == measured_by_charlotte(35.0) == {}
    found = measured_by_charlotte(20.0)
    # Its published lines, T = a * ambient + b.
    assert found[FaceClass.NOSE].mean == pytest.approx(0.788 * 20 + 14.20, abs=0.01)
    assert found[FaceClass.TOP_LIP].mean == pytest.approx(0.370 * 20 + 25.64, abs=0.01)
    assert found[FaceClass.NOSE].sd == pytest.approx(1.41)
    assert FaceClass.HAIR not in found
