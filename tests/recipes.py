"""The table of recipes: a hash of each definition, and of each file of data, that stands behind a rule.

Snakemake notices neither an edit in a module that a script imports nor, in our profile, one in the script itself. So
each rule has an integer ``recipe`` among its params, raised when the meaning of its output changes. The test of this
table fails where a definition behind a rule has become another one; whoever then renews it, by ``make recipes``,
decides whether to raise recipes.

An entry is a function, a method, a constant or the rest of a class or module, by its name alone: where it stands does
not count. Nor does what no output can tell: docstrings, comments and layout, imports of our own, annotations of
functions, ``__all__``, messages to the log, names of local variables. A definition that is new or gone changes nothing
by itself, only those that use it; one with a new name and its old body is the old one. Entries take lines of their own,
so that two branches meet in the table only where they change the same definition.
"""

import ast
import hashlib
import json
import re
import textwrap
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "tests/recipes.json"
LIBRARY = ROOT / "workflow_scripts"
#: Packages of this project.
OURS = ("tfake", "heads")
#: A rule's script, by the name that both have.
SCRIPTS = {path.stem: path for path in LIBRARY.glob("*/*.py") if path.parent.name not in OURS}
#: Registries that name modules as strings.
REGISTRIES = ("TERMS", "KINDS")
DATA_SUFFIXES = (".csv", ".jinja", ".css", ".js", ".txt")
#: Where a job logs, which card it takes and how its memory is handed out: no output can tell.
WITHOUT_EFFECT = {LIBRARY / f"tfake/core/{name}.py" for name in ("runlog", "gpu_claims", "processes")}
_RULE = re.compile(r"(?m)^(?=(?:use rule|rule|checkpoint) \w+|    rule:$)")


def _blocks() -> list[str]:
    """The text of each rule and what follows it; of those made in a loop, as of one of its script's name."""
    files = [ROOT / "Snakefile", *sorted((ROOT / "rules").rglob("*.smk"))]
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


def imported_names(path: Path) -> list[str]:
    """What a module imports when it runs, dotted: modules, and what may be a module of a package."""
    names = []
    queue: list[ast.AST] = [ast.parse(path.read_text())]
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            # A registry names modules as "package.module:Class"; who takes the registry itself imports them.
            if any(alias.name in REGISTRIES for alias in node.names):
                registry = (LIBRARY / f"{node.module.replace('.', '/')}.py").read_text()
                names += re.findall(r'"(tfake[\w.]+):\w+"', registry)
        elif not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            queue += ast.iter_child_nodes(node)
    return names


@cache
def _imported(path: Path) -> list[Path]:
    places = [LIBRARY / name.replace(".", "/") for name in imported_names(path)]
    return [file for base in places for file in (base.with_suffix(".py"), base / "__init__.py") if file.exists()]


def definitions(path: Path, renamed: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Name and hash of each definition in a module; of a file of data, of every byte.

    Args:
        path: the file.
        renamed: names that are read as others.
    """
    if path.suffix != ".py":
        yield path.name, _hash(path.read_bytes())
        return
    module = _parsed(path)
    names = {**_imported_names(module), **renamed}
    for name, nodes in _parts(module.body, path.name):
        yield name, _hash(repr(_Meaning(names, renamed, name, nodes).read(nodes)).encode())


@cache
def _parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _imported_names(module: ast.Module) -> dict[str, str]:
    """What imported names stand for: those of other packages with where they come from, ours as they are defined."""
    names = {}
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module:
            origin = "" if node.module.split(".")[0] in OURS else f"{node.module}."
            names |= {alias.asname or alias.name: origin + alias.name for alias in node.names}
    return names


def _parts(body: list[ast.stmt], rest_name: str, prefix: str = "") -> Iterator[tuple[str, list[ast.AST]]]:
    """The definitions of a module or class by name, then all that is left of it in order."""
    rest: list[ast.AST] = []
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + node.name, [node]
        elif isinstance(node, ast.ClassDef):
            inner = [*node.decorator_list, *node.bases, *node.keywords, *node.body]
            yield from _parts(inner, prefix + node.name, f"{prefix}{node.name}.")
        elif isinstance(node, ast.Assign | ast.AnnAssign) and not prefix and isinstance(targets[0], ast.Name):
            if targets[0].id != "__all__":
                yield targets[0].id, [*targets[1:], node.value]
        else:
            rest.append(node)
    if rest:
        yield rest_name, rest


class _Meaning:
    """Reads a definition's syntax as tuples of what an output can depend on."""

    def __init__(self, names: Mapping[str, str], renamed: Mapping[str, str], name: str, nodes: list[ast.AST]) -> None:
        self._attributes = renamed
        self._is_function = isinstance(nodes[0], ast.FunctionDef | ast.AsyncFunctionDef)
        #: A class's fields are what their annotations say.
        self._is_class = not self._is_function
        self._names = {**names, **(self._locals(nodes[0]) if self._is_function else {}), name.split(".")[-1]: "itself"}

    @staticmethod
    def _locals(function: ast.AST) -> dict[str, str]:
        """Local variables by the order in which they are set; arguments keep their names, for callers use those."""
        nodes = list(ast.walk(function))
        kept = {node.arg for node in nodes if isinstance(node, ast.arg)}
        kept |= {name for node in nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
        stored = [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
        return {name: f"local {place}" for place, name in enumerate(dict.fromkeys(stored)) if name not in kept}

    def read(self, node: object) -> object:
        """A node as a tuple; empty fields are left out, since they differ between versions of Python."""
        if isinstance(node, list):
            return tuple(self.read(inner) for inner in node if not self._is_void(inner))
        if isinstance(node, ast.Name):
            return self._names.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return ("Attribute", self.read(node.value), self._attributes.get(node.attr, node.attr))
        if not isinstance(node, ast.AST):
            return node
        fields = {name: value for name, value in ast.iter_fields(node) if value not in (None, [])}
        if not (isinstance(node, ast.AnnAssign) and self._is_class):
            for unread in ("annotation", "returns", "type_comment", "simple"):
                fields.pop(unread, None)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            fields["name"] = self._names.get(node.name, node.name)
        return (type(node).__name__, *((name, self.read(value)) for name, value in fields.items()))

    def _is_void(self, node: object) -> bool:
        """Whether a statement says nothing to an output."""
        if isinstance(node, ast.AnnAssign):
            return node.value is None and not self._is_class
        if isinstance(node, ast.If):
            return isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        if not isinstance(node, ast.Expr):
            return isinstance(node, ast.Import | ast.ImportFrom)
        if isinstance(node.value, ast.Constant):
            return True
        called = node.value.func if isinstance(node.value, ast.Call) else None
        return isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "logging"


def behind() -> dict[str, set[str]]:
    """The rules behind which each file stands, derived ones included, by the file's path."""
    users: dict[str, set[str]] = {}
    runs = {name: name for name in rule_blocks()} | {name: base for name, (base, _) in derived_rules().items()}
    for rule, script in runs.items():
        for path in sources_of(SCRIPTS[script]) - WITHOUT_EFFECT:
            users.setdefault(path.relative_to(LIBRARY).as_posix(), set()).add(rule)
    return users


def current(files: Iterable[str], renamed: Mapping[str, str] = MappingProxyType({})) -> dict[str, list[str]]:
    """The table as the code is now: hashes by name; things of one name share an entry.

    Args:
        files: below ``workflow_scripts``.
        renamed: names that are read as others.
    """
    table: dict[str, set[str]] = {}
    for path in files:
        for name, content in definitions(LIBRARY / path, renamed):
            table.setdefault(name, set()).add(content)
    return {name: sorted(hashes) for name, hashes in sorted(table.items())}


def find_changed(recorded: Mapping[str, list[str]], files: Collection[str]) -> list[str]:
    """Names of the definitions that are other ones than those recorded.

    Args:
        recorded: the table.
        files: below ``workflow_scripts``.
    """
    now = plain = current(files)
    renamed: dict[str, str] = {}
    while True:
        gone = {content: name for name in recorded.keys() - now.keys() for content in recorded[name]}
        fresh = [(name, content) for name in now.keys() - recorded.keys() for content in now[name] if content in gone]
        found = {name.split(".")[-1]: gone[content].split(".")[-1] for name, content in sorted(fresh)}
        if not found.keys() - renamed.keys():
            break
        renamed = {**found, **renamed}
        now = current(files, renamed)
    changed = []
    for name in recorded.keys() & now.keys():
        before, known = set(recorded[name]), {*plain[name], *now[name]}
        # More or fewer things of one name are new or gone.
        if before - known and set(now[name]) - before and set(plain[name]) - before:
            changed.append(name)
    return sorted(changed)


if __name__ == "__main__":
    TABLE.write_text(json.dumps(current(behind()), indent=1, sort_keys=True) + "\n")
