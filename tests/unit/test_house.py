"""The house's rules, held: names agree, files are small, recipes are renewed, documents are true."""

import ast
import json
import re
import subprocess

import pytest
import yaml

from recipes import ROOT, SCRIPTS, TABLE, behind, current, derived_rules, find_changed, rule_blocks

RULES = rule_blocks()
LONGEST_FILE = 500
CODE = sorted(
    path
    for pattern in ("Snakefile", "rules/**/*.smk", "workflow_scripts/**/*.py", "tests/**/*.py")
    for path in ROOT.glob(pattern)
)


def tracked_files():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return listed.stdout.split()


@pytest.mark.parametrize("rule", RULES)
def test_one_name_a_rule(rule):
    block = RULES[rule]
    assert f'/workflow_scripts/{SCRIPTS[rule].parent.name}/{rule}.py"' in block
    for folder in ("logs", "benchmarks"):
        assert re.search(rf'"{folder}/{rule}[./]', block), f"{rule}: no {folder}/{rule}"
    module = ast.parse(SCRIPTS[rule].read_text())
    public = [node.name for node in module.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    assert public == [rule]
    assert ast.get_docstring(module)


@pytest.mark.parametrize("rule", RULES)
def test_every_working_rule_is_complete(rule):
    directives = re.findall(r"(?m)^    (\w+):", RULES[rule])
    for directive in ("output", "log", "benchmark", "conda", "threads", "resources", "params", "message", "script"):
        assert directive in directives, f"{rule} has no {directive}"
    assert re.search(r'(rule|checkpoint) \w+:\n    """.+"""', RULES[rule]), f"{rule} has no docstring"
    for resource in ("mem_mb", "runtime"):
        assert resource in RULES[rule]


@pytest.mark.parametrize("rule", RULES)
def test_no_rule_holds_a_list_that_grows_with_the_shards(rule):
    """Snakemake hashes such a list once for each of its files: quadratic, where a function's answer is not."""
    outside_functions = re.sub(r"lambda wildcards: .*", "", RULES[rule])
    assert not re.search(r"\bsource_shards\b|\.shards\(", outside_functions)


def test_scripts_learn_from_their_rules_where_results_are():
    for path in sorted((ROOT / "workflow_scripts").glob("*/*.py")):
        assert '="results"' not in path.read_text(), f"{path.name}: take the folder from the rule's inputs or outputs"


def test_no_script_without_a_rule():
    assert SCRIPTS.keys() == RULES.keys()


def test_recipes_are_renewed():
    recorded, files = json.loads(TABLE.read_text()), behind()
    changed = find_changed(recorded, files)
    places = {path: {name for name in changed if name in current([path])} for path in files} if changed else {}
    rules = sorted(set().union(*(files[path] for path, names in places.items() if names)))
    assert not changed, (
        f"{', '.join(changed)} changed, behind {', '.join(rules)}: raise `recipe` in a rule if the meaning of its "
        "output changed, then run `make recipes`"
    )
    assert RULES.keys() <= recorded.keys(), "a rule is new: run `make recipes`"


@pytest.mark.parametrize("rule", derived_rules())
def test_a_derived_rule_has_the_recipe_of_the_one_it_runs_or_its_own(rule):
    base, block = derived_rules()[rule]
    assert base in RULES
    assert "params:" not in block or re.search(rf"recipe=(rules\.{base}\.params\.recipe|\d+),", block)


def test_no_rule_is_missed():
    text = "\n".join(path.read_text() for path in (ROOT / "rules").rglob("*.smk"))
    assert len(re.findall(r"(?m)^\s*use rule ", text)) == len(derived_rules()) > 0
    assert len(re.findall(r"(?m)^\s+script:$", text)) == len(RULES)
    assert set().union(*behind().values()) == RULES.keys() | derived_rules().keys()


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_are_small(path):
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


def test_the_snakefile_is_short():
    assert len((ROOT / "Snakefile").read_text().splitlines()) <= 100


def test_every_rule_is_in_the_graph_of_the_architecture():
    graph = (ROOT / "docs/architecture.md").read_text().split("```mermaid")[1].split("```")[0]
    # A rule that no file matches is there for others to be derived from.
    working = [rule for rule, block in RULES.items() if "one_of([])" not in block]
    assert not [rule for rule in working if not re.search(rf"\b{rule}\b", graph)]


def test_nothing_large_is_tracked():
    sizes = {name: (ROOT / name).stat().st_size for name in tracked_files() if (ROOT / name).is_file()}
    # The landmarker that comes with the package is the one exception, and has a limit of its own.
    assert sizes.pop("workflow_scripts/tfake/landmarks/landmarker.pt") <= 4_000_000
    assert [name for name, size in sizes.items() if size > 1 << 20] == []


#: Where somebody's packages come from, and where somebody's files are: neither belongs into a repository. The words are
#: put together here, so that this file holds none of them.
INDICES = "|".join(("/simple" + r"\b", "py" + "pi", "python" + "hosted", "npm" + "js", "ana" + "conda"))
HOMES = "|".join(("/ho" + "me", "/Us" + "ers", r"(?<![\w.])/ro" + "ot"))
PRIVATE = re.compile(
    rf"index-{'url'}|find-{'links'}|https?://[^\s\"'<>)]*(?:{INDICES})"
    rf"|https?:/{'/'}(?!127\.0\.0\.1)\d+\.\d+\.\d+\.\d+|(?:{HOMES})/\w+"
)


@pytest.mark.parametrize(
    ("text", "is_private"),
    [
        ("pip install --index" + "-url http" + "://mirror/packages x", True),
        ("url = 'https" + "://files.python" + "hosted.org/a.whl'", True),
        ("http" + "://10.0.0.7/files", True),
        ("/ho" + "me/alice/data", True),
        ("/Us" + "ers/bob/data", True),
        ("open('/ro" + "ot/x')", True),
        ("https://zarr.dev and http://127.0.0.1:8000, ~/data, /opt/venv/bin", False),
        ("variants/ro" + "ot/zarr.json and data/faces.zip", False),
    ],
)
def test_private_addresses_are_recognised(text, is_private):
    assert bool(PRIVATE.search(text)) == is_private


def test_no_registry_and_nobody_s_home_is_tracked():
    found = {}
    for name in tracked_files():
        try:
            text = (ROOT / name).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
        found |= {f"{name}:{number}": line for number, line in enumerate(text.splitlines(), 1) if PRIVATE.search(line)}
    assert found == {}


def schema_keys(schema, prefix=""):
    for key, value in schema.get("properties", {}).items():
        yield f"{prefix}{key}", value
        yield from schema_keys(value, f"{prefix}{key}.")
        inner = value.get("additionalProperties")
        if isinstance(inner, dict):
            yield from schema_keys(inner, f"{prefix}{key}.NAME.")


SCHEMA = yaml.safe_load((ROOT / "schemas/config.schema.yaml").read_text())


def closed(schema):
    if schema.get("type") == "object":
        inner = schema.get("additionalProperties")
        assert inner is False or isinstance(inner, dict), schema
        if isinstance(inner, dict):
            closed(inner)
        for value in schema.get("properties", {}).values():
            closed(value)


def test_the_schema_is_closed_everywhere():
    closed(SCHEMA)


@pytest.mark.parametrize(("key", "schema"), list(schema_keys(SCHEMA)))
def test_every_key_is_described(key, schema):
    assert schema.get("description"), f"{key} has no description in the schema"


def test_the_default_config_is_complete():
    def keys(block, schema, prefix=""):
        for key, value in schema.get("properties", {}).items():
            assert key in block, f"config.yaml lacks {prefix}{key}"
            if value.get("type") == "object":
                keys(block[key], value, f"{prefix}{key}.")

    keys(yaml.safe_load((ROOT / "config.yaml").read_text()), SCHEMA)
