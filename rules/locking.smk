"""A killed run must resume with the same command, so the lock that it left behind is cleared.

Snakemake's own lock is a file, which outlives a run ended by SIGKILL or a power cut. A second lock, held by the kernel
for as long as the run lives, tells whether that file still means anything: when it can be had, no run is left.

NEEDS  nothing
MAKES  .snakemake/run.lock, empty
"""

import shutil
from pathlib import Path

from snakemake.exceptions import WorkflowError

try:
    import fcntl
except ModuleNotFoundError as error:
    raise WorkflowError(
        "the workflow needs a POSIX system: Linux, macOS, or WSL on Windows. Datasets are read and landmarks found "
        "on any: tfake.open_dataset, tfake.ThermalLandmarker"
    ) from error


def hold_run_lock(folder=Path(".snakemake")):
    """Take the kernel's lock for the life of this process; if no run holds it, remove a stale lock of Snakemake's."""
    try:
        folder.mkdir(exist_ok=True)
        handle = open(folder / "run.lock", "w")
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        # Another run lives, or the folder is read-only or cannot be locked: Snakemake's own message will say so.
        return None
    shutil.rmtree(folder / "locks", ignore_errors=True)
    return handle


# Kept in a name: closing the file would release the lock. Jobs on other machines leave it alone: where a network disk does
# not share the kernel's locks, they would find it free.
RUN_LOCK = hold_run_lock() if workflow.is_main_process else None
