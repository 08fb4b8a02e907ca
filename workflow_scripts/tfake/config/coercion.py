"""A merged config as its writer meant it, where YAML 1.1, Snakemake and the command line say something else.

YAML 1.1 reads ``1e-3`` as text and ``2026-01-31`` as a day; Snakemake reads all that is inside
``--config 'source={images: 5}'`` as text. The schema tells what each key holds, so text that reads as that is taken as
that. And ``variants: {warm: null}`` takes away the entry that the defaults have under that name.
"""

import copy
import datetime
import os
import re
from collections.abc import Mapping
from typing import Any

from tfake.config.faults import Path
from tfake.config.schema import Node, alternatives, child, is_named, kinds

_NULL = ("", "~", "null", "Null", "NULL")
_TRUTH = {
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "on", "On"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "off", "Off"), False),
}
# As YAML 1.2 has it.
_NUMBER = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?")


def coerce_values(value: Any, node: Node | None, path: Path = ()) -> tuple[Any, frozenset[Path]]:
    """Give every value the type that its key holds, where it can be read as that, and remove entries set to null.

    Args:
        value: a config, or a part of one; not changed.
        node: what the schema says of it; None where it says nothing.
        path: its place.

    Returns:
        The same with types set right, and the places of the entries that were removed.
    """
    removed: set[Path] = set()
    return _coerce(value, node, path, removed), frozenset(removed)


def _coerce(value: Any, node: Node | None, path: Path, removed: set[Path]) -> Any:
    if node is None:
        return value
    if isinstance(value, Mapping):
        kept = {}
        for key, inner in value.items():
            if is_named(node, key) and (inner is None or (isinstance(inner, str) and inner.strip() in _NULL[1:])):
                removed.add((*path, key))
            else:
                kept[key] = _coerce(inner, child(node, key), (*path, key), removed)
        return kept
    if isinstance(value, list):
        return [_coerce(inner, child(node, place), (*path, place), removed) for place, inner in enumerate(value)]
    if isinstance(value, datetime.date):
        return value.isoformat() if _accepts_text(value.isoformat(), node) else value
    if isinstance(value, float) and value.is_integer() and "integer" in kinds(node) and "number" not in kinds(node):
        return int(value)
    return _coerce_text(value, node) if isinstance(value, str) else value


def _coerce_text(text: str, node: Node) -> Any:
    word = text.strip()
    if word in _NULL and "null" in kinds(node):
        return None
    if _accepts_text(text, node):
        return os.path.expanduser(text) if text.startswith("~/") else text
    if word in _TRUTH and "boolean" in kinds(node):
        return _TRUTH[word]
    if _NUMBER.fullmatch(word) and kinds(node) & {"integer", "number"}:
        # Out of range is said of a number, not of text.
        number = float(word)
        return int(number) if number.is_integer() else number
    return text


def _accepts_text(text: str, node: Node) -> bool:
    return any(
        text in part.get("enum", [part.get("const", text)]) and re.search(part.get("pattern", ""), text)
        for part in alternatives(node)
        if part["type"] == "string"
    )


def fill_in_defaults(value: Any, node: Node | None) -> Any:
    """A valid config with the defaults of the keys that it leaves out.

    Args:
        value: a config, or a part of one; not changed.
        node: what the schema says of it.
    """
    if node is None or not isinstance(value, Mapping):
        return value
    filled = {key: fill_in_defaults(inner, child(node, key)) for key, inner in value.items()}
    for key, inner in node.get("properties", {}).items():
        if key not in filled and "default" in inner:
            filled[key] = copy.deepcopy(inner["default"])
    return filled
