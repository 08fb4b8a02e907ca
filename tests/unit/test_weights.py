"""Thermalizer files: equal bytes for equal networks, and clear words for every other file."""

import json

import numpy as np
import pytest
import torch

from tfake.thermalizer.inference import Thermalizer
from tfake.thermalizer.thermal_unet import Architecture, ThermalUNet
from tfake.thermalizer.thermalizer_file import FORMAT, load_thermalizer, save_provenance, save_weights
from tfake.thermalizer.thermalizer_settings import TrainingSettings

SMALL = Architecture("resnet18", (16, 8, 8), (12.0, 44.0))
CPU = torch.device("cpu")


def build(seed=0, architecture=SMALL):
    torch.manual_seed(seed)
    return ThermalUNet(architecture)


def test_a_thermalizer_comes_back_as_it_was(tmp_path):
    network = build()
    save_weights(tmp_path / "w.pt", network, "cold")
    thermalizer = load_thermalizer(tmp_path / "w.pt", CPU, "float32")
    assert thermalizer.condition == "cold"
    assert thermalizer.network.architecture == SMALL
    rgb = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    classes = np.ones((1, 32, 32), np.uint8)
    expected = Thermalizer(network, CPU, "float32").thermalize(rgb, classes, 20.0)
    np.testing.assert_array_equal(thermalizer.thermalize(rgb, classes, 20.0), expected)


def test_equal_networks_make_equal_files_whatever_their_names(tmp_path):
    digests = [save_weights(tmp_path / name, build(), "warm") for name in ("a.pt", "another_name.pt")]
    assert digests[0] == digests[1]
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "another_name.pt").read_bytes()
    assert save_weights(tmp_path / "b.pt", build(seed=1), "warm") != digests[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.pt", "another_name.pt", "b.pt"]


def test_loading_leaves_the_global_generator_alone(tmp_path):
    save_weights(tmp_path / "w.pt", build(), "warm")
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    load_thermalizer(tmp_path / "w.pt", CPU)
    assert torch.equal(torch.rand(3), expected)


def test_another_architecture_is_named(tmp_path):
    save_weights(tmp_path / "w.pt", build(), "warm")
    expected = Architecture("resnet34", (16, 8, 8), (12.0, 44.0))
    with pytest.raises(ValueError, match=r"w\.pt.*expected.*resnet34.*found.*resnet18"):
        load_thermalizer(tmp_path / "w.pt", CPU, expected=expected)


def test_tensors_of_another_architecture_are_named(tmp_path):
    save_weights(tmp_path / "w.pt", build(), "warm")
    payload = torch.load(tmp_path / "w.pt", weights_only=True)
    payload["decoder_channels"] = (32, 8, 8)
    torch.save(payload, tmp_path / "w.pt")
    with pytest.raises(ValueError, match=r"w\.pt.*do not fit.*32"):
        load_thermalizer(tmp_path / "w.pt", CPU)


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 cut short"])
def test_a_file_of_another_kind_is_named(tmp_path, content):
    (tmp_path / "w.pt").write_bytes(content)
    with pytest.raises(ValueError, match=r"w\.pt: not a thermalizer file"):
        load_thermalizer(tmp_path / "w.pt", CPU)


@pytest.mark.parametrize("payload", [{"weight": torch.zeros(1)}, [1, 2], {"format": "other"}])
def test_other_tensors_are_named(tmp_path, payload):
    torch.save(payload, tmp_path / "w.pt")
    with pytest.raises(ValueError, match=rf"w\.pt: not a thermalizer file: expected the format '{FORMAT}'"):
        load_thermalizer(tmp_path / "w.pt", CPU)


def test_a_file_with_code_in_it_is_refused(tmp_path):
    torch.save({"format": FORMAT, "network": build()}, tmp_path / "w.pt")
    with pytest.raises(ValueError, match="not a thermalizer file"):
        load_thermalizer(tmp_path / "w.pt", CPU)


def test_a_missing_file_is_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_thermalizer(tmp_path / "w.pt", CPU)


def test_provenance_tells_everything_and_no_time(tmp_path):
    settings = TrainingSettings(seed=4)
    for name in ("a.json", "b.json"):
        save_provenance(
            tmp_path / name,
            settings,
            weights_sha256="ab",
            precision="float32",
            condition="warm",
            ambient_celsius=(26.0, 26.0),
            prior="tfake2025",
            pair_values="celsius",
            supervision="absolute",
            pairs=48,
            validation_pairs=6,
            sources=96,
            source_sha256="cd",
            device="cpu",
            threads=2,
        )
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    record = json.loads((tmp_path / "a.json").read_text())
    assert TrainingSettings.from_mapping(record["settings"]) == settings
    assert record["architecture"]["encoder"] == settings.encoder
    assert record["versions"]["torch"] == torch.__version__.split("+")[0]
    assert {"weights_sha256", "source_sha256", "condition", "ambient_celsius", "seed", "precision"} <= set(record)
