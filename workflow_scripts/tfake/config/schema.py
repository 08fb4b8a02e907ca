"""The JSON schema of the configuration, made from the models: to publish, and to ask what a key may hold."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from tfake.config.configuration import Configuration
from tfake.config.faults import Path
from tfake.config.keys import Section

Node = Mapping[str, Any]


class _Generator(GenerateJsonSchema):
    """Without titles, and with ``propertyNames`` where users choose the names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def dict_schema(self, schema: Any) -> dict[str, Any]:
        made = super().dict_schema(schema)
        for pattern, values in made.pop("patternProperties", {}).items():
            made |= {"propertyNames": {"type": "string", "pattern": pattern}, "additionalProperties": values}
        return made


@cache
def json_schema(model: type[Section] = Configuration) -> Node:
    """The JSON schema of a section, without references.

    Args:
        model: the section.
    """
    root = model.model_json_schema(schema_generator=_Generator)
    definitions = root.pop("$defs", {})
    return _inline(root, definitions)


def _inline(node: Any, definitions: Node) -> Any:
    """A node with its references followed; what stands beside a reference counts before it."""
    if isinstance(node, list):
        return [_inline(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    target = definitions[node["$ref"].rpartition("/")[2]] if "$ref" in node else {}
    kept = {key: value for key, value in {**target, **node}.items() if key != "$ref" and key != "title"}
    return {key: _inline(value, definitions) for key, value in kept.items()}


def alternatives(node: Node) -> list[Node]:
    """What a node offers to choose from, null first; itself where it offers nothing."""
    if "anyOf" not in node or "properties" in node:
        return [node]
    offered = [inner for part in node["anyOf"] for inner in alternatives(part)]
    return sorted(offered, key=lambda part: part.get("type") != "null")


def kinds(node: Node) -> set[str]:
    """JSON types that a value may have where a node is."""
    return {part["type"] for part in alternatives(node)}


def child(node: Node, key: str | int) -> Node | None:
    """The node below a key of a mapping, or below a position of a list; None where nothing is known of it."""
    for part in alternatives(node):
        inner = part.get("properties", {}).get(key, part.get("additionalProperties"))
        inner = part.get("items") if isinstance(key, int) else inner
        if isinstance(inner, Mapping):
            return inner
    return None


def node_at(path: Path) -> Node | None:
    """The node of a place in the configuration; None where nothing is known of it."""
    node: Node | None = json_schema()
    for part in path:
        node = None if node is None else child(node, part)
    return node


def is_named(node: Node, key: str) -> bool:
    """Whether a key of a mapping is a name that users choose, and no key of the schema's own."""
    return key not in node.get("properties", {}) and isinstance(node.get("additionalProperties"), Mapping)


def walk(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    """All keys below a node, each with its place and its node; a name that users choose is ``NAME``."""
    for part in alternatives(node):
        inner = dict(part.get("properties", {}))
        if is_named(part, "NAME"):
            inner["NAME"] = part["additionalProperties"]
        for key, value in inner.items():
            yield (*path, key), value
            yield from walk(value, (*path, key))
