"""Small landmark networks: their sizes as documented, and that they train, are packed and are exported like others."""

import re

import numpy as np
import pytest
import torch

from recipes import ROOT
from tfake.landmarks.landmark_network import LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmark_training import train_landmarks
from tfake.landmarks.landmarker_file import load_landmark_weights, save_landmark_weights
from tfake.landmarks.release import load_release, save_release
from tfake.training.loop import RunControl
from tiny_landmarks import CPU, make_faces, settings

pytestmark = pytest.mark.usefixtures("one_thread")
#: Backbone and width of the neck, as docs/landmarks.md has them.
SMALL = [
    ("lcnet_035", 32),
    ("mobilenetv3_small_050", 64),
    ("lcnet_050", 64),
    ("mobilenetv4_conv_small_035", 64),
    ("mobilenetv4_conv_small_050", 64),
]
FACES = make_faces(6)


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_documented_sizes_are_true():
    text = (ROOT / "docs/landmarks.md").read_text()
    rows = re.findall(r"(?m)^\| `(\w+)`(?:, `\w+: \w+`)* \| (\d+) \| ([\d,]+) \|", text)
    assert {(name, int(width)) for name, width, _ in rows} > set(SMALL)
    for name, width, said in rows:
        network = LandmarkNetwork(LandmarkArchitecture(70, name, neck_channels=int(width)))
        assert count(network) == int(said.replace(",", "")), name


@pytest.mark.parametrize(("backbone", "neck"), SMALL)
def test_they_train_and_their_files_give_them_back(tmp_path, backbone, neck):
    chosen = settings(backbone=backbone, neck_channels=neck)
    trained = train_landmarks(chosen, FACES[:4], FACES[4:], 70, RunControl(CPU))
    assert np.isfinite(trained.losses["total"]).all()
    assert count(trained.network) < 450_000
    save_landmark_weights(tmp_path / "weights.pt", trained.network, trained.calibration)
    save_release(tmp_path / "packed.pt", trained.network, trained.calibration)
    images = torch.rand(2, 3, 32, 32)
    with torch.inference_mode():
        expected = trained.network(images)
        again, _ = load_landmark_weights(tmp_path / "weights.pt")
        assert again.architecture.neck_channels == neck
        assert torch.equal(again(images), expected)
        packed, _, _ = load_release(tmp_path / "packed.pt")
        torch.testing.assert_close(packed(images), expected, atol=0.05, rtol=0)
    assert (tmp_path / "packed.pt").stat().st_size < 0.5 * (tmp_path / "weights.pt").stat().st_size


def test_a_neck_has_channels():
    with pytest.raises(ValueError, match="neck_channels must be at least 1; found 0"):
        LandmarkNetwork(LandmarkArchitecture(70, "lcnet_035", neck_channels=0))
    with pytest.raises(ValueError, match="neck_channels"):
        settings(neck_channels=0)


@pytest.mark.slow
@pytest.mark.parametrize(("backbone", "neck"), SMALL)
def test_they_are_exported(tmp_path, backbone, neck):
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    from tfake.landmarks.onnx_export import export_landmarks
    from tfake.landmarks.onnx_finder import LANDMARKS_FORMAT, OnnxFinder, OnnxSession

    network = LandmarkNetwork(LandmarkArchitecture(70, backbone, neck_channels=neck, image_pixels=32)).eval()
    export_landmarks(tmp_path / "n.onnx", network, 0.1)
    finder = OnnxFinder(OnnxSession(tmp_path / "n.onnx", LANDMARKS_FORMAT))
    images = torch.rand(3, 3, 32, 32)
    with torch.inference_mode():
        np.testing.assert_allclose(finder(images.numpy()), network(images).numpy(), atol=1e-4)
