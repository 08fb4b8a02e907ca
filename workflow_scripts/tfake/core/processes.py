"""Threads, processes and memory of a job: cores divided, work done ahead in threads, freed memory kept."""

import ctypes
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

# Parameters of mallopt(3).
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_LARGEST_KEPT, _MOST_KEPT = 32 << 20, 1 << 30
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

Piece = TypeVar("Piece")
Result = TypeVar("Result")


def share_threads(threads: int, processes: int, beside_gpu: bool) -> tuple[int, int]:
    """Divide a training job's threads.

    Args:
        threads: what the scheduler gave the whole job.
        processes: how many processes share the training.
        beside_gpu: whether the network computes on a GPU.

    Returns:
        Of each process: threads that torch, OpenCV and BLAS compute with (:func:`tfake.core.devices.limit_threads`),
        and threads that make batches. Beside a GPU the latter are all there are, and each computes with one; on a CPU
        the network has them all, and batches are made between its steps.
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


def map_ahead(
    pool: Executor, function: Callable[[Piece], Result], pieces: Iterable[Piece], ahead: int
) -> Iterator[Result]:
    """Apply a function in a pool's threads and yield the results in the pieces' order.

    Several of these may feed one another over the same pool: a stage is asked for its next piece only when the stage
    behind it has room, so that memory is bounded by the sum of their ``ahead``.

    Args:
        pool: where the function runs.
        function: applied to each piece; the first exception is raised here, in its place.
        pieces: taken one by one, in the caller's thread.
        ahead: pieces under way or waiting to be taken, at most, beside the one that is yielded.
    """
    waiting: deque[Future[Result]] = deque()
    try:
        for piece in pieces:
            waiting.append(pool.submit(function, piece))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def map_threads(
    function: Callable[[Piece], Result], pieces: Iterable[Piece], workers: int, ahead: int | None = None
) -> Iterator[Result]:
    """Apply a function in threads of its own and yield the results in the pieces' order.

    Args:
        function: as of ``map_ahead``.
        pieces: as there.
        workers: threads; 0 applies it in the caller's, to a piece when it is asked for.
        ahead: as there; two a thread by default.
    """
    if workers == 0:
        yield from map(function, pieces)
        return
    with ThreadPoolExecutor(workers) as pool:
        yield from map_ahead(pool, function, pieces, 2 * workers if ahead is None else ahead)


def keep_freed_memory() -> None:
    """Let the C library keep large blocks that are freed, for the next ones of their size.

    By its own thresholds glibc hands an image's arrays back to the kernel and fetches them again page by page, for each
    image and each layer of a network: a tenth of a job's time. Blocks up to 32 MB are kept, 1 GB at most that nobody
    uses; a thread beside the first keeps some tens of MB of its own. Without glibc nothing is changed.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)
            mallopt(_TRIM_THRESHOLD, _MOST_KEPT)
