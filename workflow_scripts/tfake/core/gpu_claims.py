"""Which GPUs of a machine a job takes: Snakemake counts GPUs but hands none out (its issue 281).

Left to themselves, all jobs would meet on the first. A job holds the kernel's lock on a file of each of its GPUs' names
for as long as it lives; however it ends, they are free again. Only the rules' scripts claim: whoever uses the library
names a device.
"""

import logging
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tfake.core import nvidia

#: One folder a machine, shared by its users.
FOLDER = Path(tempfile.gettempdir()) / "tfake-gpus"
#: The environment variable that lets several jobs share a GPU; what a machine's GPUs hold is no matter of the config.
JOBS_PER_GPU = "TFAKE_JOBS_PER_GPU"
POLL_SECONDS = 1.0
REPORT_SECONDS = 60.0

_LOCKS = Path("/proc/locks")
# Files whose locks this process holds; closing one would release it.
_held: list[int] = []


def claim_device(device: str, count: int = 1) -> str:
    """Take GPUs for the life of this process and show CUDA these alone; wait until they are free.

    To be called before anything starts CUDA, and for a group of processes in their parent, whose environment they have.

    Args:
        device: the config's ``auto``, ``cpu`` or ``cuda``.
        count: how many; all at once, so that no two groups wait for each other's second half.

    Returns:
        ``cuda`` where GPUs were taken: they are the only ones that torch sees from now on, cuda:0 being the first.
        Otherwise ``device``: there are none, or none that can be told apart.

    Raises:
        ValueError: there are fewer than ``count``, several MIG instances are asked for, or ``TFAKE_JOBS_PER_GPU`` is no
            positive number.
    """
    if device == "cpu":
        return device
    listed = nvidia.list_gpus()
    names = nvidia.visible_names(listed, os.environ.get("CUDA_VISIBLE_DEVICES"))
    # Where nothing lists cards, CUDA_VISIBLE_DEVICES may name some that are not there.
    if not names or not (listed or nvidia.find_card()):
        return device
    taken = claim_gpus(names, count)
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(taken)
    return "cuda"


def claim_gpus(names: Sequence[str], count: int = 1, folder: Path | None = None) -> tuple[str, ...]:
    """Take GPUs that no other job holds, all at once, for the life of this process; wait for them if need be.

    Args:
        names: the GPUs that this job may use, by names that are the same in every job.
        count: how many it needs.
        folder: where the locks lie; the machine's by default.

    Returns:
        ``count`` of the names, in their order.

    Raises:
        ValueError: as ``claim_device``.
    """
    count = max(1, count)
    if len(names) < count:
        raise ValueError(f"this job asks for {count} GPUs; there are {len(names)}: {', '.join(names) or 'none'}")
    if count > 1 and any(name.startswith("MIG-") for name in names):
        raise ValueError(f"a training on {count} GPUs needs whole ones; these are MIG instances: {', '.join(names)}")
    folder, jobs = folder or FOLDER, _jobs_per_gpu()
    begun, reported = time.monotonic(), None
    while True:
        if taken := _try_all(names, count, jobs, folder):
            logging.info("GPU %s, of %d", ", ".join(taken), len(names))
            return taken
        waited = time.monotonic() - begun
        if reported is None or waited - reported >= REPORT_SECONDS:
            reported = waited
            held = [f"{name} is held by {who}" for name in names if (who := _holders(name, jobs, folder))]
            logging.info(
                "waiting since %.0f s for %d of the GPUs %s, which other jobs hold; %s (locks in %s)",
                *(waited, count, ", ".join(names), "; ".join(held) or "nobody knows which", folder),
            )
        time.sleep(POLL_SECONDS)


def _jobs_per_gpu() -> int:
    text = os.environ.get(JOBS_PER_GPU, "1")
    if not text.isdigit() or int(text) < 1:
        raise ValueError(f"{JOBS_PER_GPU} is the number of jobs that may share a GPU: 1 or more; found {text!r}")
    return int(text)


def _try_all(names: Sequence[str], count: int, jobs: int, folder: Path) -> tuple[str, ...]:
    """Hold ``count`` GPUs, or none."""
    _make_shared(folder)
    # One job chooses at a time: two that each saw half of the GPUs free would both go without.
    choosing = _open(folder / "choosing")
    files: dict[str, int] = {}
    try:
        _lock(choosing, wait=True)
        # Every GPU once before any twice.
        for slot in range(jobs):
            for name in names:
                if len(files) < count and name not in files:
                    file = _open(_lock_path(folder, name, slot))
                    if _lock(file, wait=False):
                        files[name] = file
                    else:
                        os.close(file)
    finally:
        os.close(choosing)
    if len(files) < count:
        for file in files.values():
            os.close(file)
        return ()
    _held.extend(files.values())
    return tuple(name for name in names if name in files)


def _lock_path(folder: Path, name: str, slot: int) -> Path:
    return folder / f"{name.replace('/', '_')}.{slot}"


def _make_shared(folder: Path) -> None:
    try:
        folder.mkdir(parents=True)
        # For every user of the machine, whatever this one's mask.
        folder.chmod(0o1777)
    except FileExistsError:
        pass


def _open(path: Path) -> int:
    try:
        # Reading suffices for a lock, and another user's file cannot be opened for more.
        return os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)


def _lock(file: int, wait: bool) -> bool:
    """Whether the file's lock is ours now."""
    import fcntl  # here: Windows has none, and this package shall be imported there

    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    return True


def _holders(name: str, jobs: int, folder: Path) -> str:
    """Which processes hold a GPU, as far as the kernel tells."""
    try:
        inodes = tuple(f":{_lock_path(folder, name, slot).stat().st_ino}" for slot in range(jobs))
        locks = [line.split() for line in _LOCKS.read_text().splitlines()]
    except OSError:
        return ""
    return ", ".join(f"process {lock[4]}" for lock in locks if lock[1] == "FLOCK" and lock[5].endswith(inodes))
