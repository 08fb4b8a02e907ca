"""Threads and processes of a job that leave each other's cores alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def share_threads(threads: int, processes: int, beside_gpu: bool) -> tuple[int, int]:
    """Divide a training job's threads.

    Args:
        threads: what the scheduler gave the whole job.
        processes: how many processes share the training.
        beside_gpu: whether the network computes on a GPU.

    Returns:
        Of each process: threads that torch, OpenCV and BLAS compute with (:func:`tfake.devices.limit_threads`), and
        threads that make batches. Beside a GPU the latter are all there are, and each computes with one; on a CPU the
        network has them all, and batches are made between its steps.
    """
    own = max(1, threads // processes)
    return (1, own) if beside_gpu else (own, 0)


@contextmanager
def single_threaded() -> Iterator[None]:
    """Environment for spawned processes, which read it when they import numpy: each computes with one thread."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
