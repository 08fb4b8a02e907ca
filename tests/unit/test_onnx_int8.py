"""8-bit arithmetic: what stays float32, how far points move, that too far is refused, and what it is calibrated on."""

import cv2
import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

import onnx
from onnx import TensorProto

from tfake.landmarks.__main__ import main
from tfake.landmarks.calibration_crops import calibration_crops
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.onnx_export import pack_filters
from tfake.landmarks.onnx_finder import LANDMARKS_FORMAT, OnnxFinder, OnnxSession
from tfake.landmarks.onnx_int8 import Int8Arithmetic, Moved, measure_moved, nodes_in_float, quantise_arithmetic
from tiny_dataset import make_dataset
from tiny_int8 import PIXELS, write_network
from tiny_onnx import blobs, write_landmarker

CROPS = np.random.default_rng(0).random((32, 3, PIXELS, PIXELS), np.float32)


@pytest.fixture
def network(tmp_path):
    return write_network(tmp_path / "float.onnx")


def test_what_is_before_the_second_filter_and_from_the_last_on_stays_float(network):
    kept = nodes_in_float(onnx.load(network))
    decode = ["reshape", "split", "softmax", "read", "weigh", "sum", "positive"]
    assert kept == ["normalise", "first", "maps", *decode]


def test_points_stay_where_they_are_and_the_file_says_how_nearly(network, tmp_path):
    target = tmp_path / "int8.onnx"
    moved = quantise_arithmetic(network, target, Int8Arithmetic(CROPS, 0.02))
    assert 0 < moved.mean < moved.most < moved.largest
    assert moved.most < 0.02
    assert moved.sigma_ratio == pytest.approx(1, abs=0.05)
    assert moved.crops == 16
    before, after = OnnxSession(network, LANDMARKS_FORMAT), OnnxSession(target, LANDMARKS_FORMAT)
    said = after.metadata.pop("arithmetic")
    assert after.metadata == before.metadata
    assert said == {"bits": 8, **vars(moved)}
    # Again, and as the library reads it: the file that was written is the one that was measured.
    assert measure_moved(before, OnnxSession(target, LANDMARKS_FORMAT), CROPS[1::2]) == moved
    found = OnnxFinder(OnnxSession(target, LANDMARKS_FORMAT))(CROPS[:1])
    np.testing.assert_allclose(found, OnnxFinder(before)(CROPS[:1]), atol=0.1)
    model = onnx.load(target)
    levels = {tensor.name: tensor for tensor in model.graph.initializer if tensor.data_type == TensorProto.INT8}
    assert {name.partition("_")[0] for name in levels if "zero_point" not in name} == {"second", "third"}


def test_moving_too_far_is_refused_and_nothing_is_written(network, tmp_path):
    target = tmp_path / "int8.onnx"
    with pytest.raises(ValueError, match=r"moves points by 0\.\d{4} crop widths .* on 16 faces .* at most 1e-06"):
        quantise_arithmetic(network, target, Int8Arithmetic(CROPS, 1e-6))
    # Calibrated on what is much darker than what it is held to, activations are cut off.
    dark = CROPS.copy()
    dark[::2] = 0.5 + 0.01 * (dark[::2] - 0.5)
    with pytest.raises(ValueError, match="moves points"):
        quantise_arithmetic(network, target, Int8Arithmetic(dark, 0.02))
    assert not target.exists()
    assert quantise_arithmetic(network, target, Int8Arithmetic(dark, None)).most > 0.02


def test_what_is_no_number_is_refused(tmp_path, monkeypatch):
    nan = Moved(*[float("nan")] * 4, 16)
    monkeypatch.setattr("tfake.landmarks.onnx_int8.measure_moved", lambda *sessions: nan)
    with pytest.raises(ValueError, match="moves points by nan"):
        quantise_arithmetic(write_network(tmp_path / "n.onnx"), tmp_path / "o.onnx", Int8Arithmetic(CROPS))


def test_filters_alone_are_packed_and_arithmetic_stays_float(network, tmp_path):
    target = tmp_path / "packed.onnx"
    pack_filters(network, target)
    moved = measure_moved(OnnxSession(network, LANDMARKS_FORMAT), OnnxSession(target, LANDMARKS_FORMAT), CROPS[:16])
    model = onnx.load(target)
    # Of these small filters none is worth it: the file says the same, to the bit.
    assert moved.largest == 0
    assert not [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
    large = onnx.load(network)
    filters = np.random.default_rng(3).normal(0, 1, (64, 3, 4, 4)).astype(np.float32)
    large.graph.initializer.append(onnx.numpy_helper.from_array(filters, "large"))
    large.graph.node.append(onnx.helper.make_node("Conv", ["normal", "large"], ["unread"], "large", strides=[4, 4]))
    onnx.save(large, tmp_path / "large.onnx")
    pack_filters(tmp_path / "large.onnx", target)
    levels = {tensor.name: tensor.data_type for tensor in onnx.load(target).graph.initializer}
    assert levels["large.levels"] == TensorProto.INT8
    assert "large" not in levels


def test_a_handful_of_faces_is_too_few(network, tmp_path):
    with pytest.raises(ValueError, match="at least 16 faces to calibrate it on, found 15"):
        quantise_arithmetic(network, tmp_path / "int8.onnx", Int8Arithmetic(CROPS[:15]))


def test_faces_come_out_of_pictures(tmp_path):
    landmarker = ThermalLandmarker(write_landmarker(tmp_path / "exported"), threshold=0.2)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), blobs((224, 320), (90, 70, 16), (240 - number, 150, 16)))
    (folder / "torn.png").write_bytes(b"no picture")
    crops = calibration_crops(folder, landmarker)
    assert crops.shape == (6, 3, 32, 32)
    middle = crops[:, :, 12:20, 12:20].mean((1, 2, 3))
    assert (middle > 0.5).all()
    assert (crops[..., 0, 0] < 0.2).all()
    assert len(calibration_crops(folder, landmarker, 2)) == 2
    cv2.imwrite(str(tmp_path / "dark.png"), blobs((224, 320)))
    assert calibration_crops(tmp_path / "dark.png", landmarker).shape == (0, 3, 32, 32)


def test_faces_come_out_of_results(tmp_path):
    make_dataset(tmp_path / "results")
    landmarker = ThermalLandmarker(write_landmarker(tmp_path / "exported"))
    crops = calibration_crops(tmp_path / "results", landmarker)
    # Nine faces have an image, in two rooms; the scene's own window shows skin bright in both.
    assert crops.shape == (18, 3, 32, 32)
    assert (crops[:, :, 14:18, 14:18].mean((1, 2, 3)) > 0.8).all()
    assert calibration_crops(tmp_path / "results", landmarker, 4).shape[0] == 4


def test_options_that_do_not_go_together(capsys):
    for arguments in (["p.png", "--int8", "faces"], ["--export", "to", "--int8", "faces", "--float32"]):
        with pytest.raises(SystemExit):
            main(arguments)
        assert "--int8 goes with --export, and without --float32" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_line_exports_it(tmp_path, capsys):
    import torch

    from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork
    from tfake.landmarks.landmarker_file import save_landmark_weights

    torch.manual_seed(0)
    network = LandmarkNetwork(LandmarkArchitecture(70, "test_efficientnet", image_pixels=32)).eval()
    save_landmark_weights(tmp_path / "w.pt", network, Calibration(1.0, 10.0))
    make_dataset(tmp_path / "results")
    options = ["-w", str(tmp_path / "w.pt"), "--export", str(tmp_path / "o"), "--int8", str(tmp_path / "results")]
    assert main([*options, "--most-moved", "0"]) == 1
    assert "moves points by" in capsys.readouterr().err
    assert not (tmp_path / "o/landmarks.onnx").exists()
    assert main([*options, "--most-moved", "0.1"]) == 0
    assert "on 9 faces" in capsys.readouterr().err
    image = np.full((40, 40), 30.0, np.float32)
    expected = ThermalLandmarker(tmp_path / "w.pt", "cpu").process(image, boxes=[(5, 5, 35, 35)])
    found = ThermalLandmarker(tmp_path / "o").process(image, boxes=[(5, 5, 35, 35)])
    np.testing.assert_allclose(found.landmarks, expected.landmarks, atol=4)
