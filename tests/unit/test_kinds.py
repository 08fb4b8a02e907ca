"""Kinds of stores and of variants: each is one entry, known to the planner, and an array's codec is one word."""

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import yaml
import zarr

from recipes import LIBRARY, ROOT, SCRIPTS, derived_rules
from stores.create_store import create_store
from tfake.config.checks import find_conflicts
from tfake.config.plan import Plan
from tfake.config.plan_rules import variant_kind
from tfake.core.codes import MESH_POINTS
from tfake.store import arrays, layouts
from tfake.store.arrays import open_store, write_shard
from tfake.store.layouts import ArrayLayout
from tfake.store.shards import ShardReader
from tfake.store.stream import ShardStream
from tfake.variants.kinds import KINDS, Description, StoreKind, kind_created_by


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_names_its_arrays_files_and_its_rules(name):
    kind = KINDS[name]
    assert kind_created_by(kind.create_rule) is kind
    assert derived_rules()[kind.create_rule][0] == "create_store"
    assert kind.shard_rule in SCRIPTS
    files = kind.shard_files("results/x")
    assert list(files) == [array.name for array in kind.layout(64)]
    assert [file.format(shard=3) for file in files.values()] == [
        f"results/x/{kind.store}/{array.shard_file(3)}" for array in kind.layout(64)
    ]
    assert len(kind.metadata_files("results/x")) == len(files)


def test_the_planner_needs_no_numpy_to_know_a_kinds_files():
    code = (
        "import sys; sys.modules['numpy'] = None; from tfake.variants.kinds import KINDS as k; k['recorded'].layout(1)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=LIBRARY, check=True)


def test_the_kind_of_a_variant_is_stated_or_told_by_its_keys():
    variants = yaml.safe_load((ROOT / "config/presets/variants.yaml").read_text())["variants"]
    told = {name: variant_kind(settings) for name, settings in variants.items() if settings}
    assert set(told.values()) <= KINDS.keys()
    assert variant_kind({"of": "warm", "camera": "lepton"}) == "recorded"
    assert variant_kind({"files": "a.zip", "condition": "warm"}) == "imported"
    assert variant_kind({"condition": "warm"}) == "thermalized"
    assert variant_kind({"condition": "warm", "kind": "drawn"}) == "drawn"


def test_a_kind_that_is_stated_agrees_with_the_keys():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    config["variants"]["warm"]["kind"] = "thermalized"
    assert not find_conflicts(config)
    config["variants"]["warm"]["kind"] = "recorded"
    (fault,) = find_conflicts(config)
    assert fault.path == ("variants", "warm", "kind")
    assert "those of 'thermalized'" in fault.text


def test_a_stated_kind_that_is_new_is_planned():
    config = yaml.safe_load((ROOT / "config.yaml").read_text())
    config["variants"]["sketch"] = {"kind": "drawn", "condition": "warm", "ambient_celsius": None}
    assert not find_conflicts(config)
    plan = Plan(config, {**KINDS, "drawn": KINDS["imported"]})
    assert plan.of_kind("drawn") == ("sketch",)
    assert "sketch" not in plan.thermalized
    assert plan.ambients["sketch"] == config["conditions"]["warm"]["ambient_celsius"]
    assert plan.stores.arrays(SimpleNamespace(variant="sketch")) == KINDS["imported"].metadata_files(
        "results/variants/sketch"
    )


def test_a_kind_more_is_one_entry(tmp_path):
    """What `create_store` and the planner need of a kind that the workflow does not have."""

    def layout(pixels):
        return (
            *layouts.thermal_layout(pixels),
            ArrayLayout("depth", "float32", {"p": MESH_POINTS}, -np.inf),
        )

    kind = StoreKind(
        "thermal.zarr",
        layout,
        "create_drawn_store",
        "draw_faces",
        lambda given: Description(layout(given["pixels"]), 5, {"title": "drawn"}),
    )
    create_store(str(tmp_path / "thermal.zarr"), kind, 2, {"pixels": 16})
    group = zarr.open_group(tmp_path / "thermal.zarr", mode="r")
    assert {name: array.shape for name, array in group.arrays()} == {"thermal": (5, 16, 16), "depth": (5, MESH_POINTS)}
    assert all((tmp_path / file).exists() for file in kind.metadata_files(str(tmp_path)))


@pytest.mark.parametrize("codec", ["lz4", "zstd", "lz4hc"])
def test_an_arrays_codec_is_one_word_of_its_layout_and_a_level(tmp_path, codec, monkeypatch):
    """Another codec: its level in the table of the codecs, its name in the array's layout; all readers follow."""
    monkeypatch.setattr(arrays, "_LEVELS", {**arrays._LEVELS, "lz4hc": 3})
    (layout,) = layouts.thermal_layout(8)
    arrays.create_store(tmp_path, [replace(layout, codec=codec)], 4, 2, {})
    rows = np.random.default_rng(0).integers(1, 9, (2, 8, 8)).astype(np.uint16)
    write_shard(tmp_path, {"thermal": rows}, 0)
    with ShardStream(tmp_path, "thermal", 1) as stream:
        for row in rows:
            stream.append(stream.encode(row))
        stream.close()
    thermal = open_store(tmp_path)["thermal"]
    assert np.array_equal(thermal[:], np.concatenate([rows, rows]))
    reader = ShardReader(tmp_path / "thermal")
    assert np.array_equal(reader.row(3), rows[1])
    assert f'"cname": "{codec}"' in (tmp_path / "thermal/zarr.json").read_text()
