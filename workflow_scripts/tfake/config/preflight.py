"""Where a run stands: what Snakemake would stumble over later with a message that names something else, and the lock.

A killed run must resume with the same command. Snakemake's own lock is a file, which outlives a run ended by SIGKILL or
a power cut. A second lock, held by the kernel for as long as the run lives, tells whether that file still means
anything: when it can be had, no run is left, and the file is cleared.
"""

import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from tfake.config.faults import ConfigError, Fault
from tfake.config.faults import Path as Key

_BRACES = re.compile(r"[{}]")
# Clocks of file servers differ by seconds.
_TOLERANCE_SECONDS = 60

# Keys that name files of the user; * stands for every entry.
_GIVEN = (
    ("source", "archive"),
    ("conditions", "*", "pairs", "path"),
    ("conditions", "*", "bank", "path"),
    ("thermalizers", "*", "weights"),
    ("variants", "*", "files"),
    ("variants", "*", "points"),
    ("ablation", "lwir_faces"),
    ("ablation", "real", "archive"),
    ("labels", "face_landmarker", "path"),
    ("evaluation", "landmarkers", "*"),
    ("report", "reference", "path"),
)
# What many others are made from, and stays unchanged for long.
_MADE = (
    "results/source/*.zip",
    "results/source/index.parquet",
    "results/faces/faces.zarr/zarr.json",
    "results/thermalizers/*/weights.pt",
    "results/variants/*/thermal.zarr/zarr.json",
)


def check_folders(workflow: Path, run: Path) -> None:
    """Refuse folders that Snakemake cannot work in.

    Args:
        workflow: the folder of the workflow itself.
        run: the working directory.

    Raises:
        ConfigError: one of them has braces in its path, which Snakemake takes for wildcards.
    """
    for what, folder in (("workflow", workflow), ("run", run)):
        if _BRACES.search(str(folder)):
            raise ConfigError(
                f"the folder of the {what} is {folder}: Snakemake takes braces for wildcards; move it elsewhere, "
                "or link to it"
            )


def check_compared(folders: Sequence[str] | None) -> list[str]:
    """Refuse to compare what is not there.

    Args:
        folders: two folders of results or of a published dataset; None where none were named.

    Returns:
        The folders.

    Raises:
        ConfigError: there are not two, or one holds no sealed store.
    """
    if not folders:
        raise ConfigError("config: compare is empty; name two datasets: snakemake compare --config 'compare=[A, B]'")
    for place, folder in enumerate(map(Path, folders)):
        stores = ("faces/SHA256SUMS", "variants/*/SHA256SUMS")
        if not any(list(root.glob(store)) for root in (folder, folder / "results") for store in stores):
            found = "has no sealed store: no SHA256SUMS in faces/ or variants/NAME/, here or in results/"
            found = found if folder.is_dir() else "is no folder"
            raise ConfigError(f"config: compare[{place}] is {folder}, which {found} (seen from {Path.cwd()})")
    return list(folders)


def find_dated_ahead(config: Mapping[str, Any], run: Path, now: float | None = None) -> list[Fault]:
    """Files of the user's or of the run's own that are dated ahead.

    Args:
        config: complete.
        run: the working directory, which paths are seen from.
        now: seconds since the epoch; None reads the clock.

    Returns:
        A fault a file, with the command that mends it.
    """
    now = time.time() if now is None else now
    given = [(key, run / name) for pattern in _GIVEN for key, name in _texts_at(config, pattern)]
    faults = [
        Fault(key, f"is {path}, {_describe(path, now)}: `touch {path}`") for key, path in given if _is_ahead(path, now)
    ]
    made = [path for pattern in _MADE for path in sorted(run.glob(pattern)) if _is_ahead(path, now)]
    if made:
        # All to one moment: what is as old as its input is not outdated.
        command = f"find results resources -newermt {_moment(now)} -exec touch -d {_moment(now)} {{}} +"
        faults.append(Fault((str(made[0].relative_to(run)),), f"is {_describe(made[0], now)}: `{command}`, in {run}"))
    return faults


def _is_ahead(path: Path, now: float) -> bool:
    try:
        return max(path.stat().st_mtime, path.lstat().st_mtime) > now + _TOLERANCE_SECONDS
    except OSError:
        return False


def _describe(path: Path, now: float) -> str:
    return (
        f"dated {_moment(path.stat().st_mtime)}, ahead of this machine's clock ({_moment(now)}), so that all that is "
        "made from it would count as outdated; set the clock, or date it anew"
    )


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(seconds))


def _texts_at(config: Any, pattern: Sequence[str], path: Key = ()) -> Iterator[tuple[Key, str]]:
    """The texts at a pattern's places, with their places; in lists, each item."""
    if pattern:
        names = config if pattern[0] == "*" else [pattern[0]] if pattern[0] in config else []
        for name in names:
            yield from _texts_at(config[name], pattern[1:], (*path, name))
    elif isinstance(config, list):
        for place, item in enumerate(config):
            yield from _texts_at(item, (), (*path, place))
    elif isinstance(config, str):
        yield path, config


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
