"""The table of recipes: a hash of each file of code and data that stands behind a rule.

Snakemake notices neither an edit in a module that a script imports nor, in our profile, one in the script itself. So
each rule has an integer ``recipe`` among its params, raised when the meaning of its output changes. This table is
renewed whenever the code behind a rule moves, by ``make recipes``; whoever renews it decides whether to raise recipes.

Code is hashed as the interpreter reads it, without docstrings, comments and layout. An entry is a file and takes
lines of its own, so that two branches meet in it only where they change the same file.
"""

import ast
import hashlib
import json
import re
import textwrap
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "tests/recipes.json"
LIBRARY = ROOT / "workflow_scripts"
#: A rule's script, by the name that both have.
SCRIPTS = {path.stem: path for path in LIBRARY.glob("*/*.py") if path.parent.name not in ("tfake", "heads")}
DATA_SUFFIXES = (".csv", ".jinja", ".css", ".js", ".txt")
#: Where a job logs, which card it takes and how its memory is handed out: no output can tell.
WITHOUT_EFFECT = {LIBRARY / f"tfake/core/{name}.py" for name in ("runlog", "gpu_claims", "processes")}
_RULE = re.compile(r"(?m)^(?=(?:use rule|rule|checkpoint) \w+|    rule:$)")


def _blocks() -> list[str]:
    """The text of each rule and what follows it; of those made in a loop, as of one of its script's name."""
    files = [ROOT / "Snakefile", *sorted((ROOT / "rules").glob("*.smk"))]
    blocks = [block for file in files for block in _RULE.split(file.read_text())[1:]]
    return [_named(block) if block.startswith("    rule:") else block for block in blocks]


def _named(block: str) -> str:
    script = re.search(r'workflow_scripts/\w+/(\w+)\.py"', block)
    return textwrap.dedent(block).replace("rule:\n", f"rule {script[1]}:\n", 1) if script else block


def rule_blocks() -> dict[str, str]:
    """The text of each rule that runs a script, by the rule's name."""
    named = {match[1]: block for block in _blocks() if (match := re.match(r"(?:rule|checkpoint) (\w+):", block))}
    return {name: block for name, block in named.items() if "\n    script:" in block}


def derived_rules() -> dict[str, tuple[str, str]]:
    """What is made by ``use rule … as``: the rule it runs and the text of what it says anew, by its own name."""
    matches = ((re.match(r"use rule (\w+) as (\w+) with:", block), block) for block in _blocks())
    return {match[2]: (match[1], block) for match, block in matches if match}


def sources_of(script: Path) -> set[Path]:
    """A script, the modules of the library that it imports directly or not, and the data that lies beside them."""
    found: set[Path] = set()
    queue = [script]
    while queue:
        path = queue.pop()
        if path not in found:
            found.add(path)
            queue += _imported(path)
    folders = {path.parent for path in found}
    # A folder without modules of its own holds its parent's data.
    folders |= {inner for folder in folders for inner in folder.glob("*/") if not list(inner.glob("*.py"))}
    return found | {file for folder in folders for file in folder.iterdir() if file.suffix in DATA_SUFFIXES}


@cache
def _imported(path: Path) -> list[Path]:
    names = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            # A registry names modules as "package.module:Class"; who takes the registry itself imports them.
            if any(alias.name == "TERMS" for alias in node.names):
                names += re.findall(
                    r'"(tfake[\w.]+):\w+"', (LIBRARY / f"{node.module.replace('.', '/')}.py").read_text()
                )
    places = [LIBRARY / name.replace(".", "/") for name in names]
    return [file for base in places for file in (base.with_suffix(".py"), base / "__init__.py") if file.exists()]


def fingerprint(path: Path) -> str:
    """Hash of what a file means: a module's code without docstrings, comments and layout; of data, every byte."""
    content = repr(_meaning(ast.parse(path.read_text()))).encode() if path.suffix == ".py" else path.read_bytes()
    return hashlib.sha256(content).hexdigest()[:16]


def _meaning(node):
    """A syntax tree as tuples; empty fields are left out, since they differ between versions of Python."""
    if isinstance(node, list):
        return tuple(map(_meaning, node))
    if not isinstance(node, ast.AST):
        return node
    fields = {name: value for name, value in ast.iter_fields(node) if value not in (None, [])}
    documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    if documented and ast.get_docstring(node, clean=False) is not None:
        fields["body"] = node.body[1:]
    return (type(node).__name__, *((name, _meaning(value)) for name, value in fields.items()))


def behind() -> dict[str, set[str]]:
    """The rules behind which each file stands, derived ones included, by the file's path."""
    users: dict[str, set[str]] = {}
    runs = {name: name for name in rule_blocks()} | {name: base for name, (base, _) in derived_rules().items()}
    for rule, script in runs.items():
        for path in sources_of(SCRIPTS[script]) - WITHOUT_EFFECT:
            users.setdefault(path.relative_to(LIBRARY).as_posix(), set()).add(rule)
    return users


def current() -> dict[str, dict]:
    """The table as the code is now."""
    return {path: {"meaning": fingerprint(LIBRARY / path)} for path in behind()}


if __name__ == "__main__":
    TABLE.write_text(json.dumps(current(), indent=1, sort_keys=True) + "\n")
