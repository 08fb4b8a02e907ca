"""The speed study: what is timed and counted, that each way has a process of its own, and what the page says."""

import importlib.util
import json
import subprocess
import sys

import pandas as pd
import pytest
import torch
from torch import nn

from studies.describe_landmark_speed import describe_landmark_speed
from studies.measure_landmark_speed import measure_landmark_speed
from tfake.landmarks.landmark_network import LandmarkArchitecture, LandmarkNetwork
from tfake.studies import landmark_speed
from tfake.studies.landmark_speed import SpeedSettings, describe_machine, describe_network, measure_speed
from tfake.studies.search_speed import measure_search
from tfake.studies.speed_page import render_speed
from tfake.studies.speed_worker import Way, measure

pytestmark = pytest.mark.usefixtures("one_thread")
CPU = torch.device("cpu")
TINY = {"backbone": "lcnet_035", "head": "heatmap", "neck_channels": 8, "image_pixels": 32, "points": 70}
SETTINGS = {"calibration": None, "threads": [1, 9], "batches": [3, 1], "seconds": 0.01, "search_pixels": 96}


def way(file, runtime="onnx", batches=(1, 3)):
    return Way(runtime, str(file), 32, "cpu", 1, batches, 0.01)


@pytest.fixture
def without_onnx(monkeypatch):
    """As where the extra is not installed; and no processes, which take seconds to start."""
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name.startswith("onnx") else find(name))
    monkeypatch.setattr(landmark_speed, "_in_a_process", measure)


def test_a_known_layer_has_its_known_cost():
    network = nn.Conv2d(3, 5, 4, stride=4)
    network.architecture = LandmarkArchitecture(70, "one_layer", "pooled", 32)
    found = describe_network("one", network)
    assert found["parameters"] == 3 * 5 * 16 + 5
    assert found["macs"] == 8 * 8 * 5 * 3 * 16
    assert found["neck_channels"] is None


def test_times_are_told_by_crops_at_once(tmp_path):
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    from tiny_int8 import write_network

    rows = measure(way(write_network(tmp_path / "n.onnx")))
    assert [row["batch"] for row in rows] == [1, 3]
    for row in rows:
        assert row["calls"] >= 10
        assert 0 < row["p50_ms"] <= row["p95_ms"]
        assert row["images_per_second"] == pytest.approx(1e3 * row["batch"] / row["p50_ms"])
        assert row["cpu_ms_per_image"] >= 0
    assert 0 < rows[0]["peak_mb"] <= rows[1]["peak_mb"]


def test_a_process_without_torch_times_onnx_and_one_that_fails_says_why(tmp_path):
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    from tiny_int8 import write_network

    file = write_network(tmp_path / "n.onnx")
    code = "import sys; from tfake.studies.speed_worker import *\nmeasure(Way(**%r)); print('torch' in sys.modules)"
    command = [sys.executable, "-c", code % vars(way(file, batches=[1]))]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"
    with pytest.raises(RuntimeError, match=r"onnx with 1 threads was not measured: (.|\n)*none\.onnx: no such file"):
        landmark_speed._in_a_process(way(tmp_path / "none.onnx"))


def test_a_search_is_timed_in_three_ways():
    torch.manual_seed(0)
    network = LandmarkNetwork(LandmarkArchitecture(70, "lcnet_035", "heatmap", 32, neck_channels=8)).eval()
    found = measure_search(network, 64, passes=1)
    assert found["windows"] > 1
    assert (found["image_pixels"], found["threads"]) == (64, 1)
    assert min(found[f"{name}_seconds"] for name in ("alone", "batched", "shared")) > 0
    # What shared convolutions nominate is looked at on its own: it can miss the best of all, and not beat it.
    assert found["best_sigma_differs"] > -1e-5


def test_the_scripts_write_what_was_measured(tmp_path, without_onnx):
    paths = [str(tmp_path / name) for name in ("speed.json", "speed.csv", "index.html")]
    settings = {**SETTINGS, "networks": {"tiny": TINY}, "weights": {}}
    measure_landmark_speed(*paths[:2], settings, "cpu", 1)
    found = json.loads((tmp_path / "speed.json").read_text())
    assert [(row["runtime"], row["threads"], row["batch"]) for row in found["speeds"]] == [
        ("torch", 1, 1),
        ("torch", 1, 3),
    ]
    assert found["threads_left_out"] == [9]
    assert found["networks"][0]["bytes"]["torch"] > 4 * found["networks"][0]["parameters"]
    assert (found["networks"][0]["trained"], found["networks"][0]["moved"], found["searches"]) == (False, None, [])
    assert pd.read_csv(paths[1])["p50_ms"].gt(0).all()
    describe_landmark_speed(paths[2], paths[0])
    page = " ".join((tmp_path / "index.html").read_text().split())
    for said in ("tiny (untrained)", "No GPU here", "ONNX Runtime was not measured", "fewer cores: 9 threads"):
        assert said in page
    with pytest.raises(ValueError, match=r"landmark_speed.threads: expected one of at most 1, found \[4\]"):
        measure_landmark_speed(*paths[:2], {**settings, "threads": [4]}, "cpu", 1)


def test_the_packaged_landmarker_is_measured_on_the_points_that_it_answers(without_onnx, monkeypatch):
    monkeypatch.setattr(landmark_speed, "measure_search", lambda network, pixels: {"image_pixels": pixels})
    settings = SpeedSettings(threads=[1], batches=[1], seconds=0.01, search_pixels=96)
    found = measure_speed({}, {"shipped": "package"}, settings, CPU)
    record = found["networks"][0]
    assert (record["points"], record["trained"], record["backbone"]) == (70, True, "regnetx_002")
    assert found["searches"] == [{"network": "shipped", "image_pixels": 96}]


def test_a_gpu_is_measured_beside_the_cpu():
    files = dict.fromkeys(("torch", "onnx_float32", "onnx_int8_filters", "onnx_int8"))
    on_cpu = [("torch", "cpu"), ("onnx_float32", "cpu"), ("onnx_int8", "cpu")]
    assert landmark_speed._runtimes(files, CPU) == on_cpu
    assert landmark_speed._runtimes(files, torch.device("cuda")) == [*on_cpu, ("torch", "cuda")]


def result():
    speed = {"network": "net", "threads": 1, "batch": 1, "calls": 9, "p50_ms": 2.0, "p95_ms": 3.0}
    speed |= {"images_per_second": 500.0, "cpu_ms_per_image": 2.0, "peak_mb": float("nan")}
    record = {"network": "net", **TINY, "parameters": 1000, "macs": 5_000_000, "trained": True}
    record["bytes"] = {"torch": 4000, "onnx_float32": 4000, "onnx_int8_filters": 1000, "onnx_int8": 1000}
    record["moved"] = {"mean": 0.001, "most": 0.0026, "largest": 0.01, "sigma_ratio": 1.0, "crops": 27}
    ways = [("torch", "cpu"), ("onnx_float32", "cpu"), ("onnx_int8", "cpu"), ("torch", "cuda")]
    times = dict.fromkeys(("alone_seconds", "batched_seconds", "shared_seconds"), 1.5)
    search = {"network": "net", "image_pixels": 96, "windows": 50, **times, "best_sigma_differs": 0.0123}
    machine = {**describe_machine(CPU), "gpu": "A Card", "cores": 2, "load_before": 0.5, "load_after": 7.0}
    return {
        "machine": machine,
        "networks": [record],
        "speeds": [{**speed, "runtime": runtime, "device": device} for runtime, device in ways],
        "searches": [search],
        "threads_left_out": [],
    }


def test_the_page_tells_gpu_and_processor_apart_and_marks_what_is_published():
    page = " ".join(render_speed(result()).split())
    assert page.count("<td>A Card</td>") == 1
    assert page.count("<td>CPU</td>") == 3
    assert "No GPU here" not in page
    assert "Other work shared the processor" in page
    assert "0.0026 of the crop (27 faces)" in page
    assert "<td>50</td><td>1.50</td> <td>1.50</td><td>1.50</td> <td>0.0123</td>" in page
    assert page.count("(published)") == 3
    assert "published, not measured here" in page
    quiet = result()
    quiet["machine"]["load_after"] = 1.0
    assert "Other work" not in render_speed(quiet)
