"""Weights that were trained elsewhere, T-FAKE's released state dict among them."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import segmentation_models_pytorch as smp
import torch

from faulty_server import serve
from tfake.acquisition.http import TransferError
from tfake.store.manifest import file_sha256
from tfake.thermalizer.thermal_unet import Architecture, ThermalUNet
from tfake.thermalizer.thermalizer_file import import_weights, load_thermalizer, save_weights
from thermalizers.download_weights import download_weights
from thermalizers.import_thermalizer import import_thermalizer

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def translator():
    """The network as T-FAKE's code builds it, with random weights."""
    torch.manual_seed(0)
    return smp.Unet("resnet34", encoder_weights=None, in_channels=3, classes=1, activation="sigmoid").eval()


def released(path, translator, form):
    state = translator.state_dict()
    if form == "parallel":
        state = torch.nn.DataParallel(translator).state_dict()
        assert all(name.startswith("module.") for name in state)
    elif form == "compiled":
        state = {f"_orig_mod.module.{name}": value for name, value in state.items()}
    elif form == "checkpoint":
        state = {"epoch": 10, "state_dict": state}
    torch.save(state, path)
    return path


@pytest.mark.parametrize("form", ["bare", "parallel", "compiled", "checkpoint"])
def test_the_released_translator_gives_what_it_gives_in_its_own_code(translator, tmp_path, form, one_thread):
    import_weights(tmp_path / "w.pt", released(tmp_path / "r.pt", translator, form), "warm")
    thermalizer = load_thermalizer(tmp_path / "w.pt", CPU, "float32")
    rng = np.random.default_rng(0)
    rgb, classes = rng.integers(0, 256, (1, 64, 96, 3), dtype=np.uint8), np.ones((1, 64, 96), np.uint8)
    with torch.inference_mode():
        expected = 20 + 20 * translator(torch.from_numpy(rgb).permute(0, 3, 1, 2).float() / 255)[:, 0].numpy()
    np.testing.assert_allclose(thermalizer.thermalize(rgb, classes, 20.0), expected, atol=2e-4)
    assert thermalizer.condition == "warm"


def test_import_thermalizer_checks_and_records_the_origin(translator, tmp_path):
    source = released(tmp_path / "r.pt", translator, "bare")
    sha256 = file_sha256(source)
    out = [str(tmp_path / name) for name in ("w.pt", "p.json")]
    with pytest.raises(ValueError, match=rf"r\.pt: its SHA-256 is {sha256}, thermalizers\.cold\.sha256 is 000"):
        import_thermalizer(*out, str(source), "0" * 64, "cold")
    assert not (tmp_path / "w.pt").exists()
    import_thermalizer(*out, str(source), sha256, "cold")
    record = json.loads((tmp_path / "p.json").read_text())
    assert record["weights_sha256"] == file_sha256(tmp_path / "w.pt")
    assert record["imported"] == {"sha256": sha256, "kind": "tfake-2025 state dict"}


def test_a_file_of_this_workflow_comes_back_byte_by_byte(tmp_path):
    torch.manual_seed(0)
    save_weights(tmp_path / "own.pt", ThermalUNet(Architecture("resnet18", (16, 8, 8), (12.0, 44.0))), "warm")
    import_weights(tmp_path / "w.pt", tmp_path / "own.pt", "warm")
    assert (tmp_path / "w.pt").read_bytes() == (tmp_path / "own.pt").read_bytes()


def test_an_imported_translator_can_be_imported_again(translator, tmp_path):
    import_weights(tmp_path / "once.pt", released(tmp_path / "r.pt", translator, "bare"), "warm")
    import_weights(tmp_path / "twice.pt", tmp_path / "once.pt", "warm")
    assert (tmp_path / "once.pt").read_bytes() == (tmp_path / "twice.pt").read_bytes()


class _Code:
    def __reduce__(self):
        return Path.touch, (Path("executed"),)


def test_a_pickle_with_code_is_refused_and_not_run(translator, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.pt").write_bytes(pickle.dumps(_Code()))
    torch.save(translator, tmp_path / "whole.pt")
    for name in ("evil.pt", "whole.pt"):
        with pytest.raises(ValueError, match=f"{name}: torch cannot read it as weights.*save its state_dict"):
            import_weights(tmp_path / "w.pt", tmp_path / name, "warm")
    assert not (tmp_path / "executed").exists()
    assert not (tmp_path / "w.pt").exists()


def test_other_tensors_are_named(translator, tmp_path):
    state = translator.state_dict()
    first = next(iter(state))
    torch.save({name: value for name, value in state.items() if name != first}, tmp_path / "less.pt")
    torch.save(state | {"extra": torch.zeros(1)}, tmp_path / "more.pt")
    torch.save(state | {first: torch.zeros(1)}, tmp_path / "unlike.pt")
    torch.save({"epoch": 3}, tmp_path / "number.pt")
    for name, message in (
        ("less", rf"1 missing \['body\.{first}'\]"),
        ("more", r"1 too many \['body\.extra'\]"),
        ("unlike", "1 of another shape"),
        ("number", r"expected tensors by name, found also \['epoch'\]"),
    ):
        with pytest.raises(ValueError, match=message):
            import_weights(tmp_path / "w.pt", tmp_path / f"{name}.pt", "warm")
    (tmp_path / "text.pt").write_text("404: Not Found")
    with pytest.raises(ValueError, match="torch cannot read it as weights"):
        import_weights(tmp_path / "w.pt", tmp_path / "text.pt", "warm")


def test_download_weights_takes_the_configured_file_only(tmp_path):
    (tmp_path / "served").mkdir()
    file = tmp_path / "served/w.pt"
    file.write_bytes(b"weights")
    with serve(tmp_path / "served") as server:
        download_weights(str(tmp_path / "a.pt"), f"{server.url}/w.pt", file_sha256(file))
        assert (tmp_path / "a.pt").read_bytes() == b"weights"
        with pytest.raises(TransferError, match="expected " + "0" * 64):
            download_weights(str(tmp_path / "b.pt"), f"{server.url}/w.pt", "0" * 64)
    assert not (tmp_path / "b.pt").exists()
