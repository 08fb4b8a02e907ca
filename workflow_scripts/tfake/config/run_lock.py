"""A killed run must resume with the same command, so the lock that it left behind is cleared.

Snakemake's own lock is a file, which outlives a run ended by SIGKILL or a power cut. A second lock, held by the kernel
for as long as the run lives, tells whether that file still means anything: when it can be had, no run is left.
"""

import shutil
from pathlib import Path
from typing import IO

from tfake.config.faults import ConfigError


def hold_run_lock(folder: Path = Path(".snakemake")) -> IO[str] | None:
    """Take the kernel's lock for the life of this process; if no run holds it, remove a stale lock of Snakemake's.

    Args:
        folder: Snakemake's records, where ``run.lock`` is made.

    Returns:
        The locked file: closing it releases the lock. None where the lock cannot be had.

    Raises:
        ConfigError: this is no POSIX system.
    """
    try:
        import fcntl
    except ModuleNotFoundError as error:
        raise ConfigError(
            "the workflow needs a POSIX system: Linux, macOS, or WSL on Windows. Datasets are read and landmarks found "
            "on any: tfake.open_dataset, tfake.ThermalLandmarker"
        ) from error
    try:
        folder.mkdir(exist_ok=True)
        handle = open(folder / "run.lock", "w")  # noqa: SIM115
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        # Another run lives, or the folder is read-only or cannot be locked: Snakemake's own message will say so.
        return None
    shutil.rmtree(folder / "locks", ignore_errors=True)
    return handle
