"""The files made from the models of the configuration: ``python -m tfake.config.generated``, or ``make config``.

They are the JSON schema, the tables in ``config/README.md``, ``config.yaml``, and the list of the keys that change no
result. ``config.yaml`` keeps its entries under the names that users choose, such as the default conditions and cameras;
everything else in it comes from the models.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tfake.config.faults import Path as Key
from tfake.config.faults import dotted
from tfake.config.keys import unit_of
from tfake.config.schema import Node, alternatives, child, is_named, json_schema, walk
from tfake.config.validation import describe_expected

_ROOT = Path(__file__).parents[3]
SCHEMA = _ROOT / "schemas/config.schema.yaml"
DEFAULTS = _ROOT / "config.yaml"
REFERENCE = _ROOT / "config/README.md"
NEUTRAL = Path(__file__).with_name("neutral_keys.txt")

_WIDTH = 120
_BEGIN, _END = "<!-- made by `make config` -->", "<!-- end of what `make config` made -->"
_CHANGES_NOTHING = "Changes no result."
_HEADER = """\
# yaml-language-server: $schema=schemas/config.schema.yaml
# The complete defaults: the embedded demo, which needs no download. More about the keys: config/README.md
# Override with a file of your own: snakemake --configfile mine.yaml
# Made by `make config` from the models in workflow_scripts/tfake/config; only entries under names that users choose,
# such as conditions and cameras, are edited here.
"""


def generate() -> dict[Path, str]:
    """The text of every generated file, by its path."""
    root = json_schema()
    page = REFERENCE.read_text(encoding="utf-8")
    before, after = page.split(_BEGIN)[0], page.split(_END)[1]
    return {
        SCHEMA: render_schema(root),
        DEFAULTS: _HEADER + render_defaults(root, yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))),
        REFERENCE: f"{before}{_BEGIN}\n\n{render_reference(root)}\n{_END}{after}",
        NEUTRAL: "".join(f"{dotted(path)}\n" for path, node in walk(root) if "x-neutral" in node),
    }


def render_schema(root: Node) -> str:
    """The published JSON schema, as YAML.

    Args:
        root: the schema.
    """
    published = {"$schema": "https://json-schema.org/draft/2020-12/schema", **root}
    return yaml.dump(published, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)


def render_reference(root: Node) -> str:
    """Tables of all keys in Markdown, one a section, and one of the keys that are in none.

    Args:
        root: the schema of the configuration.
    """
    sections = {name: node for name, node in root["properties"].items() if node.get("type") == "object"}
    text = ""
    for name, node in sections.items():
        text += f"### All keys of `{name}`\n\n{node['description']}\n\n{_table(walk(node, (name,)))}\n"
    others = [((name,), node) for name, node in root["properties"].items() if name not in sections]
    return f"{text}### Keys in no section\n\n{_table(others)}"


def _table(keys: Iterable[tuple[Key, Node]]) -> str:
    rows = [("key", "value", "unit", "default", "meaning"), ("---",) * 5]
    for path, node in keys:
        if "description" not in node:
            continue  # an entry that is no section
        meaning = node["description"] + (f" {_CHANGES_NOTHING}" if "x-neutral" in node else "")
        default = f"`{_flow(node['default'])}`" if "default" in node else ""
        unit = node.get("x-unit") or unit_of(str(path[-1]))
        rows.append((f"`{dotted(path)}`", describe_expected(node), unit, default, meaning))
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |\n" for row in rows)


def render_defaults(root: Node, entries: Mapping[str, Any]) -> str:
    """The keys and defaults of a config as YAML, with their descriptions as comments.

    Args:
        root: the schema.
        entries: a config with what is under the names that users choose, which no model has.
    """
    return "".join(f"{line}\n" for line in _render_block(root, entries, depth=0, explained=True))


def _render_block(node: Node, entries: Any, depth: int, explained: bool) -> Iterator[str]:
    """The lines of a mapping. Of entries whose names users choose, only the first is explained."""
    margin = "  " * depth
    for key in node.get("properties", entries):
        inner = child(node, key)
        if "default" not in inner and key not in entries:
            continue
        if depth == 0:
            yield ""
        if explained and not is_named(node, key):
            yield from (f"{margin}# {line}" for line in textwrap.wrap(_explain(inner), _WIDTH - len(margin) - 2))
        value = inner.get("default", entries.get(key))
        line = f"{margin}{key}: {_flow(value)}"
        if value and isinstance(value, Mapping) and (explained or len(line) > _WIDTH):
            yield f"{margin}{key}:"
            yield from _render_block(inner, value, depth + 1, explained)
        elif isinstance(value, list) and len(line) > _WIDTH:
            yield f"{margin}{key}:"
            yield from (f"{margin}  - {_flow(item)}" for item in value)
        else:
            yield line
        explained = explained and not is_named(node, key)


def _explain(node: Node) -> str:
    """A key's description, with the values that it may have where they are few, and whether a result depends on it."""
    choices = [part for part in alternatives(node) + alternatives(node.get("items", {})) if "enum" in part]
    values = "".join(f" {describe_expected(part).capitalize()}." for part in choices)
    return node["description"] + values + (f" {_CHANGES_NOTHING}" if "x-neutral" in node else "")


def _flow(value: Any) -> str:
    """A value as YAML on one line."""
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6)
    return text.removesuffix("...\n").strip()


class _Dumper(yaml.SafeDumper):
    """Writes again what occurs again, instead of an alias."""

    def ignore_aliases(self, data: Any) -> bool:
        """No object has an alias."""
        return True


def renew() -> None:
    """Write every generated file."""
    for path, text in generate().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    renew()
