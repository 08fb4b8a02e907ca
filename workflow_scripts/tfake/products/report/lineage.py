"""What a sealed and verified store says of itself, from the files beside it.

What was made from what, as a graph: boxes in layers, and the same in sentences.

The lineage of the products: source, what thermalizers learned from, thermalizers, stores, with their identities.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from tfake.pages.charts import plural
from tfake.store.manifest import file_sha256
from tfake.thermal_io.scales import parse_scale

SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class SealedStore:
    """A folder that holds one store, its ``summary.json``, ``verified.json`` and ``SHA256SUMS``."""

    folder: str
    name: str  # of the store inside
    rows: int
    shards: int
    span: tuple[int, int]  # first row and the row behind the last; a variant of a slice has not all
    counts: dict[str, int]  # rows by status
    statistics: dict[str, dict[str, float]]  # by class: pixels, mean (°C), sd (K)
    verified_files: int
    verified_bytes: int
    identity: str  # SHA-256 of SHA256SUMS: the same identity, the same bytes

    @property
    def path(self) -> str:
        """The store inside the folder."""
        return os.path.join(self.folder, self.name)

    @property
    def sums(self) -> str:
        """The store's checksum list."""
        return os.path.join(self.folder, SUMS)


def read_store(folder: str | Path) -> SealedStore:
    """Read what sealing and verifying left behind.

    Args:
        folder: the folder that holds the store.

    Raises:
        FileNotFoundError: the store was not sealed, or not verified.
    """
    folder = Path(folder)
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    verified = json.loads((folder / "verified.json").read_text())
    return SealedStore(
        folder=str(folder),
        name=summary["store"],
        rows=summary["rows"],
        shards=len(summary["shards"]),
        span=(summary["shards"][0]["rows"][0], summary["shards"][-1]["rows"][1]),
        counts=summary["counts"],
        statistics=summary["statistics"],
        verified_files=verified["files"],
        verified_bytes=verified["bytes"],
        identity=file_sha256(folder / SUMS),
    )


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
    """The way that a node's edges take past the boxes of a layer."""

    node: str
    layer: int


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
        An ``<svg>`` element in the page's colours. What is made from a node by way of another has no edge of its own,
        and an edge that passes a layer does so between its boxes.
    """
    edges = list(_needed_edges(nodes))
    columns = _columns(layers_of(nodes), edges)
    height = max(_height(column) for column in columns) + 4
    width = len(columns) * (_WIDTH + _ACROSS) - _ACROSS + 4
    places = {}
    for number, column in enumerate(columns):
        y = (height - _height(column)) / 2
        for item in column:
            places[item] = (2 + number * (_WIDTH + _ACROSS), y)
            y += _item_height(item) + _DOWN
    layer = {item: number for number, column in enumerate(columns) for item in column}
    drawn = []
    for parent, node in edges:
        lanes = [_Lane(parent, number) for number in range(layer[parent] + 1, layer[node.key])]
        drawn.append(_edge([(item, *places[item]) for item in (parent, *lanes, node.key)]))
    boxes = [_box(node, *places[node.key]) for node in nodes]
    return (
        f'<svg class="lineage" viewBox="0 0 {width} {height:g}" width="{width}" aria-hidden="true" focusable="false">'
        f"{''.join(drawn)}{''.join(boxes)}</svg>"
    )


def _columns(layers: Sequence[Sequence[Node]], edges: Sequence[tuple[str, Node]]) -> list[list[str | _Lane]]:
    """What lies in each layer from top to bottom: keys of nodes, and lanes for the edges that pass the layer."""
    layer = {node.key: number for number, column in enumerate(layers) for node in column}
    columns: list[list[str | _Lane]] = [[node.key for node in column] for column in layers]
    behind: dict[str | _Lane, set[str | _Lane]] = {}
    for parent, node in edges:
        # Edges of one parent share a lane and part behind it.
        way = [parent, *(_Lane(parent, number) for number in range(layer[parent] + 1, layer[node.key])), node.key]
        for lane in way[1:-1]:
            if lane not in columns[lane.layer]:
                columns[lane.layer].append(lane)
        for first, second in pairwise(way):
            behind.setdefault(second, set()).add(first)
    for before, column in pairwise(columns):
        # Each beside what it comes from, so that few edges cross.
        place = {item: number / len(before) for number, item in enumerate(before)}
        column.sort(key=lambda item: sum(place[other] for other in behind[item]) / len(behind[item]))
    return columns


def _item_height(item: str | _Lane) -> float:
    return _LANE if isinstance(item, _Lane) else _HEIGHT


def _height(column: Sequence[str | _Lane]) -> float:
    return sum(_item_height(item) + _DOWN for item in column) - _DOWN


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
        parents = (f"thermalizer {settings['condition']}", _SOURCE) if "condition" in settings else ()
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
