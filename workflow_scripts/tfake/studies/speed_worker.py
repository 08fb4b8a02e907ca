"""One way of computing a landmark network, timed in a process of its own: ``-m tfake.studies.speed_worker JSON``.

A process of its own has the threads that it is told from its first import on, and memory that nothing else has used;
where ONNX Runtime computes, torch is not imported. What is timed is one look at crops that are there already: neither
cutting them out nor the second look at their mirror image.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

_WARM_UP, _LEAST_CALLS = 3, 10
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class Way:
    """What is to be timed.

    Attributes:
        runtime: ``torch`` or ``onnx``.
        file: the network, as :func:`tfake.landmarks.networks.load_landmark_networks` takes it, or a file in ONNX.
        pixels: edge of its crops.
        device: ``cpu``, or ``cuda`` for torch.
        threads: that compute.
        batches: crops at once, by rising number: what one needs of memory, the next ones need, too.
        seconds: how long each number of crops is looked at, at least.
    """

    runtime: str
    file: str
    pixels: int
    device: str
    threads: int
    batches: Sequence[int]
    seconds: float


def measure(way: Way) -> list[dict[str, float]]:
    """Time a way.

    Returns:
        For each number of crops ``batch``, ``calls``, ``p50_ms`` and ``p95_ms`` of a call, ``images_per_second`` by the
        median, ``cpu_ms_per_image`` (the process's processor time), and ``peak_mb``: of this process, and on a GPU of
        torch's tensors there; NaN where the system does not tell.
    """
    prepare, call = (_torch if way.runtime == "torch" else _onnx)(way)
    rows = []
    for batch in way.batches:
        gray = np.random.default_rng(0).random((batch, 1, way.pixels, way.pixels), np.float32)
        images = prepare(np.repeat(gray, 3, axis=1))
        for _ in range(_WARM_UP):
            call(images)
        milliseconds: list[float] = []
        start, used = time.perf_counter(), time.process_time()
        while len(milliseconds) < _LEAST_CALLS or time.perf_counter() - start < way.seconds:
            milliseconds.append(call(images))
        used = time.process_time() - used
        p50, p95 = np.percentile(milliseconds, (50, 95)).tolist()
        rows.append(
            {
                "batch": batch,
                "calls": len(milliseconds),
                "p50_ms": p50,
                "p95_ms": p95,
                "images_per_second": 1e3 * batch / p50,
                "cpu_ms_per_image": 1e3 * used / len(milliseconds) / batch,
                "peak_mb": _peak_mb(way.device),
            }
        )
    return rows


def _onnx(way: Way) -> tuple[Callable[[np.ndarray], Any], Callable[[Any], float]]:
    from tfake.landmarks.onnx_finder import LANDMARKS_FORMAT, OnnxSession

    session = OnnxSession(way.file, LANDMARKS_FORMAT, way.threads)
    return lambda images: images, lambda images: _milliseconds(lambda: session(images))


def _torch(way: Way) -> tuple[Callable[[np.ndarray], Any], Callable[[Any], float]]:
    import torch

    from tfake.landmarks.networks import load_landmark_networks

    torch.set_num_threads(way.threads)
    network = load_landmark_networks(way.file).network.to(way.device)

    @torch.inference_mode()
    def call(images: torch.Tensor) -> float:
        if way.device == "cpu":
            return _milliseconds(lambda: network(images))
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        network(images)
        end.record()
        end.synchronize()
        return start.elapsed_time(end)

    return lambda images: torch.from_numpy(images).to(way.device), call


def _milliseconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - start)


def _peak_mb(device: str) -> float:
    if device != "cpu":
        import torch

        return torch.cuda.max_memory_allocated() / 1e6
    # What getrusage tells begins with the memory of the process that started this one.
    lines = _STATUS.read_text().splitlines() if _STATUS.exists() else []
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return kilobytes[0] * 1024 / 1e6 if kilobytes else float("nan")


if __name__ == "__main__":
    print(json.dumps(measure(Way(**json.loads(sys.argv[1])))))
