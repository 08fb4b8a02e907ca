"""Names in a config: taken away, leading somewhere, and values that must agree with each other."""

import copy
import os
import re
import subprocess

import pytest
from snakemake.utils import update_config
from test_config import DEFAULTS, load, refuse

from tfake.config.completion import complete_config
from tfake.config.faults import dotted
from tfake.config.plan import Plan
from tfake.config.preflight import find_dated_ahead


def test_null_takes_an_entry_away(tmp_path):
    config = load(tmp_path, "conditions: {cold: null}\nvariants:\n  cold:\ncameras: {lepton_160x120: ~}")
    assert set(config["conditions"]) == {"warm"}
    assert set(config["variants"]) == {"warm", "heat"}
    assert set(config["cameras"]) == {"flir_e60_320x240"}
    assert Plan(config).trained == ("warm",)
    assert config["landmarks"]["variants"] == ["warm", "heat"]
    assert config["ablation"]["conditions"] == ["warm"]


@pytest.mark.parametrize("text", ["variants={cold: null}", "variants={cold: ~}"])
def test_null_takes_an_entry_away_on_the_command_line(text):
    from snakemake.cli import parse_config

    config = copy.deepcopy(DEFAULTS)
    update_config(config, parse_config([text]))
    assert set(complete_config(config)["variants"]) == {"warm", "heat"}


def test_null_takes_entries_away_in_every_block_of_names(tmp_path):
    text = """
    ablation: {arms: {mse: null}}
    evaluation: {sets: {tfw: null}, landmarkers: {joint_70: null}}
    thermalizers: {warm: null}
    conditions: {warm: {prior: {offsets_kelvin: {SKIN: null}}}}
    """
    config = load(tmp_path, text)
    assert "mse" not in config["ablation"]["arms"]
    assert "tfw" not in config["evaluation"]["sets"]
    assert config["evaluation"]["landmarkers"] == config["thermalizers"] == {}
    assert config["conditions"]["warm"]["prior"]["offsets_kelvin"] == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("conditions: {cold: null}", "variants.cold.condition is 'cold'; the conditions are warm; your config takes"),
        (
            "variants: {warm: null, seen: {of: warm, camera: lepton_160x120}}",
            "variants.seen.of is 'warm'; the variants are cold, heat; your config takes variants.warm away",
        ),
        (
            "cameras: {lepton_160x120: null}\nvariants: {seen: {of: warm, camera: lepton_160x120}}",
            "variants.seen.camera is 'lepton_160x120'; the cameras are flir_e60_320x240; your config takes",
        ),
        (
            "variants: {cold: null}\nlandmarks: {variants: [warm, cold]}",
            "landmarks.variants[1] is 'cold'; the variants are warm, heat; your config takes variants.cold away",
        ),
        ("variants: {cold: null}\npublication: {variants: [cold]}", "publication.variants[0] is 'cold'"),
        (
            "conditions: {cold: null}\nvariants: {cold: null}\nablation: {conditions: [cold]}",
            "ablation.conditions[0] is",
        ),
        (
            "variants: {warm: null, cold: null, heat: null}",
            "variants is {}; expected a mapping with at least one entry",
        ),
    ],
)
def test_what_refers_to_an_entry_that_was_taken_away_says_so(tmp_path, text, message):
    assert message in refuse(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("variants: {warm: {condition: hot}}", "variants.warm.condition is 'hot'; the conditions are warm, cold"),
        ("variants: {x: {of: wram, camera: lepton_160x120}}", "the variants are warm, cold, heat; did you mean warm?"),
        (
            "variants: {x: {of: y, camera: lepton_160x120}, y: {of: x, camera: lepton_160x120}}",
            "variants.x.of is 'y', which is recorded from another variant itself; it must be one of warm, cold, heat",
        ),
        ("variants: {x: {of: x, camera: lepton_160x120}}", "variants.x.of is 'x', which is recorded"),
        (
            "variants: {x: {of: warm}}",
            "variants.x has of; expected ambient_celsius; or condition, ambient_celsius; or of, camera; or files",
        ),
        (
            "variants: {x: {files: a.zip, ambient_celsius: 20}}",
            "variants.x has ambient_celsius, files; expected ambient_celsius; or condition, ambient_celsius; or of",
        ),
        (
            "variants: {seen: {of: warm, camera: lepton_160x120, heat: {seed: 1}}}",
            "variants.seen.heat is for temperatures that are made here; the variant takes those of others",
        ),
        (
            "variants: {a: {files: t.zip, points: null, license: CC, condition: warm, ambient_celsius: 26, heat: {}}}",
            "variants.a.heat is for temperatures that are made here; the variant takes those of others",
        ),
        (
            "variants: {heat: {heat: {state: {fever_kelvins: 1}}}}",
            "variants.heat.heat.state.fever_kelvins is no key; did you mean fever_kelvin?",
        ),
        (
            "variants: {heat: {heat: {persons: nobody}}}",
            "variants.heat.heat.persons is 'nobody'; expected one of drawn, mean",
        ),
        ("heat: {lens: {blur_pixels: -1}}", "heat.lens.blur_pixels is -1; expected a number, at least 0"),
        (
            "cameras: {a: {preset: nikon}}",
            "cameras.a.preset is 'nikon'; the cameras are flir_e60_320x240, lepton_160x120",
        ),
        ("cameras: {a: {preset: b}, b: {preset: a}}", "cameras.a.preset is 'b', which has a preset itself"),
        ("cameras: {a: {netd_kelvin: 1}}", "cameras.a has netd_kelvin; expected preset; or native_pixels"),
        ("thermalizers: {hot: {weights: w.pt, sha256: null}}", "thermalizers.hot is for no condition"),
        ("thermalizers: {warm: {weights: 'https://a/w.pt', sha256: null}}", "weights from a URL need their SHA-256"),
        (
            "landmarks: {variants: [worm]}",
            "landmarks.variants[0] is 'worm'; the variants are warm, cold, heat; did you mean",
        ),
        (
            "report: {reference: {path: x, variant: w}}",
            "report.reference.variant is 'w'; the variants are warm, cold, heat",
        ),
        ("ablation: {conditions: [hot]}", "ablation.conditions[0] is 'hot'; the conditions are warm, cold"),
        ("source: {images: 3}\nsource: {images: 4}", "source is there twice, in lines 1 and 2 of mine.yaml"),
    ],
)
def test_names_that_lead_nowhere_are_refused(tmp_path, text, message):
    assert message in refuse(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("conditions: {warm: {ambient_celsius: [30, 20]}}", "expected the lower value first"),
        (
            "conditions: {warm: {ambient_celsius: [20, 30]}}",
            "variants.warm.ambient_celsius is null; its condition 'warm'",
        ),
        (
            "variants: {warm: {ambient_celsius: 19}}",
            "variants.warm.ambient_celsius is 19; its condition 'warm' is trained",
        ),
        ("variants: {x: {ambient_celsius: null}}", "variants.x.ambient_celsius is null; a variant without a condition"),
        (
            "heat: {lens: null}\nvariants: {heat: {heat: {lens: {blur_pixels: 2}}}}",
            "variants.heat.heat.lens lacks netd_kelvin: heat.lens is null, and has nothing to take over",
        ),
        (
            "heat: {persons: mean, state: {fever_kelvin: 1}}",
            "heat.state has fever_kelvin; a state is one person's, and heat has persons: mean",
        ),
        (
            "variants: {heat: {heat: {persons: mean, state: {breath: -1}}}}",
            "variants.heat.heat.state has breath; a state is one person's, and heat has persons: mean",
        ),
        ("conditions: {warm: {ambient_celsius: 5}}", "thermalizer.output_celsius is [10.0, 45.0]"),
        ("conditions: {warm: {ambient_celsius: 70}}", "at most 60"),
        (
            "conditions: {warm: {ambient_celsius: 40, prior: {table: charlotte}}}",
            "charlotte, which answers for rooms of 10 to 34 °C; it is read at 40 °C",
        ),
        ("conditions: {warm: {prior: {read_at_celsius: 45}}}", "it is read at 45 °C"),
        ("conditions: {warm: {prior: {table: nowhere.csv}}}", "is nowhere.csv, which cannot be read"),
        ("thermalizer: {output_celsius: [45, 10]}", "thermalizer.output_celsius is [45, 10]; expected the lower"),
        ("thermalizer: {image_pixels: 100}", "expected a multiple of 16, the stride of its decoder_channels"),
        ("thermalizer: {patience: 3, validate_every: 0}", "thermalizer.patience is 3; expected 0 where nothing"),
        ("landmarks: {crop_scale: [2, 1]}", "landmarks.crop_scale is [2, 1]; expected the lower value first"),
        ("cameras: {a: {preset: lepton_160x120, face_pixels: [9, 3]}}", "cameras.a.face_pixels is [9, 3]"),
        ("labels: {reject_above: 0.01}", "labels.reject_above is 0.01; expected at least labels.retry_above, 0.04"),
        ("variants: {warm: {images: [1, 64]}}", "variants.warm.images is [1, 64]; it must be whole shards of 32 rows"),
        ("variants: {warm: {images: [0, 640]}}", "within [0, 96]"),
        ("source: {archive: dataset_100, images: 101}", "source.images is 101; dataset_100 has 100"),
        ("source: {archive: dataset_100000_parts, images: 100001}", "dataset_100000_parts has 100000"),
        ("realism: {real: {warm: {path: x, values: relative}}}", "realism.real.warm is the name of a variant, too"),
        (
            "realism: {real: {a: {path: x, values: relative, subject_pattern: S1}}}",
            "expected a regular expression with one group in parentheses, the person; found 0",
        ),
        (
            "realism: {real: {a: {path: x, values: relative, subject_pattern: '(S'}}}",
            "expected a regular expression: missing )",
        ),
        (
            "retargeting: {drivers: {l00_rest_smile: {path: film.mp4, expression: smile}}}",
            "retargeting.drivers.l00_rest_smile is a name that sequences of motion curves have",
        ),
        ("realism: {variants: [warmer]}", "realism.variants[0] is 'warmer'; the variants are warm, cold"),
        (
            "conditions: {every_room: {ambient_celsius: 20, bank: {path: null, values: celsius}, "
            "prior: {table: charlotte, read_at_celsius: null, offsets_kelvin: {}}, "
            "pairs: {path: null, layout: stems, values: celsius, "
            "ambient_celsius: null, supervision: absolute}}}",
            "conditions.every_room is a name that the ablation keeps for itself",
        ),
    ],
)
def test_values_that_contradict_each_other_are_refused(tmp_path, text, message):
    assert message in refuse(tmp_path, text)


def test_conditions_may_all_be_ranges(tmp_path):
    text = """
    conditions: {warm: {ambient_celsius: [22, 30]}, cold: {ambient_celsius: [12, 21]}}
    variants: {warm: {ambient_celsius: 25}, cold: {ambient_celsius: 15}}
    """
    config = load(tmp_path, text)
    assert Plan(config).fixed_ambient == ()
    assert Plan(config).ambients == {"warm": 25, "cold": 15, "heat": 23.0}
    assert config["ablation"]["conditions"] == []


def test_the_plan_reads_every_kind_of_variant(tmp_path):
    text = """
    cameras: {close: {preset: lepton_160x120, netd_kelvin: 0.2}}
    variants:
      seen: {of: cold, camera: close, images: [32, 96]}
      theirs: {files: t.zip, points: null, license: CC, condition: warm, ambient_celsius: null}
    """
    plan = Plan(load(tmp_path, text))
    assert (plan.thermalized, plan.recorded, plan.imported) == (("warm", "cold"), ("seen",), ("theirs",))
    assert (plan.modelled, plan.generated) == (("heat",), ("warm", "cold", "heat"))
    assert plan.ambients == {"warm": 26.0, "cold": 20.0, "theirs": 26.0, "seen": 20.0, "heat": 23.0}
    assert (plan.rows("seen"), plan.shards("seen"), plan.shards("warm")) == ([32, 96], range(1, 3), range(3))
    assert (plan.cameras["close"]["netd_kelvin"], plan.cameras["close"]["blur_pixels"]) == (0.2, 0.6)
    assert "preset" not in plan.cameras["close"]


def test_a_variant_changes_parts_of_its_heat(tmp_path):
    text = """
    heat: {seed: 3, lens: {blur_pixels: 2}}
    variants:
      heat: {heat: {state: {nose_kelvin: -3}, lens: {netd_kelvin: 0.1}}}
      sharp: {ambient_celsius: 18, heat: {lens: null, persons: mean}}
    """
    plan = Plan(load(tmp_path, text))
    state = {"fever_kelvin": 0.0, "nose_kelvin": 0.0, "canthi_kelvin": 0.0, "perfusion": 1.0, "breath": None}
    common = {"persons": "drawn", "seed": 3, "tables": "measured", "state": state}
    assert plan.heat("warm") == common | {"lens": {"blur_pixels": 2, "netd_kelvin": 0.03}}
    own = {"state": state | {"nose_kelvin": -3}, "lens": {"blur_pixels": 2, "netd_kelvin": 0.1}}
    assert plan.heat("heat") == common | own
    assert plan.heat("sharp") == common | {"persons": "mean", "lens": None}


def test_a_config_of_modelled_variants_alone_trains_nothing(tmp_path):
    plan = Plan(load(tmp_path, "variants: {warm: null, cold: null}"))
    assert (plan.variants, plan.awaited, plan.trained) == (("heat",), (), ("warm", "cold"))


def test_files_dated_ahead_are_named_with_what_mends_them(tmp_path):
    config = load(tmp_path, "source: {archive: [a.zip, b.zip]}\nconditions: {warm: {bank: {path: bank}}}")
    now = 1_000_000_000
    (tmp_path / "bank").mkdir()
    index = tmp_path / "results/source/index.parquet"
    index.parent.mkdir(parents=True)
    for path in (tmp_path / "a.zip", tmp_path / "b.zip", tmp_path / "bank", index):
        if not path.exists():
            path.touch()
        os.utime(path, (now, now + 30))
    assert find_dated_ahead(config, tmp_path, now) == []
    for path in (tmp_path / "b.zip", tmp_path / "bank", index):
        os.utime(path, (now, now + 3600))
    faults = {dotted(fault.path): fault.text for fault in find_dated_ahead(config, tmp_path, now)}
    assert list(faults) == ["source.archive[1]", "conditions.warm.bank.path", "results/source/index.parquet"]
    assert f"`touch {tmp_path}/b.zip`" in faults["source.archive[1]"]
    (command,) = re.findall("`(find .*)`", faults["results/source/index.parquet"])
    (tmp_path / "resources").mkdir()
    subprocess.run(command, shell=True, check=True, cwd=tmp_path)
    assert index.stat().st_mtime == now
