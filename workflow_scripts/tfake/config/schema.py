"""The schema as something to ask: what is below a key, what a value may be, whether it may be this one."""

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator

from tfake.config.faults import Path

Node = Mapping[str, Any]


class Schema:
    """A JSON schema, with its references followed."""

    def __init__(self, root: Node) -> None:
        """Take a schema.

        Args:
            root: the schema, as YAML gives it; its references are within itself.
        """
        self.root = root
        self._validator = Draft202012Validator(root)

    def errors(self, config: Any) -> list:
        """Everything that jsonschema has against a config, in the order of its keys."""
        return sorted(
            self._validator.iter_errors(config), key=lambda error: [str(part) for part in error.absolute_path]
        )

    def accepts(self, node: Node, value: Any) -> bool:
        """Whether a value may be where a node is."""
        return self._validator.evolve(schema=node).is_valid(value)

    def resolve(self, node: Node) -> Node:
        """A node with its reference followed; what stands beside the reference counts before it."""
        if "$ref" not in node:
            return node
        target: Any = self.root
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return {**self.resolve(target), **{key: value for key, value in node.items() if key != "$ref"}}

    def alternatives(self, node: Node) -> list[Node]:
        """What a node offers to choose from, itself where it offers nothing."""
        node = self.resolve(node)
        offered = [part for key in ("oneOf", "anyOf") for part in node.get(key, ())]
        if not offered or "properties" in node:
            return [node]
        return [inner for part in offered for inner in self.alternatives(part)]

    def kinds(self, node: Node) -> set[str]:
        """JSON types that a value may have where a node is."""
        found: set[str] = set()
        for part in self.alternatives(node):
            kind = part.get("type", [])
            found |= {kind} if isinstance(kind, str) else set(kind)
        return found

    def child(self, node: Node, key: str | int) -> Node | None:
        """The node below a key of a mapping, or below a position of a list; None where nothing is known of it."""
        for part in self.alternatives(node):
            if isinstance(key, int):
                if "items" in part:
                    return self.resolve(part["items"])
                continue
            inner = part.get("properties", {}).get(key, part.get("additionalProperties"))
            if isinstance(inner, Mapping):
                return self.resolve(inner)
        return None

    def at(self, path: Path) -> Node | None:
        """The node of a place in the config; None where nothing is known of it."""
        node: Node | None = self.root
        for part in path:
            node = None if node is None else self.child(node, part)
        return node

    def is_named(self, node: Node, key: str) -> bool:
        """Whether a key of a mapping is a name that users choose, and no key of the schema's own."""
        node = self.resolve(node)
        return key not in node.get("properties", {}) and isinstance(node.get("additionalProperties"), Mapping)

    def places(self, node: Node | None = None, path: Path = ()) -> Iterator[Path]:
        """The places of all keys; a name that users choose is ``NAME``."""
        node = self.resolve(self.root if node is None else node)
        inner = dict(node.get("properties", {}))
        if isinstance(node.get("additionalProperties"), Mapping):
            inner["NAME"] = node["additionalProperties"]
        for key, child in inner.items():
            yield (*path, key)
            yield from self.places(child, (*path, key))
