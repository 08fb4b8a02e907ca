"""The models of the configuration: everything that a key needs follows from its one declaration."""

import importlib.metadata
import json
import re
import subprocess
import sys
from typing import Literal

import pytest
from pydantic import ValidationError, create_model
from test_config import DEFAULTS

from recipes import ROOT
from tfake.config.coercion import coerce_values, fill_in_defaults
from tfake.config.configuration import Configuration
from tfake.config.generated import generate, render_defaults, render_reference
from tfake.config.keys import key
from tfake.config.models_products import Store
from tfake.config.plan_rules import NEUTRAL_KEYS
from tfake.config.schema import json_schema, walk
from tfake.landmarks.landmark_settings import LandmarkSettings
from tfake.thermalizer.diffusion_settings import DiffusionSettings
from tfake.thermalizer.thermalizer_settings import TrainingSettings


@pytest.mark.parametrize("path", generate(), ids=lambda path: path.name)
def test_a_generated_file_is_what_the_models_say(path):
    assert path.read_text() == generate()[path], "run `make config`"


def test_a_key_is_declared_in_one_place():
    """A new key is in schema, reference and defaults, is read as its type, and refused out of bounds."""
    declared = key(7, "Levels of an image pyramid.", neutral=True, unit="levels", ge=2)
    extended_store = create_model("ExtendedStore", __base__=Store, __doc__="A store.", pyramid_levels=(int, declared))
    extended = create_model("Extended", __base__=Configuration, store=(extended_store, ...))
    root = json_schema(extended)
    assert root["properties"]["store"]["properties"]["pyramid_levels"] == {
        "type": "integer",
        "minimum": 2,
        "default": 7,
        "description": "Levels of an image pyramid.",
        "x-neutral": True,
        "x-unit": "levels",
    }
    cells = (
        "`store.pyramid_levels`",
        "an integer, at least 2",
        "levels",
        "`7`",
        "Levels of an image pyramid. Changes no",
    )
    assert " | ".join(cells) in render_reference(root)
    text = render_defaults(root, DEFAULTS)
    assert "\n  # Levels of an image pyramid. Changes no result.\n  pyramid_levels: 7\n" in text
    assert fill_in_defaults(DEFAULTS, root)["store"]["pyramid_levels"] == 7
    taken, _ = coerce_values({**DEFAULTS, "store": {**DEFAULTS["store"], "pyramid_levels": "1e1"}}, root)
    assert extended.model_validate(taken).store.pyramid_levels == 10
    taken["store"]["pyramid_levels"] = 1
    with pytest.raises(ValidationError, match="greater than or equal to 2"):
        extended.model_validate(taken)


def test_what_a_key_may_hold_is_said_above_it():
    model = create_model("One", __base__=Store, codec=(Literal["zstd", "lz4"], key("zstd", "How it is packed.")))
    assert "# How it is packed. One of zstd, lz4.\ncodec: zstd\n" in render_defaults(json_schema(model), {})


def test_entries_under_names_of_their_own_outlive_a_renewal():
    entries = {**DEFAULTS, "thermalizers": {"cold": {"weights": "w.pt", "sha256": None}}}
    text = render_defaults(json_schema(), entries)
    assert "\nthermalizers:\n  cold:\n" in text
    assert "lepton_160x120:" in text


def test_the_published_schema_stands_alone():
    text = json.dumps(json_schema())
    assert "$ref" not in text
    assert "$defs" not in text


def test_neutral_keys_are_keys():
    places = {".".join(map(str, path)) for path, _ in walk(json_schema())}
    assert set(NEUTRAL_KEYS) < places
    assert {"device", "thermalizer.checkpoint_every", "landmarks.compile"} < set(NEUTRAL_KEYS)


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def required(name, found):
    """All distributions that one needs, itself included."""
    name = normal(name)
    if name not in found:
        found.add(name)
        try:
            requirements = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            return found
        for requirement in requirements:
            if "extra ==" not in requirement:
                required(re.match(r"[\w.-]+", requirement)[0], found)
    return found


def test_who_has_snakemake_alone_can_plan():
    """The configuration is read with what Snakemake itself depends on."""
    program = """
import sys
before = set(sys.modules)
import yaml
from tfake.config import checks, completion, plan, preflight
completion.complete_config(yaml.safe_load(open("config.yaml")))
print(*{name.partition(".")[0] for name in set(sys.modules) - before})
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    # Modules without a distribution are Python's own, or made by another one in memory.
    owners = {name: set(found) for name, found in importlib.metadata.packages_distributions().items()}
    imported = {name: owners[name] for name in done.stdout.split() if name in owners and name != "tfake"}
    brought = required("snakemake", set())
    assert {"pydantic", "yaml"} <= imported.keys()
    foreign = [name for name, dists in imported.items() if not brought & {normal(dist) for dist in dists}]
    assert not foreign


def test_jobs_read_what_they_need_of_the_configuration_without_pydantic():
    """Environments of single rules have no pydantic."""
    program = """
import sys
sys.modules["pydantic"] = None
from tfake.config import plan, plan_rules
print(sorted(plan_rules.without_neutral({"steps": 1, "compile": True})))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "['steps']\n", done.stderr


@pytest.mark.parametrize(
    ("block", "settings"),
    [("thermalizer", TrainingSettings), ("diffusion_thermalizer", DiffusionSettings), ("landmarks", LandmarkSettings)],
)
def test_a_training_without_a_config_has_the_config_s_defaults(block, settings):
    defaults = settings().as_mapping()
    assert defaults.items() <= DEFAULTS[block].items()
