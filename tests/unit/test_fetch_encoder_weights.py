"""Pretrained encoders: fetched once into a file, from which a training starts without a network."""

import re
import subprocess
import sys

import pytest
import segmentation_models_pytorch as smp
import timm
import torch

from recipes import ROOT
from tfake.core.devices import explain_full_memory
from tfake.landmarks.landmark_network import LandmarkArchitecture, LandmarkNetwork
from tfake.store.manifest import file_sha256
from tfake.studies.costs import measure_costs
from tfake.thermalizer.thermal_unet import Architecture, ThermalUNet
from tfake.thermalizer.thermalizer_settings import TrainingSettings
from tfake.training.rng import RngStream, derive_seed
from thermalizers.fetch_encoder_weights import fetch_encoder_weights
from tiny_training import CPU, TINY, make_data, run

THERMALIZER = {"encoder": "resnet18", "encoder_weights": "imagenet", "decoder_channels": [16, 8, 8]}
LANDMARKS = {"backbone": "resnet10t", "pretrained": True, "head": "pooled"}


@pytest.fixture
def published(monkeypatch):
    """Pretrained weights are other ones than random; who asks for them is noted."""
    asked = []
    build_unet, build_backbone = smp.Unet, timm.create_model

    def build(original, wanted, *args, **kwargs):
        network = original(*args, **kwargs)
        if wanted:
            asked.append(args or kwargs["encoder_name"])
            with torch.no_grad():
                for parameter in getattr(network, "encoder", network).parameters():
                    parameter.mul_(0.5).add_(0.01)
        return network

    def unet(encoder_weights=None, **kwargs):
        return build(build_unet, encoder_weights, encoder_weights=None, **kwargs)

    def backbone(name, pretrained=False, **kwargs):
        return build(build_backbone, pretrained, name, pretrained=False, **kwargs)

    monkeypatch.setattr(smp, "Unet", unet)
    monkeypatch.setattr(timm, "create_model", backbone)
    return asked


def test_a_thermalizer_starts_from_the_file(tmp_path, published):
    path = tmp_path / "thermalizer.pt"
    torch.manual_seed(0)
    fetch_encoder_weights(str(path), "thermalizer", THERMALIZER)
    assert len(published) == 1
    architecture = Architecture("resnet18", (16, 8, 8), (10.0, 45.0))
    torch.manual_seed(0)
    fetched = ThermalUNet(architecture, "imagenet").body.encoder.state_dict()
    published.clear()
    read = ThermalUNet(architecture, path).body.encoder.state_dict()
    assert not published
    assert all(torch.equal(read[name], fetched[name]) for name in fetched)
    digest = file_sha256(path)
    torch.manual_seed(0)
    fetch_encoder_weights(str(path), "thermalizer", THERMALIZER)
    assert file_sha256(path) == digest


def test_a_training_reads_the_file_and_asks_nobody(tmp_path, published):
    path = tmp_path / "thermalizer.pt"
    torch.manual_seed(derive_seed(0, RngStream.NETWORK))
    fetch_encoder_weights(str(path), "thermalizer", THERMALIZER)
    fetched = run(encoder_weights="imagenet", steps=1)
    published.clear()
    read = run(encoder_weights="imagenet", steps=1, encoder=path)
    assert not published
    assert fetched.losses.equals(read.losses)


def test_a_landmark_network_starts_from_the_file(tmp_path, published):
    path = tmp_path / "landmarks.pt"
    torch.manual_seed(0)
    fetch_encoder_weights(str(path), "landmarks", LANDMARKS)
    architecture = LandmarkArchitecture(70, "resnet10t", "pooled", 32)
    torch.manual_seed(0)
    fetched = LandmarkNetwork(architecture, True).body.backbone.state_dict()
    published.clear()
    read = LandmarkNetwork(architecture, path).body.backbone.state_dict()
    assert not published
    assert all(torch.equal(read[name], fetched[name]) for name in fetched)


def test_a_file_of_another_encoder_is_refused(tmp_path, published):
    path = tmp_path / "thermalizer.pt"
    fetch_encoder_weights(str(path), "thermalizer", THERMALIZER)
    with pytest.raises(ValueError, match="weights of another encoder: expected resnet34, found resnet18"):
        ThermalUNet(Architecture("resnet34", (16, 8, 8), (10.0, 45.0)), path)
    with pytest.raises(ValueError, match="weights of another encoder: expected resnet10t, found resnet18"):
        LandmarkNetwork(LandmarkArchitecture(70, "resnet10t", "pooled", 32), path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="not a pretrained encoder file"):
        ThermalUNet(Architecture("resnet18", (16, 8, 8), (10.0, 45.0)), path)
    with pytest.raises(FileNotFoundError):
        ThermalUNet(Architecture("resnet18", (16, 8, 8), (10.0, 45.0)), tmp_path / "none.pt")


def test_a_full_memory_names_the_keys_to_lower():
    settings = TrainingSettings(batch_pairs=64, image_pixels=256)
    message = r"the memory of cpu, .* is full: lower thermalizer.batch_pairs \(64\), thermalizer.image_pixels \(256\)"
    with (
        pytest.raises(RuntimeError, match=message),
        explain_full_memory(CPU, "thermalizer.", settings, ("batch_pairs", "image_pixels")),
    ):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
    with pytest.raises(ValueError, match="other"), explain_full_memory(CPU, "", settings, ()):
        raise ValueError("other")


def test_the_plan_fetches_each_encoder_once_and_only_where_one_is_asked_for(tmp_path):
    def planned(*presets):
        config = ["--configfile", *(str(ROOT / f"config/presets/{preset}.yaml") for preset in presets)]
        call = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(tmp_path)]
        done = subprocess.run(
            [*call, "-n", "--quiet", "rules", *config, "--", "landmarks"], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return re.findall(r"(?m)^fetch_encoder_weights +(\d+)$", done.stdout)[:1]

    assert planned("tfake2025", "landmarks_tfake2025") == ["2"]
    assert planned("thorough") == []


def test_measuring_a_training_starts_from_the_file(tmp_path, published):
    settings = TrainingSettings.from_mapping(TINY | THERMALIZER)
    path = tmp_path / "thermalizer.pt"
    fetch_encoder_weights(str(path), "thermalizer", THERMALIZER)
    published.clear()
    measure_costs(settings, make_data(), CPU, 1, encoder=path)
    assert not published
