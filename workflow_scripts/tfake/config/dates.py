"""Files dated ahead of this machine's clock: Snakemake takes what is made from them for outdated, and deletes it."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tfake.config.faults import Fault
from tfake.config.faults import Path as Key
from tfake.config.places import find_values

# Clocks of file servers differ by seconds.
_TOLERANCE_SECONDS = 60

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
# What many others are made from, and old.
_MADE = (
    "results/source/*.zip",
    "results/source/index.parquet",
    "results/faces/faces.zarr/zarr.json",
    "results/thermalizers/*/weights.pt",
    "results/variants/*/thermal.zarr/zarr.json",
)


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
    given = [(key, run / name) for key, name in _given(config)]
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


def _given(config: Mapping[str, Any]) -> Iterator[tuple[Key, str]]:
    for pattern in _GIVEN:
        for key, value in find_values(config, pattern):
            if isinstance(value, str):
                yield key, value
            elif isinstance(value, list):
                yield from (((*key, place), name) for place, name in enumerate(value))
