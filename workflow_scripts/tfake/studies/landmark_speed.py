"""What landmark networks weigh and how fast they are: torch and ONNX Runtime, float32 and 8 bits, on this machine."""

import importlib.util
import json
import logging
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import tfake
from tfake.config.plan_studies import PACKAGE
from tfake.core.codes import BOTH_POINTS, LANDMARKS
from tfake.core.devices import device_model
from tfake.imaging.textures import draw_texture
from tfake.landmarks.calibration_crops import calibration_crops
from tfake.landmarks.landmark_network import Calibration, LandmarkArchitecture, LandmarkNetwork
from tfake.landmarks.landmarker import ThermalLandmarker
from tfake.landmarks.landmarker_file import save_landmark_weights
from tfake.landmarks.networks import load_landmark_networks
from tfake.landmarks.onnx_int8 import Int8Arithmetic, quantise_arithmetic
from tfake.landmarks.point_finder import SHIPPED
from tfake.studies.search_speed import measure_search
from tfake.studies.speed_worker import Way

#: Files of a network in ONNX, by what is measured.
ONNX = ("onnx_float32", "onnx_int8")
_TEXTURES = 32
_PACKAGES = ("torch", "timm", "onnxruntime", "numpy")
_CPU_INFO = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class SpeedSettings:
    """How networks are measured.

    Attributes:
        threads: numbers of threads that compute.
        batches: numbers of crops at once.
        seconds: how long each way is measured, at least.
        search_pixels: edge of the image that is searched with trained networks.
        calibration: faces that 8-bit arithmetic of trained networks is calibrated on and held to, as
            :func:`tfake.landmarks.calibration_crops.calibration_crops` takes them; None: textures.
    """

    threads: Sequence[int]
    batches: Sequence[int]
    seconds: float
    search_pixels: int
    calibration: str | None = None


@dataclass(frozen=True)
class _Candidate:
    name: str
    network: nn.Module
    threshold: float
    weights: Path | None


def measure_speed(
    networks: Mapping[str, Mapping[str, Any]],
    weights: Mapping[str, str],
    settings: SpeedSettings,
    device: torch.device,
) -> dict[str, Any]:
    """Measure networks, one way after the other.

    Args:
        networks: name to the ``backbone``, ``head``, ``neck_channels``, ``image_pixels`` and ``points`` of an untrained
            one.
        weights: name to a file of a trained one, or ``PACKAGE``.
        settings: how.
        device: a GPU is measured beside the CPU.

    Returns:
        ``machine``: what was measured on; ``networks``: a record each, with parameters, multiply-accumulates a crop,
        bytes of its files, and how far 8-bit arithmetic moves its points (None where nothing tells); ``speeds``: a
        record a network, runtime, device, number of threads and of crops; ``searches``: a record a trained network.
    """
    before = os.getloadavg()[0]
    has_onnx = all(importlib.util.find_spec(name) for name in ("onnx", "onnxruntime", "onnxscript"))
    records, speeds, searches = [], [], []
    for candidate in _candidates(networks, weights):
        logging.info("measuring %s", candidate.name)
        with tempfile.TemporaryDirectory() as folder:
            files, moved = _write_files(candidate, Path(folder), settings.calibration, has_onnx)
            records.append({**describe_network(candidate.name, candidate.network), "moved": moved})
            records[-1] |= {"trained": candidate.weights is not None}
            records[-1]["bytes"] = {kind: path.stat().st_size for kind, path in files.items()}
            for runtime, where in _runtimes(files, device):
                for threads in settings.threads if where == "cpu" else settings.threads[:1]:
                    way = Way(
                        runtime=runtime.partition("_")[0],
                        file=str(files[runtime]),
                        pixels=candidate.network.architecture.image_pixels,
                        device=where,
                        threads=threads,
                        batches=sorted(settings.batches),
                        seconds=settings.seconds,
                    )
                    about = {"network": candidate.name, "runtime": runtime, "device": where, "threads": threads}
                    speeds += [about | row for row in _in_a_process(way)]
        if candidate.weights is not None:
            found = measure_search(candidate.network, settings.search_pixels)
            searches.append({"network": candidate.name, **found})
    machine = {**describe_machine(device), "load_before": before, "load_after": os.getloadavg()[0]}
    return {"machine": machine, "networks": records, "speeds": speeds, "searches": searches}


def describe_network(name: str, network: nn.Module) -> dict[str, Any]:
    """What a network is: its architecture, ``parameters``, and ``macs`` of convolutions and products a crop."""
    architecture = network.architecture
    pixels = architecture.image_pixels
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        network(torch.zeros(1, 3, pixels, pixels))
    return {
        "network": name,
        "backbone": architecture.backbone,
        "head": architecture.head,
        "neck_channels": architecture.neck_channels if architecture.head == "heatmap" else None,
        "points": architecture.landmarks,
        "image_pixels": pixels,
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        # Two floating-point operations each.
        "macs": counter.get_total_flops() // 2,
    }


def describe_machine(device: torch.device) -> dict[str, Any]:
    """What it is that measures: processor, cores, GPU (None: there is none), system and versions."""
    lines = _CPU_INFO.read_text().splitlines() if _CPU_INFO.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": models[0] if models else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "gpu": device_model(device) if device.type == "cuda" else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in _PACKAGES if importlib.util.find_spec(name)},
    }


def _candidates(networks: Mapping[str, Mapping[str, Any]], weights: Mapping[str, str]) -> Iterator[_Candidate]:
    for name, about in networks.items():
        keys = {key: value for key, value in about.items() if key != "points"}
        architecture = LandmarkArchitecture(about["points"], thermal_stretch=True, thermal_mirror=True, **keys)
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            yield _Candidate(name, _settle(LandmarkNetwork(architecture)), Calibration().threshold, None)
    for name, path in weights.items():
        file = SHIPPED if path == PACKAGE else Path(path)
        network, threshold, _ = load_landmark_networks(file)
        if network.architecture.landmarks == BOTH_POINTS:
            network = network.select(LANDMARKS)
        yield _Candidate(name, network, threshold, file)


def _settle(network: LandmarkNetwork) -> LandmarkNetwork:
    """Give an untrained network's normalisations statistics: without, its activations grow or vanish layer by layer."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        network.train()(torch.from_numpy(_texture_crops(network.architecture.image_pixels)))
    return network.eval()


def _texture_crops(pixels: int) -> np.ndarray:
    """Gray textures (32, 3, P, P)."""
    drawn = np.stack([draw_texture(np.random.default_rng([0, number]), pixels) for number in range(_TEXTURES)])
    return np.repeat(drawn.mean(axis=3)[:, None], 3, axis=1).astype(np.float32)


def _write_files(
    candidate: _Candidate, folder: Path, calibration: str | None, has_onnx: bool
) -> tuple[dict[str, Path], dict[str, float] | None]:
    """A network's files by kind, and how far 8-bit arithmetic moves its points."""
    network = candidate.network
    files = {"torch": folder / "weights.pt"}
    if isinstance(network, LandmarkNetwork):
        save_landmark_weights(files["torch"], network, Calibration(threshold=candidate.threshold))
    else:
        # TFAN's network: its own file is read as it is.
        files["torch"] = candidate.weights
    if not has_onnx:
        return files, None
    from tfake.landmarks.onnx_export import export_landmarks, pack_filters

    files |= {kind: folder / f"{kind}.onnx" for kind in (*ONNX, "onnx_int8_filters")}
    export_landmarks(files["onnx_float32"], network, candidate.threshold)
    pack_filters(files["onnx_float32"], files["onnx_int8_filters"])
    is_held = candidate.weights is not None and calibration is not None
    if is_held:
        crops = calibration_crops(calibration, ThermalLandmarker(candidate.weights, "cpu"))
    else:
        crops = _texture_crops(network.architecture.image_pixels)
    # Refusing is the export's; here it is shown how far they move.
    moved = quantise_arithmetic(files["onnx_float32"], files["onnx_int8"], Int8Arithmetic(crops, most_moved=None))
    return files, asdict(moved) if is_held else None


def _runtimes(files: Mapping[str, Path], device: torch.device) -> list[tuple[str, str]]:
    """What is measured, and where."""
    found = [(runtime, "cpu") for runtime in ("torch", *ONNX) if runtime in files]
    return found + ([("torch", "cuda")] if device.type == "cuda" else [])


def _in_a_process(way: Way) -> list[dict[str, float]]:
    """Run :mod:`tfake.studies.speed_worker`.

    Raises:
        RuntimeError: it failed; the message has the end of what it said.
    """
    paths = [str(Path(tfake.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": str(way.threads)}
    command = [sys.executable, "-m", "tfake.studies.speed_worker", json.dumps(asdict(way))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{way.runtime} with {way.threads} threads was not measured: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])
