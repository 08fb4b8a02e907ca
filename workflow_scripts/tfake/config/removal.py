"""Taking entries away: ``variants: {warm: null}`` removes what the defaults have under that name."""

from collections.abc import Mapping
from typing import Any

from tfake.config.faults import Path
from tfake.config.schema import Node, Schema


def take_away(config: Mapping[str, Any], schema: Schema) -> tuple[dict[str, Any], frozenset[Path]]:
    """Remove the entries whose value is null, in every block whose names users choose.

    Args:
        config: the merged config; not changed.
        schema: the schema, which tells names from keys: a key of the schema's own may hold null.

    Returns:
        The config without them, and the places of what was removed.
    """
    removed: set[Path] = set()
    return _take_away(config, schema.root, schema, (), removed), frozenset(removed)


def _take_away(value: Any, node: Node | None, schema: Schema, path: Path, removed: set[Path]) -> Any:
    if node is None or not isinstance(value, Mapping):
        return value
    kept = {}
    for key, inner in value.items():
        if inner is None and schema.is_named(node, key):
            removed.add((*path, key))
        else:
            kept[key] = _take_away(inner, schema.child(node, key), schema, (*path, key), removed)
    return kept
