"""Values as their writer meant them, where YAML 1.1 and the command line say something else.

YAML 1.1 reads ``1e-3`` as text and ``2026-01-31`` as a day; Snakemake reads all that is inside
``--config 'source={images: 5}'`` as text. The schema knows what each key holds, so text that reads as that is taken as
that.
"""

import datetime
import os
import re
from collections.abc import Mapping
from typing import Any

from tfake.config.schema import Node, Schema

_NULL = ("", "~", "null", "Null", "NULL")
_TRUTH = {
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "on", "On"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "off", "Off"), False),
}
# As YAML 1.2 has it.
_NUMBER = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?")


def take_values(value: Any, node: Node | None, schema: Schema) -> Any:
    """Give every value the type that its key holds, where it can be read as that; leave the rest to the schema.

    Args:
        value: a config, or a part of one.
        node: what the schema says of it; None where it says nothing.
        schema: the schema.

    Returns:
        The same with types set right; nothing that was given is changed in place.
    """
    if node is None:
        return value
    if isinstance(value, Mapping):
        return {key: _take_entry(key, inner, node, schema) for key, inner in value.items()}
    if isinstance(value, list):
        return [take_values(inner, schema.child(node, place), schema) for place, inner in enumerate(value)]
    if isinstance(value, str):
        return _take_text(value, node, schema)
    if isinstance(value, datetime.date):
        return _accepted(value.isoformat(), value, node, schema)
    if isinstance(value, float) and value.is_integer() and _is_count(node, schema):
        return int(value)
    return value


def _take_entry(key: str, value: Any, node: Node, schema: Schema) -> Any:
    if isinstance(value, str) and value.strip() in _NULL[1:] and schema.is_named(node, key):
        return None  # takes the entry away
    return take_values(value, schema.child(node, key), schema)


def _take_text(text: str, node: Node, schema: Schema) -> Any:
    if text.strip() in _NULL and schema.accepts(node, None):
        return None
    if schema.accepts(node, text):
        return os.path.expanduser(text) if text.startswith("~/") else text
    word = text.strip()
    if word in _TRUTH:
        return _accepted(_TRUTH[word], text, node, schema)
    if _NUMBER.fullmatch(word) and schema.kinds(node) & {"integer", "number"}:
        # Out of range is said of a number, not of text.
        number = float(word)
        return int(number) if number.is_integer() else number
    return text


def _is_count(node: Node, schema: Schema) -> bool:
    return "integer" in schema.kinds(node) and "number" not in schema.kinds(node)


def _accepted(candidate: Any, otherwise: Any, node: Node, schema: Schema) -> Any:
    return candidate if schema.accepts(node, candidate) else otherwise
