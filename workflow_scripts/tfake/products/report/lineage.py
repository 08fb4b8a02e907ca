"""The lineage of a run's products: what each was made from, as a drawing in layers and in sentences.

networkx sorts the graph into layers and takes its redundant edges away. Where boxes of text lie, and how edges pass
between them, is decided here: the layouts of networkx know points alone, and Graphviz is a program of its own.
"""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from typing import Any, NamedTuple

import networkx as nx

from tfake.pages.wording import plural
from tfake.products.report.run_facts import SealedStore
from tfake.thermal_io.scales import parse_scale

_WIDTH, _HEIGHT, _ACROSS, _DOWN, _LANE = 212, 62, 62, 18, 4
_LINE = 17
# Styles, not classes: the drawing is also a file of its own (tfake.pages.charts.stand_alone).
_NODE = "fill: var(--raised); stroke: var(--muted)"
_EDGE = "fill: none; stroke: var(--muted); stroke-width: 1.3"
_KIND = "fill: var(--muted); font-size: 12px"
_TITLE = "fill: currentColor; font-size: 14px; font-weight: 650"
_NOTE = "fill: var(--muted); font-size: 12px; font-family: ui-monospace, Consolas, monospace"


@dataclass(frozen=True)
class Node:
    """One thing that was read or made."""

    key: str
    kind: str  # what it is, in a word or two
    title: str
    note: str  # its identity, or what else is known of it
    made_from: tuple[str, ...] = ()


class _Lane(NamedTuple):
    """Where the edges of a node pass the boxes of a layer."""

    node: str
    layer: int


def layers_of(nodes: Sequence[Node]) -> list[list[str]]:
    """Put every node behind all that it was made from.

    Args:
        nodes: in any order.

    Returns:
        The keys of each layer, from the first layer to the last, in the order given.

    Raises:
        ValueError: a node was made from one that is not there, or from itself by way of others.
    """
    generations = list(map(set, nx.topological_generations(_graph_of(nodes))))
    return [[node.key for node in nodes if node.key in layer] for layer in generations]


def draw_lineage(nodes: Sequence[Node]) -> str:
    """Draw the graph from left to right.

    Args:
        nodes: at least one.

    Returns:
        An ``<svg>`` element in the page's colours. What is made from a node by way of another has no edge of its own,
        and an edge that passes a layer does so between its boxes.
    """
    columns: list[list[str | _Lane]] = [list(layer) for layer in layers_of(nodes)]
    layer = {key: number for number, column in enumerate(columns) for key in column}
    needed = nx.transitive_reduction(_graph_of(nodes))
    # Edges of one node share a lane and part behind it.
    ways = [
        [parent, *(_Lane(parent, number) for number in range(layer[parent] + 1, layer[node.key])), node.key]
        for node in nodes
        for parent in node.made_from
        if needed.has_edge(parent, node.key)
    ]
    _arrange(columns, ways)
    height = max(map(_column_height, columns)) + 4
    width = len(columns) * (_WIDTH + _ACROSS) - _ACROSS + 4
    places: dict[str | _Lane, tuple[int, float]] = {}
    for number, column in enumerate(columns):
        y = (height - _column_height(column)) / 2
        for item in column:
            places[item] = (2 + number * (_WIDTH + _ACROSS), y)
            y += _item_height(item) + _DOWN
    edges = [_edge([(item, *places[item]) for item in way]) for way in ways]  # type: ignore[index]
    boxes = [_box(node, *places[node.key]) for node in nodes]
    return (
        f'<svg class="lineage" viewBox="0 0 {width} {height:g}" width="{width}" aria-hidden="true" focusable="false">'
        f"{''.join(edges)}{''.join(boxes)}</svg>"
    )


def describe_lineage(nodes: Sequence[Node]) -> list[str]:
    """The same in words, a sentence per node."""
    names = {node.key: f"{node.kind} {node.title}" for node in nodes}
    sentences = []
    for node in nodes:
        *others, last = [names[key] for key in node.made_from] or [""]
        parents = f"{', '.join(others)} and {last}" if others else last
        sentences.append(f"{names[node.key]} ({node.note})" + (f", from {parents}" if parents else ""))
    return sentences


def _graph_of(nodes: Sequence[Node]) -> nx.DiGraph:
    graph = nx.DiGraph([(parent, node.key) for node in nodes for parent in node.made_from])
    absent = graph.nodes - {node.key for node in nodes}
    if absent:
        raise ValueError(f"lineage: what is made from {', '.join(sorted(absent))} cannot be: that is not there")
    graph.add_nodes_from(node.key for node in nodes)
    if not nx.is_directed_acyclic_graph(graph):
        circle = [made for _, made in nx.find_cycle(graph)]
        raise ValueError(f"lineage: {' from '.join(circle[::-1])} cannot be: each would be made from itself")
    return graph


def _arrange(columns: list[list[str | _Lane]], ways: Sequence[Sequence[str | _Lane]]) -> None:
    """Add the lanes to the columns, and put each item beside what it comes from, so that few edges cross."""
    sources: dict[str | _Lane, set[str | _Lane]] = defaultdict(set)
    for way in ways:
        for lane in way[1:-1]:
            if lane not in columns[lane.layer]:
                columns[lane.layer].append(lane)
        for first, second in pairwise(way):
            sources[second].add(first)
    for before, column in pairwise(columns):
        place = {item: number / len(before) for number, item in enumerate(before)}
        column.sort(key=lambda item: sum(place[source] for source in sources[item]) / len(sources[item]))


def _item_height(item: str | _Lane) -> float:
    return _LANE if isinstance(item, _Lane) else _HEIGHT


def _column_height(column: Sequence[str | _Lane]) -> float:
    return sum(_item_height(item) + _DOWN for item in column) - _DOWN


def _edge(way: Sequence[tuple[str | _Lane, float, float]]) -> str:
    """A line through the items of a way, each with its upper left corner: level in a lane, bent between layers."""
    drawn = ""
    for (item, x0, y0), (following, x1, y1) in pairwise(way):
        start, end = x0 + _WIDTH, x1
        leaves, arrives = y0 + _item_height(item) / 2, y1 + _item_height(following) / 2
        bend = (start + end) / 2
        drawn += f"{'H' if drawn else 'M'}{start:g}" + ("" if drawn else f" {leaves:g}")
        drawn += f"C{bend:g} {leaves:g} {bend:g} {arrives:g} {end:g} {arrives:g}"
    return f'<path style="{_EDGE}" d="{drawn}"/>'


def _box(node: Node, x: float, y: float) -> str:
    lines = [(_KIND, node.kind), (_TITLE, node.title), (_NOTE, node.note)]
    texts = "".join(
        f'<text style="{style}" x="{x + 10:g}" y="{y + 4 + (number + 1) * _LINE:g}">{escape(_fit(text))}</text>'
        for number, (style, text) in enumerate(lines)
    )
    return f'<rect style="{_NODE}" x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="7"/>{texts}'


def _fit(text: str, longest: int = 30) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


_SOURCE, _FACES = "source", "faces"


def gather_lineage(
    config: Mapping[str, Any],
    archive: Sequence[str],
    source_sha256: str,
    faces: SealedStore,
    variants: Mapping[str, SealedStore],
    weights: Mapping[str, str],
) -> list[Node]:
    """Say what each product of a run was made from.

    Args:
        config: the effective configuration.
        archive: the source archive's files.
        source_sha256: the identity of its samples.
        faces: the faces store.
        variants: variant to its thermal store.
        weights: condition to the SHA-256 of its thermalizer's weights.

    Returns:
        The nodes. A condition that no variant uses is left out, and so is a thermalizer of unknown weights.
    """
    procedural = config["source"]["archive"] is None
    name = "procedural faces" if procedural else " + ".join(os.path.basename(path) for path in archive)
    nodes = [
        Node(_SOURCE, "source", name, f"{plural(faces.rows, 'image')}, {_short(source_sha256)}"),
        Node(_FACES, "labels", faces.name, _short(faces.identity), (_SOURCE,)),
    ]
    for condition in weights:
        nodes += _thermalizer(condition, config, weights[condition])
    for variant, store in variants.items():
        settings = config["variants"][variant]
        parents = (f"thermalizer {settings['condition']}", _SOURCE) if "condition" in settings else (_FACES,)
        if base := settings.get("of"):
            parents = (f"variant {base}", _FACES)
        elif path := settings.get("files"):
            nodes.append(
                Node(f"files {path}", "published images", os.path.basename(path.rstrip("/")), settings["license"])
            )
            parents = (f"files {path}", _FACES)
        nodes.append(Node(f"variant {variant}", "variant", variant, _short(store.identity), parents))
    return list({node.key: node for node in nodes}.values())


def _thermalizer(condition: str, config: Mapping[str, Any], sha256: str) -> Iterator[Node]:
    key, note = f"thermalizer {condition}", _short(sha256)
    if condition in config.get("thermalizers", {}):
        yield Node(key, "imported thermalizer", condition, note)
        return
    settings, parents = config["conditions"][condition], []
    for role, words in (("pairs", "pairs"), ("bank", "thermal images")):
        path = settings[role]["path"]
        if path:
            scale = str(parse_scale(settings[role]["values"]))
            yield Node(f"{role} {path}", words, os.path.basename(str(path).rstrip("/")), scale)
            parents.append(f"{role} {path}")
        elif role == "pairs":
            yield Node(f"lab {condition}", "procedural pairs", f"lab set, {condition}", "rendered")
            parents.append(f"lab {condition}")
    yield Node(key, "thermalizer", condition, note, (_SOURCE, *parents))


def _short(sha256: str) -> str:
    return sha256[:12]
