"""A config as users write it: taken as meant, or refused with the key, its place and the nearest known one."""

import copy

import pytest
import yaml
from snakemake.utils import update_config

from recipes import ROOT
from tfake.config.completion import complete_config
from tfake.config.faults import ConfigError, ConfigFiles
from tfake.config.plan_rules import NEUTRAL_SETTINGS, with_neutral, without_neutral
from tfake.config.preflight import check_compared, check_folders

DEFAULTS = yaml.safe_load((ROOT / "config.yaml").read_text())


def load(folder, text):
    """Complete a config file's text, merged over the defaults as Snakemake merges it."""
    file = folder / "mine.yaml"
    file.write_text(text)
    config = copy.deepcopy(DEFAULTS)
    update_config(config, yaml.load(text, Loader=yaml.FullLoader))
    return complete_config(config, [file])


def refuse(folder, text):
    """The message that a config file's text is refused with."""
    with pytest.raises(ConfigError) as caught:
        load(folder, text)
    return str(caught.value)


def test_the_defaults_are_taken_as_they_are():
    before = copy.deepcopy(DEFAULTS)
    complete = complete_config(DEFAULTS)
    assert before == DEFAULTS
    filled = {"landmarks": {"variants": ["warm", "cold", "heat"]}, "ablation": {"conditions": ["warm", "cold"]}}
    filled["realism"] = {"variants": ["warm", "cold", "heat"]}
    filled["report"] = {"reference": {"variant": "warm"}}
    update_config(before, filled)
    assert complete == before


def test_a_key_that_is_left_out_has_its_default():
    config = copy.deepcopy(DEFAULTS)
    del config["thermalizer"]["decoder_channels"], config["report"]["gallery_images"], config["device"]
    assert complete_config(config) == complete_config(DEFAULTS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("thermalizer:\n  stesp: 3", "thermalizer.stesp is no key; did you mean steps? (mine.yaml, line 2)"),
        ("sauce: 1", "sauce is no key; did you mean source? (mine.yaml, line 1)"),
        ("images: 3", "images is no key here; there is source.images and variants.NAME.images"),
        ("store: {zzz: 1}", "store.zzz is no key; the keys here are rgb, shard_images, shards_per_job"),
        ("thermalizer: {zzz: 1}", "thermalizer.zzz is no key; config/README.md has all keys"),
        ("conditions: {warm: {ambient: 3}}", "conditions.warm.ambient is no key; did you mean ambient_celsius?"),
        (
            "conditions: {warm: {prior: {offsets_kelvin: {SKNI: 1}}}}",
            "conditions.warm.prior.offsets_kelvin.SKNI is no name; did you mean SKIN?",
        ),
        (
            "conditions: {warm: {pairs: {values: {counts: {per_kelvin: 10, ofset: 0}}}}}",
            "conditions.warm.pairs.values.counts.ofset is no key; did you mean offset? (mine.yaml, line 1)",
        ),
        (
            "conditions: {cellar: {ambient_celsius: 12}}",
            "conditions.cellar lacks prior, pairs, bank (mine.yaml, line 1)",
        ),
    ],
)
def test_a_key_that_is_not_known_is_named_with_the_nearest_that_is(tmp_path, text, message):
    found = refuse(tmp_path, text)
    assert message in found
    assert len(found.splitlines()) == 1
    assert found.startswith("config: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("source: {images: 0}", "source.images is 0; expected an integer, at least 1: How many samples"),
        ("source: {images: -3}", "source.images is -3; expected an integer, at least 1"),
        ("source: {images: '0'}", "source.images is 0; expected an integer, at least 1"),
        ("source: {images: 96.5}", "source.images is 96.5 (a number); expected an integer"),
        ("source: {images: many}", "source.images is 'many' (text); expected an integer"),
        ("source: {images: [3]}", "source.images is [3] (a list); expected an integer"),
        (
            "source: {image_pixels: 100}",
            "source.image_pixels is 100; expected an integer, at least 64, a multiple of 32",
        ),
        ("source:\n  # images: 3", "source is empty (null); expected a mapping, or leave it out (mine.yaml, line 1)"),
        ("variants: [warm]", "variants is ['warm'] (a list); expected a mapping with at least one entry"),
        ("variants: warm", "variants is 'warm' (text); expected a mapping"),
        ("compare: [a]", "compare is ['a'] (a list); expected null or a list of 2 values, each text"),
        ("device: gpu", "device is 'gpu'; expected one of auto, cpu, cuda"),
        ("publication: {version: 1.0}", "publication.version is 1.0 (a number); expected text of the form"),
        ("thermalizer: {learning_rate: .nan}", "thermalizer.learning_rate is nan; expected a finite number"),
        ("thermalizer: {compile: perhaps}", "thermalizer.compile is 'perhaps' (text); expected true or false"),
        (
            "ablation: {seeds: [0, 0]}",
            "ablation.seeds is [0, 0]; expected a list of at least 1 values, each an integer",
        ),
        (
            "thermalizer: {encoder_weights: coco}",
            "thermalizer.encoder_weights is 'coco' (text); expected null or imagenet",
        ),
        (
            "source: {archive: []}",
            "source.archive is [] (a list); expected null or text or a list of at least 1 values",
        ),
        (
            "cameras: {flir_e60_320x240: {face_pixels: [9, a]}}",
            "face_pixels[1] is 'a' (text); expected a number, above 0",
        ),
        ("thermalizer: {patch_scales: [1, a]}", "thermalizer.patch_scales[1] is 'a' (text); expected an integer"),
    ],
)
def test_a_value_of_another_type_or_range_is_told_what_it_may_be(tmp_path, text, message):
    found = refuse(tmp_path, text)
    assert message in found
    assert len(found.splitlines()) == 1


@pytest.mark.parametrize("name", ["Warm", "WARM", "a/b", "a b", "a.b", "2nd", "_a", "ü", "''"])
def test_names_that_some_file_system_takes_for_others_are_refused(tmp_path, name):
    found = refuse(tmp_path, f"variants: {{{name}: {{condition: warm, ambient_celsius: null}}}}")
    assert "is no name; expected lower-case letters, digits and _, a letter first" in found


@pytest.mark.parametrize(("name", "read_as"), [("no", "true or false"), ("on", "true or false"), ("12", "an integer")])
def test_names_that_yaml_takes_for_something_else_are_to_be_quoted(tmp_path, name, read_as):
    found = refuse(tmp_path, f"variants: {{{name}: {{condition: warm, ambient_celsius: null}}}}")
    assert f"is a key that YAML reads as {read_as}: write it in quotes" in found


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("source: {archive: ['my{set}.zip']}", "source.archive[0]"),
        ("source: {archive: ['my{1}.zip']}", "source.archive[0]"),
        ("conditions: {warm: {pairs: {path: 'a/{x, y}/b'}}}", "conditions.warm.pairs.path"),
        ("variants: {'a{b}': {condition: warm, ambient_celsius: null}}", "variants.a{b}"),
        ("landmark_study: {pictures: {lwir: '/data/{ lwir }'}}", "landmark_study.pictures.lwir"),
    ],
)
def test_braces_that_snakemake_takes_for_wildcards_are_refused(tmp_path, text, place):
    found = refuse(tmp_path, text)
    assert f"config: {place} is " in found
    assert "Snakemake takes" in found


def test_braces_that_are_no_wildcards_may_stay(tmp_path):
    assert load(tmp_path, "source: {archive: ['a{.zip', 'b}.zip']}")["source"]["archive"] == ["a{.zip", "b}.zip"]


def test_a_folder_with_braces_is_named(tmp_path):
    for workflow, run in ((tmp_path / "{a}", tmp_path), (tmp_path, tmp_path / "r{1}")):
        with pytest.raises(ConfigError, match="Snakemake takes braces for wildcards"):
            check_folders(workflow, run)
    check_folders(tmp_path, tmp_path)


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("thermalizer: {learning_rate: 1e-3}", ("thermalizer", "learning_rate"), 1e-3),
        ("thermalizer: {learning_rate: '.5'}", ("thermalizer", "learning_rate"), 0.5),
        ("thermalizer: {steps: 1e3}", ("thermalizer", "steps"), 1000),
        ("thermalizer: {steps: '20'}", ("thermalizer", "steps"), 20),
        ("source: {images: 64.0}", ("source", "images"), 64),
        ("thermalizer: {compile: 'true'}", ("thermalizer", "compile"), True),
        ("thermalizer: {encoder_weights: 'null'}", ("thermalizer", "encoder_weights"), None),
        ("thermalizer: {output_celsius: ['1e1', '45']}", ("thermalizer", "output_celsius"), [10, 45]),
        ("conditions: {warm: {ambient_celsius: '2.5e1'}}", ("conditions", "warm", "ambient_celsius"), 25),
        ("publication: {date: 2026-01-31}", ("publication", "date"), "2026-01-31"),
        ("publication: {creators: ['12']}", ("publication", "creators"), ["12"]),
        ("compare: 'null'", ("compare",), None),
        ("source: {license: 'true'}", ("source", "license"), "true"),
    ],
)
def test_values_are_taken_as_their_key_means_them(tmp_path, text, path, value):
    config = load(tmp_path, text)
    for part in path:
        config = config[part]
    assert config == value
    assert type(config) is type(value)


def test_a_home_folder_is_written_out(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    found = load(tmp_path, "source: {archive: [~/faces.zip]}")["source"]["archive"]
    assert found == ["/somewhere/faces.zip"]


def test_many_faults_are_one_message_of_few_lines(tmp_path):
    text = "thermalizer: {" + ", ".join(f"key_{number}: 1" for number in range(20)) + "}"
    lines = refuse(tmp_path, text).splitlines()
    assert len(lines) == 9
    assert lines[-1] == "config: and 12 more"


def test_the_last_file_that_has_a_key_is_named(tmp_path):
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("source:\n  images: 3\nstore: {shard_images: 2}\n")
    second.write_text("# mine\nsource:\n\n  images: 4\n")
    files = ConfigFiles([first, second])
    assert files.locate(("source", "images")) == "second.yaml, line 4"
    assert files.locate(("store", "shard_images")) == "first.yaml, line 3"
    assert files.locate(("source", "archive")) is None


def test_neutral_settings_go_and_come_back():
    settings = DEFAULTS["thermalizer"]
    assert set(settings) - set(without_neutral(settings)) == set(NEUTRAL_SETTINGS) & set(settings)
    assert {"checkpoint_every", "compile"} <= set(NEUTRAL_SETTINGS)
    changed = {**settings, "checkpoint_every": 7, "compile": True, "steps": 1}
    assert with_neutral(without_neutral(settings), changed) == {**settings, "checkpoint_every": 7, "compile": True}


def test_two_datasets_to_compare_must_be_there(tmp_path):
    with pytest.raises(ConfigError, match="compare is empty; name two datasets: snakemake compare --config"):
        check_compared(None)
    sealed = tmp_path / "sealed/results/faces/SHA256SUMS"
    sealed.parent.mkdir(parents=True)
    sealed.touch()
    (tmp_path / "bare").mkdir()
    folders = {name: str(tmp_path / name) for name in ("sealed", "bare", "gone")}
    with pytest.raises(ConfigError, match=r"compare\[1\] is .*bare, which has no sealed store"):
        check_compared([folders["sealed"], folders["bare"]])
    with pytest.raises(ConfigError, match=r"compare\[1\] is .*gone, which is no folder"):
        check_compared([folders["sealed"], folders["gone"]])
    assert check_compared([folders["sealed"]] * 2) == [folders["sealed"]] * 2
