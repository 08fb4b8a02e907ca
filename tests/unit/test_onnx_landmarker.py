"""Exported landmarkers: the answers of the networks that they come from, in a process without torch, and refusals."""

import json
import multiprocessing
import os
import pickle
import subprocess
import sys

import cv2
import numpy as np
import pytest

pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")

from recipes import LIBRARY
from tfake.landmarks.__main__ import main
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.onnx_finder import LANDMARKS_FORMAT, OnnxFinder, OnnxSession, load_onnx_finders
from tiny_onnx import blobs, write_landmarker

#: What the extra ``landmarks-lite`` does not bring, and the core alone would.
ABSENT = ("torch", "torchvision", "timm", "mediapipe", "zarr", "numcodecs", "pandas", "scipy", "snakemake", "onnx")
WITHOUT = f"""
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Without())
"""
TWO = ((90, 70, 16), (240, 150, 16))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    return write_landmarker(tmp_path_factory.mktemp("exported"))


def test_faces_are_found_where_they_are(exported):
    landmarker = ThermalLandmarker(exported, threshold=0.2)
    faces = landmarker.process(blobs((224, 320), *TWO), sliding_window=True, multi=True)
    assert len(faces) == 2
    centres = sorted(faces.landmarks.mean(axis=1).tolist())
    np.testing.assert_allclose(centres, [place[:2] for place in TWO], atol=0.5)
    assert (faces.confidence > 0.9).all()
    assert faces.score == pytest.approx(0.035, abs=0.003)


def test_without_a_detector_every_window_is_looked_at(tmp_path):
    folder = write_landmarker(tmp_path / "alone", with_detector=False)
    landmarker = ThermalLandmarker(folder, threshold=0.2)
    assert landmarker.detector is None
    faces = landmarker.process(blobs((120, 160), (70, 60, 14)), sliding_window=True)
    assert len(faces) == 1
    np.testing.assert_allclose(faces.landmarks[0].mean(axis=0), (70, 60), atol=1.5)
    with pytest.raises(ValueError, match="needs a detector"):
        landmarker.process(blobs((120, 160)), sliding_window=True, method="detector")


def test_the_command_line_needs_no_torch(exported, tmp_path):
    cv2.imwrite(str(tmp_path / "p.png"), blobs((224, 320), *TWO))
    np.save(tmp_path / "t.npy", np.float32(20) + blobs((224, 320), *TWO).astype(np.float32) / 15)
    code = WITHOUT + "from tfake.landmarks.__main__ import main\nsys.exit(main(sys.argv[1:]))"
    for name in ("p.png", "t.npy"):
        out = tmp_path / f"{name}.json"
        arguments = (tmp_path / name, "--onnx", exported, "-o", out, "--sliding-window", "--multi")
        arguments += ("--draw", tmp_path / f"{name}.drawn.png")
        command = [sys.executable, "-c", code, *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        answer = json.loads(out.read_text())
        assert answer["point_set"] == "face70"
        assert len(answer["images"][0]["faces"]) == 2
    command = [sys.executable, "-c", code, str(tmp_path / "p.png"), "-w", "weights.pt"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'tfake-workflow[landmarks]'" in done.stderr


def _found_by(landmarker, image, results):
    results.put(landmarker.process(image, boxes=[(70, 50, 110, 90)]).landmarks)


def test_other_processes_find_the_same(exported):
    landmarker, image = ThermalLandmarker(exported), blobs((120, 160), (90, 70, 16))
    expected = landmarker.process(image, boxes=[(70, 50, 110, 90)]).landmarks
    again = pickle.loads(pickle.dumps(landmarker))
    np.testing.assert_array_equal(again.process(image, boxes=[(70, 50, 110, 90)]).landmarks, expected)
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    worker = context.Process(target=_found_by, args=(landmarker, image, results))
    worker.start()
    np.testing.assert_array_equal(results.get(timeout=60), expected)
    worker.join()


def test_what_cannot_be_is_refused(exported, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.onnx: no such file"):
        load_onnx_finders(tmp_path / "none.onnx")
    (tmp_path / "torn.onnx").write_bytes((exported / "landmarks.onnx").read_bytes()[:500])
    with pytest.raises(ValueError, match=r"torn\.onnx: ONNX Runtime cannot read it"):
        load_onnx_finders(tmp_path / "torn.onnx")
    with pytest.raises(ValueError, match="expected a model of the format 'tfake-landmarks-onnx-1', found 'tfake-det"):
        load_onnx_finders(exported / "detector.onnx")
    with pytest.raises(ValueError, match="computes on the CPU; found the device 'cuda'"):
        ThermalLandmarker(exported, "cuda")
    with pytest.raises(ValueError, match="expected a network for 478 points, found one for 70"):
        ThermalLandmarker(exported, n_landmarks=478)
    with pytest.raises(ValueError, match=r"takes a detector in ONNX; found 'd\.pt'"):
        ThermalLandmarker(exported, detector="d.pt")
    with pytest.raises(ValueError, match="stretched has to be None"):
        ThermalLandmarker(exported).process(blobs((64, 64)), stretched=True)
    assert main(["p.png", "--onnx", str(tmp_path / "gone.onnx")]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("stretched", [False, True])
def test_onnx_gives_what_torch_gives(tmp_path, stretched):
    import torch

    from tfake.landmarks.landmark_network import LandmarkArchitecture, LandmarkNetwork
    from tfake.landmarks.onnx_export import export_landmarks

    architecture = LandmarkArchitecture(7, "test_efficientnet", image_pixels=32, thermal_stretch=stretched)
    network = LandmarkNetwork(architecture).eval()
    export_landmarks(tmp_path / "n.onnx", network, 0.1)
    finder = OnnxFinder(OnnxSession(tmp_path / "n.onnx", LANDMARKS_FORMAT))
    assert (finder.image_pixels, finder.landmarks, finder.stride) == (32, 7, network.stride)
    for count in (1, 5):
        images = torch.rand(count, 3, 32, 32)
        images[0] = 0.3 * images[0, :1] + 0.2
        with torch.inference_mode():
            expected = network(images).numpy()
        np.testing.assert_allclose(finder(images.numpy()), expected, atol=1e-4)


@pytest.mark.slow
def test_a_packed_landmarker_and_its_export_agree(tmp_path):
    """In 8 bits, too: the very levels of the packed file, and both sets out of one model."""
    import torch

    from tfake.detector.detector_network import DetectorArchitecture, DetectorNetwork
    from tfake.detector.face_detector import ScoreCalibration
    from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork
    from tfake.landmarks.release import save_release

    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        architecture = LandmarkArchitecture(548, image_pixels=64, thermal_stretch=True, thermal_mirror=True)
        network, detector = LandmarkNetwork(architecture), DetectorNetwork(DetectorArchitecture(search_pixels=96))
        for module in (*network.modules(), *detector.modules()):
            if isinstance(module, torch.nn.BatchNorm2d):
                # Statistics of either sign and size: exporting folds them into the filters.
                torch.nn.init.uniform_(module.weight, -1.5, 1.5)
                torch.nn.init.uniform_(module.running_var, 0.5, 2)
    save_release(tmp_path / "l.pt", network.eval(), Calibration(1.0, 10.0), (detector.eval(), ScoreCalibration()))
    assert main(["-w", str(tmp_path / "l.pt"), "--export", str(tmp_path / "onnx")]) == 0
    sizes = [(tmp_path / "onnx" / name).stat().st_size for name in ("landmarks.onnx", "detector.onnx")]
    assert sum(sizes) < 1.1 * (tmp_path / "l.pt").stat().st_size
    image = blobs((150, 200), (90, 70, 20), (150, 100, 12))
    for points, looks in ((70, None), (478, 3)):
        asked = {"n_landmarks": points, "confidence": 0.001, "looks": looks}
        of_torch = ThermalLandmarker(tmp_path / "l.pt", "cpu", **asked)
        of_onnx = ThermalLandmarker(tmp_path / "onnx", **asked)
        for options in ({"boxes": [(60, 40, 120, 100)]}, {"sliding_window": True, "multi": True}):
            expected, found = (lander.process(image, **options) for lander in (of_torch, of_onnx))
            assert len(found) == len(expected) > 0
            np.testing.assert_allclose(found.landmarks, expected.landmarks, atol=0.02)
            np.testing.assert_allclose(found.sigma, expected.sigma, atol=0.02)
