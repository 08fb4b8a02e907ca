"""Many images for the landmarker: files of any format that is read, folders of them, and the frames of films."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tfake.landmarks.preprocessing import Interpretation, interpret
from tfake.thermal_io.films import DEFAULT_RATE, FILM_SUFFIXES, frame_rate
from tfake.thermal_io.formats import SUFFIXES
from tfake.thermal_io.frames import ThermalFileError
from tfake.thermal_io.scales import Scale
from tfake.thermal_io.thermal_reading import open_thermal

#: Tables lie beside images to describe them as often as they are images: they are looked at where nothing else is.
_TABLES = (".csv",)


class Picture(NamedTuple):
    """One image to look at.

    Attributes:
        name: of its file, below the folder that was asked for; for one of several frames, with its number.
        image: as :func:`tfake.landmarks.preprocessing.preprocess` takes it.
        mode: with which it takes it.
        interpretation: what its numbers were taken for.
        frame: its place in its file; None where the file has one only.
        time_seconds: since the file's first frame, where it tells.
        orientation: the file's orientation tag, 1 to 8; the image is as stored.
    """

    name: str
    image: np.ndarray
    mode: str
    interpretation: Interpretation
    frame: int | None = None
    time_seconds: float | None = None
    orientation: int = 1


class Unreadable(NamedTuple):
    """A file, or a frame of one, that could not be read, or not wholly, and why."""

    name: str
    reason: str


@dataclass
class Pictures:
    """What there is to look at.

    Attributes:
        files: name and path of each file.
        single: one file was asked for, and no folder.
        rate: frames a second, of a single film; None for all else.
        items: the images, one by one.
        count: how many there are: a folder's files, or what a single file says it has; None where it does not say.
        unreadable: what could not be read, so far; grows while ``items`` is gone through.
        skipped: how many files of the folder have a suffix that is not read, by suffix.
    """

    files: tuple[tuple[str, Path], ...]
    single: bool
    rate: float | None
    items: Iterator[Picture]
    count: int | None
    unreadable: list[Unreadable] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)


def open_pictures(
    path: str | Path,
    mode: str = "auto",
    scale: Scale | None = None,
    strict: bool = True,
    exclude: Sequence[Path] = (),
) -> Pictures:
    """List a file, or a folder of files.

    Args:
        path: what to look at.
        mode: as :func:`tfake.landmarks.preprocessing.interpret` takes it.
        scale: what numbers are declared to be; None: what their type says.
        strict: raise at the first file or frame that cannot be read; otherwise note it in ``unreadable``, and go on.
        exclude: folders in it to leave out.

    Raises:
        FileNotFoundError: it is not there.
        ValueError: a folder without images; or, with ``strict``, what cannot be read, when it is asked for.
    """
    path = Path(path)
    reader = _Reader(mode, scale, strict, single=not path.is_dir())
    if path.is_dir():
        files, skipped = list_files(path, exclude)
        named = tuple((file.relative_to(path).as_posix(), file) for file in files)
        return Pictures(named, False, None, reader.read_all(named), len(named), reader.unreadable, skipped)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such image, folder or video")
    named = ((path.name, path),)
    rate = _rate(path) if path.suffix.lower() in FILM_SUFFIXES else None
    return Pictures(named, True, rate, reader.read_all(named), _announced(path), reader.unreadable)


def list_files(folder: str | Path, exclude: Sequence[Path] = ()) -> tuple[list[Path], dict[str, int]]:
    """A folder's files that may be images, those of folders in it included, by name.

    Linked folders are gone into, hidden files and folders and those in ``exclude`` are not. A link to nothing, a pipe
    and a folder that cannot be listed are among them: whoever reads them will say what is wrong.

    Returns:
        The files; and how many others there are, by suffix.

    Raises:
        ValueError: there is none.
    """
    folder = Path(folder)
    seen = {os.path.realpath(other) for other in (folder, *exclude)}
    found: list[Path] = []
    barred: list[Path] = []
    skipped: Counter[str] = Counter()
    walk = os.walk(folder, onerror=lambda error: barred.append(Path(error.filename)), followlinks=True)
    for place, folders, names in walk:
        kept = []
        for name in sorted(folders):
            real = os.path.realpath(Path(place, name))
            if not name.startswith((".", "__MACOSX")) and real not in seen:
                seen.add(real)
                kept.append(name)
        folders[:] = kept
        for name in names:
            file, suffix = Path(place, name), Path(name).suffix.lower()
            if name.startswith("."):
                continue
            if suffix in SUFFIXES:
                found.append(file)
            else:
                skipped[suffix] += 1
    images = [file for file in found if file.suffix.lower() not in _TABLES]
    if images and len(images) < len(found):
        skipped[_TABLES[0]] = len(found) - len(images)
    if not found and not barred:
        raise ValueError(f"{folder}: no images ({', '.join(SUFFIXES)}) in this folder")
    return sorted([*(images or found), *barred]), dict(skipped)


def first_picture(file: Path) -> Picture:
    """The first image of a file; a ValueError that names it where it cannot be read."""
    return next(_Reader("auto", None, True, single=False).read_all(((file.name, file),)))


@dataclass
class _Reader:
    """How files are read, and what of them could not be."""

    mode: str
    scale: Scale | None
    strict: bool
    single: bool
    unreadable: list[Unreadable] = field(default_factory=list)

    def read_all(self, files: Sequence[tuple[str, Path]]) -> Iterator[Picture]:
        for name, path in files:
            try:
                _check_file(path)
                yield from self._read(name, path)
            except (OSError, ValueError) as error:
                if self.strict:
                    raise ValueError(f"{name}: {error}") from error
                self.unreadable.append(Unreadable(name, _reason(error)))

    def _read(self, name: str, path: Path) -> Iterator[Picture]:
        with open_thermal(path) as recording:
            # A film is one of many frames even where it has a single one.
            many = recording.announced != 1 or path.suffix.lower() in FILM_SUFFIXES
            palette = None
            for number, frame in enumerate(recording):
                frame_name = name if not many else f"{number:06d}" if self.single else f"{name}#{number:06d}"
                try:
                    taken = interpret(frame, recording, self.mode, self.scale, palette)
                except ValueError as error:
                    if self.strict or not many:
                        raise
                    self.unreadable.append(Unreadable(frame_name, _reason(error)))
                    continue
                palette = taken.palette or palette
                yield Picture(
                    frame_name,
                    taken.image,
                    taken.mode,
                    taken,
                    number if many else None,
                    frame.time_seconds,
                    recording.orientation,
                )


def _announced(file: Path) -> int | None:
    try:
        _check_file(file)
        with open_thermal(file) as recording:
            return recording.announced
    except (OSError, ThermalFileError):  # whoever reads its images will say what is wrong with it
        return 1


def _rate(film: Path) -> float:
    try:
        _check_file(film)
        with open(film, "rb") as file:
            return frame_rate(file)
    except Exception:  # whoever reads its frames will say what is wrong with it
        return DEFAULT_RATE


def _check_file(path: Path) -> None:
    if path.is_symlink() and not path.exists():
        raise OSError(f"a link to {os.readlink(path)}, which is not there")
    if path.is_dir():
        os.scandir(path).close()
    if not path.is_file():
        raise OSError("no ordinary file")


def _reason(error: Exception) -> str:
    # An OSError of the system's says the path once more.
    return error.strerror if isinstance(error, OSError) and error.strerror else str(error)
