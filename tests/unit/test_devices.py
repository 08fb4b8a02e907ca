"""The device that a name stands for; the machine's cards are made up."""

import logging
import multiprocessing
import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from nvidia_smi import LISTING, install
from recipes import LIBRARY
from tfake.core import nvidia
from tfake.core.devices import ForkGuard, resolve_device
from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.landmarker_file import save_landmark_weights

GPUS = nvidia.parse_listing(LISTING)
FIRST, INSTANCES, THIRD = "GPU-11111111-aaaa", ("MIG-22222222-0001", "MIG-22222222-0002"), "GPU-33333333-cccc"


@pytest.fixture
def unseen(monkeypatch):
    """Torch sees no GPU, whatever the machine has."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def two_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr("tfake.core.devices.describe_device", str)


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        (None, (FIRST, *INSTANCES, THIRD)),
        ("2,0", (THIRD, FIRST)),
        ("1", INSTANCES),
        ("GPU-3333", (THIRD,)),
        ("GPU-22222222-bbbb", INSTANCES),
        ("MIG-22222222-0002", INSTANCES[1:]),
        ("MIG-GPU-22222222-bbbb/2/0", ("MIG-GPU-22222222-bbbb/2/0",)),
        ("0,0", (FIRST,)),
        ("0,7,2", (FIRST,)),
        ("GPU-nobody,0", ()),
        ("0,-1,2", (FIRST,)),
        ("", ()),
        ("-1", ()),
        ("NoDevFiles", ()),
    ],
)
def test_what_cuda_visible_devices_shows(visible, names):
    assert nvidia.visible_names(GPUS, visible) == names


def test_without_a_list_of_cards_entries_are_names():
    assert nvidia.visible_names((), "1,GPU-x,MIG-y") == ("1", "GPU-x", "MIG-y")
    assert nvidia.visible_names((), None) == ()


def test_the_cards_are_what_nvidia_smi_lists(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch)
    assert nvidia.list_gpus() == GPUS
    assert [gpu.model for gpu in GPUS] == ["NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-40GB", "NVIDIA H100 80GB HBM3"]


def test_an_nvidia_smi_that_fails_lists_nothing(tmp_path, monkeypatch):
    install(tmp_path, monkeypatch, listing="Failed to initialize NVML: Driver/library version mismatch\n", status=18)
    monkeypatch.setattr(nvidia, "_NODES", tmp_path)
    assert nvidia.list_gpus() == ()
    assert nvidia.find_card() is None
    (tmp_path / "nvidia0").touch()
    assert nvidia.find_card() == str(tmp_path / "nvidia0")


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_a_card_that_torch_does_not_see_stops_and_names_driver_and_cuda(name, tmp_path, monkeypatch, unseen):
    install(tmp_path, monkeypatch)
    monkeypatch.setattr(nvidia, "_DRIVER_FILE", tmp_path / "none")
    monkeypatch.setattr(torch.version, "cuda", "13.2")
    expected = (
        r"has a card \(NVIDIA H100 80GB HBM3, driver 535.104.05\), but torch \S+ sees none: it is built for CUDA 13.2, "
        r"which needs driver 580.65.06 or newer"
    )
    with pytest.raises(RuntimeError, match=expected):
        resolve_device(name)
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(RuntimeError, match="it is built without CUDA"):
        resolve_device(name)
    assert resolve_device("cpu") == torch.device("cpu")


def test_a_card_that_is_hidden_on_purpose_is_no_card(tmp_path, monkeypatch, unseen):
    install(tmp_path, monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert resolve_device("auto") == torch.device("cpu")
    with pytest.raises(RuntimeError, match="torch sees no GPU; set device: auto or cpu"):
        resolve_device("cuda")


def test_without_a_card_auto_is_the_cpu_and_the_log_says_so(tmp_path, monkeypatch, unseen, caplog):
    caplog.set_level(logging.INFO)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(nvidia, "_NODES", tmp_path)
    assert resolve_device("auto") == torch.device("cpu")
    assert f"device: cpu, {torch.get_num_threads()} threads, torch {torch.__version__}" in caplog.messages


def test_a_gpu_is_named_by_number_or_is_the_current_one(two_gpus):
    assert resolve_device("cuda:0") == torch.device("cuda", 0)
    assert resolve_device("cuda") == resolve_device("auto") == torch.device("cuda", 1)
    with pytest.raises(RuntimeError, match=r"'cuda:2', but torch sees 2 GPU\(s\): cuda:0 to cuda:1"):
        resolve_device("cuda:2")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "mps", ""])
def test_other_names_are_refused(name):
    with pytest.raises(ValueError, match="device must be one of auto, cpu, cuda, cuda:N; found"):
        resolve_device(name)


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    network = LandmarkNetwork(LandmarkArchitecture(70, "resnet10t", "heatmap", 32)).eval()
    save_landmark_weights(tmp_path / "weights.pt", network, Calibration(1.0, 0.5))
    return tmp_path / "weights.pt"


def test_several_landmarkers_in_one_process_and_in_its_forks(weights):
    """Forked while torch has threads of its own: its kernels would wait for them for ever."""
    image = np.random.default_rng(0).uniform(20, 40, (128, 128)).astype(np.float32)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        first, second = ThermalLandmarker(weights, "cpu"), ThermalLandmarker(weights, "cpu")
        found = first.process(image).landmarks
        assert np.array_equal(second.process(image).landmarks, found)
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=lambda: queue.put((first.process(image).landmarks, torch.get_num_threads())))
        child.start()
        try:
            forked, after = queue.get(timeout=60)
        finally:
            child.kill()
            child.join()
    finally:
        torch.set_num_threads(threads)
    assert np.allclose(forked, found, atol=1e-3)
    assert after == 2


def test_a_landmarker_may_be_sent_to_another_process(weights):
    landmarker = pickle.loads(pickle.dumps(ThermalLandmarker(weights, "cpu")))
    assert landmarker.process(np.full((64, 64), 30, np.float32)).landmarks.shape == (1, 70, 2)


def test_a_fork_does_not_use_the_gpu_of_its_parent(monkeypatch):
    guard = ForkGuard()
    gpu = torch.device("cuda", 1)
    with guard.computing(gpu):
        pass
    pid = os.getpid()
    monkeypatch.setattr(os, "getpid", lambda: pid + 1)
    message = f"on cuda:1, opened by process {pid}, and a GPU cannot be used from a fork"
    with pytest.raises(RuntimeError, match=message), guard.computing(gpu):
        pass
    with pickle.loads(pickle.dumps(guard)).computing(gpu):
        pass


def test_the_library_is_imported_where_there_is_no_fcntl():
    """As on Windows; diffusers and what it imports are others there."""
    code = (
        "import importlib, pkgutil, sys\n"
        "import tfake.diffusion.flux_model, tfake.thermalizer.diffusion_training\n"
        "for name in [name for name in sys.modules if name.split('.')[0] == 'tfake']:\n"
        "    del sys.modules[name]\n"
        "sys.modules.update(dict.fromkeys(('fcntl', 'resource', 'pwd', 'grp', 'termios')))\n"
        "import tfake\n"
        "names = [module.name for module in pkgutil.walk_packages(tfake.__path__, 'tfake.')]\n"
        "for name in names:\n"
        "    if not name.endswith('__main__'):\n"
        "        importlib.import_module(name)\n"
        "print(len(names))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(LIBRARY)}, **CAPTURED)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) > 100


CAPTURED = {"capture_output": True, "text": True, "check": False}
