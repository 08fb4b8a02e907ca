"""What a schema has against a config, in a line a fault: the key, what it is, what it may be, the nearest known key."""

import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jsonschema import ValidationError

from tfake.config.faults import Fault, Path, dotted
from tfake.config.schema import Node, Schema

_NAME = "lower-case letters, digits and _, a letter first (names become folders, also where case does not count)"
_NAME_PATTERN = "^[a-z][a-z0-9_]*$"
# What Snakemake takes for a wildcard, wherever it stands.
_WILDCARD = re.compile(r"\{\s*\w+\s*[,}]")
_MOST_KEYS = 12


def find_unusual(value: Any, path: Path = ()) -> Iterator[Fault]:
    """What no schema can tell, because it speaks of JSON: keys that are no text, numbers that are none, wildcards.

    Args:
        value: a config, or a part of one.
        path: its place.
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                yield Fault((*path, str(key)), f"is a key that YAML reads as {_kind(key)}: write it in quotes")
            else:
                yield from _find_wildcard(key, (*path, key))
                yield from find_unusual(inner, (*path, key))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from find_unusual(inner, (*path, place))
    elif isinstance(value, float) and not math.isfinite(value):
        yield Fault(path, f"is {value}; expected a finite number")
    elif isinstance(value, str):
        yield from _find_wildcard(value, path)


def find_faults(config: Any, schema: Schema) -> list[Fault]:
    """Everything that a schema has against a config.

    Args:
        config: the merged config, all of its keys text.
        schema: the schema.

    Returns:
        The faults, in the order of their keys.
    """
    faults = [fault for error in schema.errors(config) for fault in _explain(error, schema)]
    return list(dict.fromkeys(faults))


def nearest(name: str, known: Sequence[str]) -> str:
    """A question for the known name that is most like another one; empty where none is."""
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def _explain(error: ValidationError, schema: Schema) -> Iterator[Fault]:
    path = tuple(error.absolute_path)
    node = schema.at(path) or error.schema
    if error.validator == "additionalProperties":
        for key in sorted(set(error.instance) - set(error.schema.get("properties", {}))):
            yield Fault((*path, key), f"is no key{_suggest(key, path, schema)}")
    elif error.validator == "required":
        yield Fault(path, f"lacks {_list(_missing(error.schema, error.instance))}")
    elif error.validator in ("oneOf", "anyOf") and (inner := _inside_mapping(error)):
        for fault in inner:
            yield from _explain(fault, schema)
    elif error.validator in ("oneOf", "anyOf") and all("required" in part for part in error.validator_value):
        kinds = "; or ".join(_list(part["required"]) for part in error.validator_value)
        yield Fault(path, f"has {_list(error.instance) or 'nothing'}; expected {kinds}")
    elif "propertyNames" in error.absolute_schema_path:
        known = error.schema.get("enum")
        close = known and nearest(error.instance, known)
        yield Fault((*path, error.instance), f"is no name{close or f'; expected {_expected(error.schema, schema)}'}")
    elif error.instance is None:
        yield Fault(path, f"is empty (null); expected {_expected(node, schema)}, or leave it out")
    else:
        kind = f" ({_kind(error.instance)})" if error.validator in ("type", "oneOf", "anyOf") else ""
        yield Fault(path, f"is {_show(error.instance)}{kind}; expected {_expected(node, schema)}{_meaning(node)}")


def _inside_mapping(error: ValidationError) -> list[ValidationError]:
    """Of a mapping where one alternative alone is a mapping: what is wrong inside it."""
    kinds = [part.get("type") for part in error.validator_value]
    if not isinstance(error.instance, Mapping) or kinds.count("object") != 1:
        return []
    return [fault for fault in error.context if fault.schema_path[0] == kinds.index("object")]


def _missing(node: Node, found: Mapping) -> list[str]:
    return [key for key in node["required"] if key not in found]


def _suggest(key: str, path: Path, schema: Schema) -> str:
    """The nearest key of the same block, or where else there is a key of that name, or what the block has."""
    known = sorted({name for part in schema.alternatives(schema.at(path) or {}) for name in part.get("properties", {})})
    close = nearest(key, known)
    if close:
        return close
    elsewhere = [dotted(place) for place in schema.places() if place[-1] == key]
    if elsewhere:
        return f" here; there is {' and '.join(elsewhere[:3])}"
    return f"; the keys here are {_list(known)}" if len(known) <= _MOST_KEYS else "; config/README.md has all keys"


def _expected(node: Node, schema: Schema) -> str:
    """What a value may be, in words."""
    words = [_describe(part, schema) for part in schema.alternatives(node)]
    return " or ".join(dict.fromkeys(words))


def _describe(node: Node, schema: Schema) -> str:
    if "enum" in node:
        return f"one of {_list(['null' if value is None else str(value) for value in node['enum']])}"
    if "const" in node:
        return str(node["const"])
    kinds = [node["type"]] if isinstance(node.get("type"), str) else node.get("type", [])
    return " or ".join(_describe_kind(kind, node, schema) for kind in kinds)


def _describe_kind(kind: str, node: Node, schema: Schema) -> str:
    if kind in ("integer", "number"):
        return ("an integer" if kind == "integer" else "a number") + _limits(node)
    if kind == "array":
        items = _expected(node["items"], schema) if "items" in node else "values"
        low, high = node.get("minItems", 0), node.get("maxItems")
        many = f"{low} values" if low == high else f"at least {low} values" if low else "values"
        return f"a list of {many}, each {items}" + (", none twice" if node.get("uniqueItems") else "")
    if kind == "object":
        return "a mapping" + (" with at least one entry" if node.get("minProperties") else "")
    if kind == "string" and "pattern" in node:
        return _NAME if node["pattern"] == _NAME_PATTERN else f"text of the form {node['pattern']}"
    return {"null": "null", "boolean": "true or false", "string": "text"}[kind]


def _limits(node: Node) -> str:
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "above",
        "maximum": "at most",
        "exclusiveMaximum": "below",
        "multipleOf": "a multiple of",
    }
    limits = [f"{word} {node[key]}" for key, word in words.items() if key in node]
    return "".join(f", {limit}" for limit in limits)


def _meaning(node: Node) -> str:
    return f": {node['description'].rstrip('.')}" if "description" in node else ""


def _show(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    named = {str: "text", int: "an integer", float: "a number", list: "a list", dict: "a mapping", type(None): "null"}
    return named.get(type(value), f"a {type(value).__name__}")


def _list(words: Any) -> str:
    return ", ".join(map(str, words))


def _find_wildcard(text: str, path: Path) -> Iterator[Fault]:
    found = _WILDCARD.search(text)
    if found:
        yield Fault(
            path,
            f"is {text!r}: Snakemake takes {found[0]!r} for a wildcard of its own; rename it, or link to it under a "
            "name without braces",
        )
