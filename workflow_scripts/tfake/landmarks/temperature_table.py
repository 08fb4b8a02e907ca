"""Temperatures over time as a table in a file, CSV or Parquet by its suffix, and what follows for each face."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tfake.landmarks.breathing import breathing_rate
from tfake.landmarks.nostril_signal import HEIGHT, WIDTH, breath_signal, nose_patch, signal_rate
from tfake.landmarks.outputs import refuse_input
from tfake.landmarks.table_files import CHUNK_ROWS, TableFile
from tfake.landmarks.temperatures import as_celsius, read_temperatures
from tfake.landmarks.tracking import TrackedFaces

if TYPE_CHECKING:
    import pandas as pd

_TYPES = {
    "image": "object",
    "frame": "int64",
    "time_seconds": "float64",
    "track_id": "int64",
    "place": "object",
    "celsius": "float64",
    "pixels": "int64",
    "sigma": "float64",
    "valid": "bool",
    "reason": "object",
}
COLUMNS = tuple(_TYPES)
_SUFFIXES = (".csv", ".parquet")
#: The place of the signal that breath is read from.
BREATH = "breath"
_NOSTRILS = ("right_nostril", "left_nostril")
_NOT_SEEN = "the face was not found in this frame"


class TemperatureTable(AbstractContextManager):
    """A table that is written as it grows, and appears whole, when ``write`` is called.

    Patches around noses, out of which breath is read at the end, wait in a file without a name: 10 kB a face and frame.
    """

    def __init__(self, path: str, inputs: Iterable[Path]) -> None:
        """Check that it can be written, and begin.

        Raises:
            ValueError: another suffix, a folder, one of the inputs, or no place that can be written.
            ImportError: pandas has nothing to write Parquet with.
        """
        self.path = Path(path)
        self._noses: dict[int, list[_Nose]] = {}
        if self.path.suffix.lower() not in _SUFFIXES:
            raise ValueError(f"--temperatures: name a file {' or '.join(_SUFFIXES)}; found {path}")
        if self.path.is_dir():
            raise ValueError(f"--temperatures: {path} is a folder; name a file")
        refuse_input(self.path, inputs, "--temperatures")
        self._part = self.path.with_name(f"{self.path.name}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with ExitStack() as stack:
                # Nothing half-written stays behind.
                stack.callback(self._part.unlink, missing_ok=True)
                is_parquet = self.path.suffix.lower() == ".parquet"
                self._file = stack.enter_context(TableFile(self._part, _TYPES, is_parquet))
                self._patches = stack.enter_context(TemporaryFile(dir=self.path.parent))
                self._open = stack.pop_all()
        except ImportError as error:
            raise ImportError(
                f"--temperatures: {path} needs the package pyarrow; install it, or name a .csv"
            ) from error
        except OSError as error:
            raise ValueError(f"--temperatures: {path} cannot be written ({error.strerror})") from error

    def add(self, image: np.ndarray, name: str, frame: int, tracked: TrackedFaces) -> None:
        """Read the faces of a frame.

        Args:
            image: as :func:`tfake.landmarks.temperatures.read_temperatures` takes it.
            name: of the picture.
            frame: its number in its file, or in its folder.
            tracked: its faces.
        """
        places = zip(tracked.track_ids, tracked.observed, *tracked.faces, strict=True)
        for track_id, observed, points, sigma in places:
            for reading in read_temperatures(image, points, sigma):
                valid, reason = (reading.valid, reading.reason) if observed else (False, _NOT_SEEN)
                row = (reading.place, reading.celsius, reading.pixels, reading.sigma, valid, reason)
                self._file.append((name, frame, tracked.time_seconds, int(track_id), *row))
            if observed:
                start = self._patches.tell()
                self._patches.write(nose_patch(as_celsius(image), points).tobytes())
                self._noses.setdefault(int(track_id), []).append(_Nose(name, frame, tracked.time_seconds, start))

    def _breath_rows(self) -> Iterator[tuple]:
        """The signal of each face whose frames have times: °C of no one place, so without pixels and sigma."""
        for track_id, noses in self._noses.items():
            if all(nose.seconds is not None for nose in noses):
                signal = breath_signal(np.array([nose.seconds for nose in noses]), self._read_patches(noses))
                for nose, celsius in zip(noses, signal, strict=True):
                    row = (BREATH, float(celsius), 0, float("nan"), True, "")
                    yield nose.name, nose.frame, nose.seconds, track_id, *row

    def _read_patches(self, noses: Sequence["_Nose"]) -> np.ndarray:
        """(T, ``HEIGHT``, ``WIDTH``) float32 °C."""
        patches = np.empty((len(noses), HEIGHT, WIDTH), np.float32)
        for place, nose in enumerate(noses):
            self._patches.seek(nose.start)
            self._patches.readinto(patches[place])
        return patches

    def write(self) -> "pd.DataFrame":
        """Finish the file, and give those of its rows that :func:`breathing_of_tracks` needs.

        It takes a while for long films, and all patches of one face in memory.
        """
        for row in self._breath_rows():
            self._file.append(row)
        self._file.close()
        os.replace(self._part, self.path)
        return _read_breath(self.path)

    def __exit__(self, *_: object) -> None:
        """Close what is open, and leave nothing half-written behind."""
        self._open.close()


class _Nose(NamedTuple):
    """Where the patch around a nose is of, and where it lies in the file of patches."""

    name: str
    frame: int
    seconds: float | None
    start: int


def _read_breath(path: Path) -> "pd.DataFrame":
    """The rows of a table that may tell of breath, a part of a CSV after the other."""
    import pandas as pd  # here, for what reads no temperatures does without

    places = (BREATH, *_NOSTRILS)
    if path.suffix.lower() == ".parquet":
        return pd.read_parquet(path, filters=[("place", "in", places)])
    with pd.read_csv(path, chunksize=CHUNK_ROWS) as chunks:
        return pd.concat([chunk[chunk["place"].isin(places)] for chunk in chunks])


def read_table(path: str | os.PathLike) -> "pd.DataFrame":
    """Read a table that was written.

    Args:
        path: of a .csv or .parquet.

    Returns:
        By ``COLUMNS``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such table; with what was expected and found.
    """
    import pandas as pd  # here, for what reads no temperatures does without

    file = Path(path)
    if file.suffix.lower() not in _SUFFIXES:
        raise ValueError(f"expected a table {' or '.join(_SUFFIXES)}, found {path}")
    table = pd.read_parquet(file) if file.suffix.lower() == ".parquet" else pd.read_csv(file)
    if missing := [name for name in COLUMNS if name not in table]:
        raise ValueError(f"{path}: expected the columns {', '.join(COLUMNS)}; it has no {', '.join(missing)}")
    return table


def breathing_of_tracks(table: "pd.DataFrame") -> list[dict]:
    """The breathing rate of each face of a table.

    It is read from the place ``breath`` (:mod:`tfake.landmarks.nostril_signal`); where a table has none of a face, from
    the mean of the nostrils that are valid.

    Returns:
        ``track_id`` and the fields of :class:`tfake.landmarks.breathing.Breathing`, NaN as None.
    """
    answers = []
    for track_id in sorted(table["track_id"].unique()):
        own = table[(table["track_id"] == track_id) & table["valid"]]
        signal = own[own["place"] == BREATH]
        estimate = signal_rate if len(signal) else breathing_rate
        chosen = signal if len(signal) else own[own["place"].isin(_NOSTRILS)]
        trace = chosen.groupby("time_seconds")["celsius"].mean()
        found = estimate(trace.index.to_numpy(), trace.to_numpy())
        answers.append({"track_id": int(track_id)} | {name: _plain(value) for name, value in found._asdict().items()})
    return answers


def _plain(value: float | bool | str) -> float | bool | str | None:
    if isinstance(value, float):
        return round(value, 3) if np.isfinite(value) else None
    return value
