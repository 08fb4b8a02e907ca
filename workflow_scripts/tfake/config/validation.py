"""What is wrong with a config, in a line a fault: the key, what it is, what it may be, the nearest known key."""

import difflib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from tfake.config.configuration import Configuration
from tfake.config.faults import Fault, Path, dotted
from tfake.config.keys import CONFLICT, NAME_PATTERN
from tfake.config.schema import Node, alternatives, json_schema, node_at, walk

_NAME = "lower-case letters, digits and _, a letter first (names become folders, also where case does not count)"
# What Snakemake takes for a wildcard, wherever it stands.
_WILDCARD = re.compile(r"\{\s*\w+\s*[,}]")
_MOST_KEYS = 12
# What pydantic adds to the place of an error in the name of a mapping's entry.
_ENTRY_NAME = "[key]"


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


def find_faults(config: Mapping[str, Any]) -> list[Fault]:
    """Everything that the models have against a config.

    Args:
        config: the merged config, all of its keys text.

    Returns:
        The faults, in the order of their keys.
    """
    try:
        Configuration.model_validate(config)
    except ValidationError as error:
        return list(_explain_all(error.errors(include_url=False), config))
    return []


def nearest(name: str, known: Sequence[str]) -> str:
    """A question for the known name that is most like another one; empty where none is."""
    found = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def _explain_all(errors: Sequence[Mapping[str, Any]], config: Mapping[str, Any]) -> Iterator[Fault]:
    """The faults, place by place: of a value that may be of several kinds, pydantic has an error for each of them."""
    places: dict[Path, list[Mapping[str, Any]]] = {}
    for error in errors:
        places.setdefault(_place(error, config), []).append(error)
    for path, found in sorted(places.items(), key=lambda item: [str(part) for part in item[0]]):
        value = _value_at(config, path)
        # Where one kind is a mapping and a mapping was given, what is wrong inside it is what counts.
        inside = isinstance(value, Mapping) and any(other[: len(path)] == path != other for other in places)
        yield from _explain(path, found, value, inside)


def _place(error: Mapping[str, Any], config: Any) -> Path:
    """The place of an error, without the kinds of values that pydantic tried on the way."""
    path: Path = ()
    value = config
    for part in error["loc"]:
        known = part in value if isinstance(value, Mapping) else isinstance(value, list) and isinstance(part, int)
        if known:
            path, value = (*path, part), value[part]
        elif not isinstance(value, Mapping):
            break
    below = error.get("ctx", {}).get("key")
    return (*path, below) if below else path


def _value_at(config: Any, path: Path) -> Any:
    for part in path:
        config = config[part]
    return config


def _explain(path: Path, errors: Sequence[Mapping[str, Any]], value: Any, inside: bool) -> Iterator[Fault]:
    if any(error["loc"][-1:] == (_ENTRY_NAME,) for error in errors):
        yield Fault(path, f"is no name{_suggest_name(path)}")
    of_value = {error["type"]: error for error in errors if error["loc"][-1:] != (_ENTRY_NAME,)}
    missing = [error["loc"][-1] for error in errors if error["type"] == "missing"]
    if "extra_forbidden" in of_value:
        yield Fault(path, f"is no key{_suggest(str(path[-1]), path[:-1])}")
    elif missing:
        yield Fault(path, f"lacks {_list(missing)}")
    elif CONFLICT in of_value:
        text = of_value[CONFLICT]["ctx"]["text"]
        yield Fault(path, text if isinstance(value, Mapping) else f"is {_show(value)}; {text}")
    elif of_value and not inside:
        yield Fault(path, _describe_value(value, node_at(path) or {}, any(name.endswith("_type") for name in of_value)))


def _describe_value(value: Any, node: Node, of_type: bool) -> str:
    if value is None:
        return f"is empty (null); expected {describe_expected(node)}, or leave it out"
    kind = f" ({_kind(value)})" if of_type or len(alternatives(node)) > 1 else ""
    return f"is {_show(value)}{kind}; expected {describe_expected(node)}{_meaning(node)}"


def _suggest_name(path: Path) -> str:
    names = (node_at(path[:-1]) or {}).get("propertyNames", {})
    close = nearest(str(path[-1]), names.get("enum", ()))
    return close or f"; expected {describe_expected(names)}"


def _suggest(key: str, path: Path) -> str:
    """The nearest key of the same block, or where else there is a key of that name, or what the block has."""
    known = sorted({name for part in alternatives(node_at(path) or {}) for name in part.get("properties", {})})
    close = nearest(key, known)
    if close:
        return close
    elsewhere = [dotted(place) for place, _ in walk(json_schema()) if place[-1] == key]
    if elsewhere:
        return f" here; there is {' and '.join(elsewhere[:3])}"
    return f"; the keys here are {_list(known)}" if len(known) <= _MOST_KEYS else "; config/README.md has all keys"


def describe_expected(node: Node) -> str:
    """What a value may be, in words.

    Args:
        node: what the schema says of its place.
    """
    words = [_describe(part) for part in alternatives(node)]
    return " or ".join(dict.fromkeys(words))


def _describe(node: Node) -> str:
    if "enum" in node:
        return f"one of {_list(node['enum'])}"
    if "const" in node:
        return node["const"]
    kind = node["type"]
    if kind in ("integer", "number"):
        return ("an integer" if kind == "integer" else "a number") + _limits(node)
    if kind == "array":
        items = describe_expected(node["items"])
        low, high = node.get("minItems", 0), node.get("maxItems")
        many = f"{low} values" if low == high else f"at least {low} values" if low else "values"
        return f"a list of {many}, each {items}" + (", none twice" if node.get("uniqueItems") else "")
    if kind == "object":
        return "a mapping" + (" with at least one entry" if node.get("minProperties") else "")
    if kind == "string" and "pattern" in node:
        return _NAME if node["pattern"] == NAME_PATTERN else f"text of the form {node['pattern']}"
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
    """The first sentence of a key's description."""
    return f": {re.split(r'[.](?: |$)', node['description'])[0]}" if "description" in node else ""


def _show(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    text = repr(value) if isinstance(value, str) else str(value)
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
