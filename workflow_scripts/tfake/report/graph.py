"""What was made from what, as a graph: boxes in layers, and the same in sentences."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT, _ACROSS, _DOWN = 212, 62, 62, 18
_LINE = 17
# Styles, not classes: the drawing is also a file of its own (tfake.report.drawing.stand_alone).
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


def layers_of(nodes: Sequence[Node]) -> list[list[Node]]:
    """Put every node behind all that it was made from.

    Args:
        nodes: in any order.

    Returns:
        The layers from first to last, each in the order given.

    Raises:
        ValueError: a node was made from one that is not there, or from itself by way of others.
    """
    known = {node.key: node for node in nodes}
    depth: dict[str, int] = {}

    def depth_of(key: str, behind: tuple[str, ...]) -> int:
        if key not in known or key in behind:
            raise ValueError(f"lineage: {' from '.join((*behind, key))} cannot be")
        if key not in depth:
            parents = [depth_of(parent, (*behind, key)) for parent in known[key].made_from]
            depth[key] = 1 + max(parents, default=-1)
        return depth[key]

    for node in nodes:
        depth_of(node.key, ())
    return [[node for node in nodes if depth[node.key] == layer] for layer in range(1 + max(depth.values()))]


def draw_lineage(nodes: Sequence[Node]) -> str:
    """Draw the graph from left to right.

    Args:
        nodes: at least one.

    Returns:
        An ``<svg>`` element in the page's colours. What is made from a node by way of another has no edge of its own.
    """
    layers = layers_of(nodes)
    tallest = max(len(layer) for layer in layers)
    height = tallest * (_HEIGHT + _DOWN) - _DOWN + 4
    width = len(layers) * (_WIDTH + _ACROSS) - _ACROSS + 4
    places = {}
    for column, layer in enumerate(layers):
        top = (height - len(layer) * (_HEIGHT + _DOWN) + _DOWN) / 2
        for line, node in enumerate(layer):
            places[node.key] = (2 + column * (_WIDTH + _ACROSS), top + line * (_HEIGHT + _DOWN))
    edges = [_edge(places[parent], places[node.key]) for parent, node in _needed_edges(nodes)]
    boxes = [_box(node, *places[node.key]) for node in nodes]
    return (
        f'<svg class="lineage" viewBox="0 0 {width} {height:g}" width="{width}" aria-hidden="true" focusable="false">'
        f"{''.join(edges)}{''.join(boxes)}</svg>"
    )


def describe_lineage(nodes: Sequence[Node]) -> list[str]:
    """The same in words, a sentence a node."""
    names = {node.key: f"{node.kind} {node.title}" for node in nodes}
    sentences = []
    for node in nodes:
        parents = [names[key] for key in node.made_from]
        sentences.append(f"{names[node.key]} ({node.note})" + (f", from {_listed(parents)}" if parents else ""))
    return sentences


def _needed_edges(nodes: Sequence[Node]) -> Iterator[tuple[str, Node]]:
    """The edges that no longer way says already."""
    known = {node.key: node for node in nodes}

    def ancestors(key: str) -> set[str]:
        return {key}.union(*(ancestors(parent) for parent in known[key].made_from))

    for node in nodes:
        for parent in node.made_from:
            others = [other for other in node.made_from if other != parent]
            if not any(parent in ancestors(other) for other in others):
                yield parent, node


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _edge(start: tuple[float, float], end: tuple[float, float]) -> str:
    x0, y0 = start[0] + _WIDTH, start[1] + _HEIGHT / 2
    x1, y1 = end[0], end[1] + _HEIGHT / 2
    middle = x0 + _ACROSS / 2
    bend = x1 - _ACROSS / 2
    return f'<path style="{_EDGE}" d="M{x0:g} {y0:g}C{middle:g} {y0:g} {bend:g} {y1:g} {x1:g} {y1:g}"/>'


def _box(node: Node, x: float, y: float) -> str:
    lines = [(_KIND, node.kind), (_TITLE, node.title), (_NOTE, node.note)]
    texts = "".join(
        f'<text style="{style}" x="{x + 10:g}" y="{y + 4 + (number + 1) * _LINE:g}">{escape(_fit(text))}</text>'
        for number, (style, text) in enumerate(lines)
    )
    return f'<rect style="{_NODE}" x="{x:g}" y="{y:g}" width="{_WIDTH}" height="{_HEIGHT}" rx="7"/>{texts}'


def _fit(text: str, longest: int = 30) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
