"""Temperatures over time as a table in a file, CSV or Parquet by its suffix, and what follows for each face."""

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tfake.landmarks.breathing import breathing_rate
from tfake.landmarks.nostril_signal import breath_signal, nose_patch, signal_rate
from tfake.landmarks.outputs import refuse_input
from tfake.landmarks.temperatures import as_celsius, read_temperatures
from tfake.landmarks.tracking import TrackedFaces

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("image", "frame", "time_seconds", "track_id", "place", "celsius", "pixels", "sigma", "valid", "reason")
_SUFFIXES = (".csv", ".parquet")
#: The place of the signal that breath is read from.
BREATH = "breath"
_NOSTRILS = ("right_nostril", "left_nostril")
_NOT_SEEN = "the face was not found in this frame"


class TemperatureTable(AbstractContextManager):
    """A table that appears whole, when ``write`` is called."""

    def __init__(self, path: str, inputs: Iterable[Path]) -> None:
        """Check that it can be written.

        Raises:
            ValueError: another suffix, a folder, one of the inputs, or no place that can be written.
            ImportError: pandas has nothing to write Parquet with.
        """
        self.path = Path(path)
        self._rows: list[tuple] = []
        self._noses: dict[int, list[tuple[str, int, float | None, np.ndarray]]] = {}
        if self.path.suffix.lower() not in _SUFFIXES:
            raise ValueError(f"--temperatures: name a file {' or '.join(_SUFFIXES)}; found {path}")
        if self.path.is_dir():
            raise ValueError(f"--temperatures: {path} is a folder; name a file")
        refuse_input(self.path, inputs, "--temperatures")
        if self.path.suffix.lower() == ".parquet":
            try:
                import pyarrow  # noqa: F401
            except ImportError as error:
                raise ImportError(
                    f"--temperatures: {path} needs the package pyarrow; install it, or name a .csv"
                ) from error
        self._part = self.path.with_name(f"{self.path.name}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._part.touch()
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
                self._rows.append((name, frame, tracked.time_seconds, int(track_id), *row))
            if observed:
                nose = (name, frame, tracked.time_seconds, nose_patch(as_celsius(image), points))
                self._noses.setdefault(int(track_id), []).append(nose)

    def frame(self) -> "pd.DataFrame":
        """The table so far, by ``COLUMNS``: °C, pixels, seconds."""
        import pandas as pd  # here, for what reads no temperatures does without

        table = pd.DataFrame([*self._rows, *self._breath_rows()], columns=COLUMNS)
        numbers = {"time_seconds": "float64", "celsius": "float64", "sigma": "float64"}
        whole = {"frame": "int64", "track_id": "int64", "pixels": "int64"}
        return table.astype(numbers | whole | {"valid": "bool"})

    def _breath_rows(self) -> Iterator[tuple]:
        """The signal of each face whose frames have times: °C of no one place, so without pixels and sigma."""
        for track_id, noses in self._noses.items():
            if all(seconds is not None for _, _, seconds, _ in noses):
                signal = breath_signal(np.array([nose[2] for nose in noses]), np.stack([nose[3] for nose in noses]))
                for (name, frame, seconds, _), celsius in zip(noses, signal, strict=True):
                    yield name, frame, seconds, track_id, BREATH, float(celsius), 0, float("nan"), True, ""

    def write(self) -> "pd.DataFrame":
        """Write it, and give it as :meth:`frame` does, which takes a while for long films."""
        table = self.frame()
        if self.path.suffix.lower() == ".parquet":
            table.to_parquet(self._part, index=False)
        else:
            rounded = table.round({"time_seconds": 6, "celsius": 3, "sigma": 3})
            rounded.to_csv(self._part, index=False)
        os.replace(self._part, self.path)
        return table

    def __exit__(self, *_: object) -> None:
        """Leave nothing half-written behind."""
        self._part.unlink(missing_ok=True)


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
