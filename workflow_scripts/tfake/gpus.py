"""Which GPU of a machine a job takes: Snakemake counts GPUs but hands none out (its issue 281).

Left to themselves, all jobs would meet on the first. A job holds the kernel's lock on a file of its GPU's name for as
long as it lives; however it ends, the GPU is free again.
"""

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

#: One folder a machine, shared by its users.
FOLDER = Path(tempfile.gettempdir()) / "tfake-gpus"
#: The environment variable that lets several jobs share a GPU; what a machine's GPUs hold is no matter of the config.
JOBS_PER_GPU = "TFAKE_JOBS_PER_GPU"
POLL_SECONDS = 1.0
REPORT_SECONDS = 60.0

# Files whose locks this process holds; closing one would release it.
_held: list[int] = []


def claim_gpu(names: Sequence[str], folder: Path | None = None) -> int:
    """Take a GPU that no other job holds, for the life of this process; wait for one if need be.

    Args:
        names: the GPUs that this job may use, by a name that is the same in every job (their UUIDs).
        folder: where the locks lie; the machine's by default.

    Returns:
        The index into ``names``.

    Raises:
        ValueError: no GPU to choose from, or ``TFAKE_JOBS_PER_GPU`` is no positive number.
    """
    if not names:
        raise ValueError("no GPU to choose from")
    folder = folder or FOLDER
    jobs = _jobs_per_gpu()
    reported = -REPORT_SECONDS
    while True:
        # Every GPU once before any twice.
        for slot in range(jobs):
            for index, name in enumerate(names):
                if _hold(folder / f"{name}.{slot}"):
                    return index
        if time.monotonic() - reported >= REPORT_SECONDS:
            reported = time.monotonic()
            logging.info("waiting for a GPU: %d with %d job(s) each are taken (locks in %s)", len(names), jobs, folder)
        time.sleep(POLL_SECONDS)


def _jobs_per_gpu() -> int:
    text = os.environ.get(JOBS_PER_GPU, "1")
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"{JOBS_PER_GPU} is the number of jobs that may share a GPU: 1 or more; found {text!r}")
    return int(text)


def _hold(path: Path) -> bool:
    try:
        path.parent.mkdir(parents=True)
        # For every user of the machine, whatever this one's mask.
        path.parent.chmod(0o1777)
    except FileExistsError:
        pass
    try:
        # Reading suffices for a lock, and another user's file cannot be opened for more.
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        file = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return False
    _held.append(file)
    return True
