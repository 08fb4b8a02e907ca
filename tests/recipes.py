"""The table of recipes: for each rule, its ``recipe`` and a hash of the code behind it.

Snakemake notices neither an edit in a module that a script imports nor, in our profile, one in the script itself. So
each rule has an integer ``recipe`` among its params, raised when the meaning of its output changes. This table is
renewed whenever the code behind a rule moves, by ``make recipes``; whoever renews it decides whether to raise recipes.
"""

import ast
import hashlib
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "tests/recipes.json"
LIBRARY = ROOT / "workflow_scripts"
DATA_SUFFIXES = (".csv", ".jinja", ".css", ".js", ".txt")


def rule_blocks() -> dict[str, str]:
    """The text of each rule that runs a script, by the rule's name."""
    blocks = {}
    for file in [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]:
        for block in re.split(r"(?m)^(?=(?:rule|checkpoint) \w+:)", file.read_text())[1:]:
            if "\n    script:" in block:
                blocks[re.match(r"\w+ (\w+):", block)[1]] = block
    return blocks


def sources_of(script: Path) -> set[Path]:
    """A script, the modules of the library that it imports directly or not, and the data that lies beside them."""
    found: set[Path] = set()
    queue = [script]
    while queue:
        path = queue.pop()
        if path in found:
            continue
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            for name in names:
                base = LIBRARY / name.replace(".", "/")
                queue += [module for module in (base.with_suffix(".py"), base / "__init__.py") if module.exists()]
    folders = {path.parent for path in found} - {LIBRARY}
    # A folder without modules of its own holds its parent's data.
    folders |= {inner for folder in folders for inner in folder.glob("*/") if not list(inner.glob("*.py"))}
    return found | {file for folder in folders for file in folder.iterdir() if file.suffix in DATA_SUFFIXES}


def current() -> dict[str, dict]:
    """The table as the code is now."""
    table = {}
    for rule, block in rule_blocks().items():
        digest = hashlib.sha256()
        for path in sorted(sources_of(LIBRARY / f"{rule}.py")):
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
        table[rule] = {"recipe": int(re.search(r"recipe=(\d+)", block)[1]), "sources": digest.hexdigest()[:16]}
    return table


if __name__ == "__main__":
    TABLE.write_text(json.dumps(current(), indent=1, sort_keys=True) + "\n")
