"""What the command line writes: the JSON of answers, and landmarks drawn on their images.

Where it writes is checked before the first picture; never over an input, whole or not at all.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import cv2
import numpy as np

from tfake.landmarks.inputs import Picture, Pictures
from tfake.landmarks.landmarker import LandmarkDetections
from tfake.landmarks.preprocessing import preprocess

#: What films of drawings are written with, by suffix.
_CODECS = {".mp4": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG", ".webm": "VP80"}
_IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")

_CONFIDENT, _UNCERTAIN = np.array((80, 220, 80)), np.array((60, 60, 240))
#: A standard deviation of this fraction of the face is drawn in the colour of the least confident.
_WORST = 0.05
_MIN_EDGE = 480
_LEGEND_HEIGHT, _TEXT = 24, 0.42


class JsonOutput(AbstractContextManager):
    """The JSON file, or the terminal; the file appears whole, when ``write`` is called."""

    def __init__(self, path: str | None, inputs: Iterable[Path]) -> None:
        """Check that the file can be written; None is the terminal.

        Raises:
            ValueError: it is a folder, one of the inputs, or cannot be written; the message says which.
        """
        self.path = None if path is None else Path(path)
        self._part = None
        if self.path is None:
            return
        if self.path.is_dir():
            raise ValueError(f"-o: {path} is a folder; name a file")
        refuse_input(self.path, inputs, "-o")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._part = self.path.with_name(f"{self.path.name}.part")
            self._part.touch()
        except OSError as error:
            raise ValueError(f"-o: {path} cannot be written ({error.strerror})") from error

    def write(self, content: dict) -> None:
        """Write content as JSON."""
        text = json.dumps(content, indent=1) + "\n"
        if self._part is None:
            sys.stdout.write(text)
        else:
            self._part.write_text(text, encoding="utf-8")
            os.replace(self._part, self.path)

    def __exit__(self, *_: object) -> None:
        """Leave nothing half-written behind."""
        if self._part is not None:
            self._part.unlink(missing_ok=True)


class Drawings(AbstractContextManager):
    """Drawings of pictures: a file for a picture, a folder for a folder or for frames, or a film for a film."""

    def __init__(self, path: str, pictures: Pictures, inputs: Iterable[Path], answers: Path | None = None) -> None:
        """Choose the kind by the path and by what there is to draw, and check that it can be written.

        Args:
            path: where to draw.
            pictures: what will be drawn.
            inputs: files that must not be written over.
            answers: the file that the answers are written to.

        Raises:
            ValueError: of no kind that can be written, an input's place, or a place that cannot be written.
        """
        self.path = Path(path)
        self._inputs = list(inputs)
        self._film: cv2.VideoWriter | None = None
        self._rate = pictures.rate
        suffix = self.path.suffix.lower()
        self._is_folder = not pictures.single or self.path.is_dir() or not suffix
        if answers is not None:
            self._check_apart(answers)
        try:
            if self._is_folder:
                self._check_folder(pictures)
            elif self._rate is not None:
                self._check_film(suffix)
            elif suffix not in _IMAGES or pictures.count != 1:
                kinds = f"an image ({', '.join(_IMAGES)}) for a file of one, a folder for several"
                raise ValueError(f"--draw: name {kinds}; found {path}")
            else:
                refuse_input(self.path, self._inputs, "--draw")
            _check_writable(self.path if self._is_folder else self.path.parent)
        except OSError as error:
            raise ValueError(f"--draw: {path} cannot be written ({error.strerror})") from error

    def write(self, picture: Picture, drawn: np.ndarray) -> None:
        """Write one drawing, (H, W, 3) uint8, BGR; a ValueError where it cannot be written."""
        if self._is_folder:
            _write_image(self.path / self._names.get(picture.name, f"{_frame_path(picture.name)}.png"), drawn)
        elif self._rate is None:
            _write_image(self.path, drawn)
        else:
            if self._film is None:
                codec = cv2.VideoWriter_fourcc(*_CODECS[self.path.suffix.lower()])
                self._film = cv2.VideoWriter(str(self._part), codec, self._rate, drawn.shape[1::-1])
            self._film.write(drawn)

    def __exit__(self, kind: type | None, *_: object) -> None:
        """Close a film; it gets its name when it is whole."""
        if self._film is not None:
            self._film.release()
            if kind is None:
                os.replace(self._part, self.path)
        if not self._is_folder and self._rate is not None:
            self._part.unlink(missing_ok=True)

    @property
    def _part(self) -> Path:
        return self.path.with_name(f"{self.path.stem}.part{self.path.suffix}")

    def _check_apart(self, answers: Path) -> None:
        own, other = (Path(os.path.realpath(path)) for path in (self.path, answers))
        # All that is drawn into a folder ends so.
        is_drawing = self._is_folder and own in other.parents and other.suffix.lower() == ".png"
        if own == other or other in own.parents or is_drawing:
            raise ValueError(f"--draw and -o: {self.path} and {answers} are in each other's place; name another")

    def _check_folder(self, pictures: Pictures) -> None:
        if self.path.is_file():
            raise ValueError(f"--draw: {self.path} is a file; the drawings of several pictures need a folder")
        names = [name for name, _ in pictures.files]
        stems = {Path(name).with_suffix("").as_posix().casefold() for name in names}
        # One name for two pictures: then each keeps its suffix.
        short = len(stems) == len(names)
        self._names = {name: Path(name).with_suffix(".png") if short else Path(f"{name}.png") for name in names}
        if pictures.single and (pictures.count != 1 or pictures.rate is not None):
            self._names = {}
        for name in self._names.values():
            refuse_input(self.path / name, self._inputs, "--draw")

    def _check_film(self, suffix: str) -> None:
        if suffix not in _CODECS:
            films = ", ".join(_CODECS)
            raise ValueError(
                f"--draw: frames of a video are drawn into a video ({films}) or a folder; found {self.path}"
            )
        refuse_input(self.path, self._inputs, "--draw")
        with tempfile.TemporaryDirectory() as folder:
            trial = cv2.VideoWriter(f"{folder}/trial{suffix}", cv2.VideoWriter_fourcc(*_CODECS[suffix]), 10, (64, 64))
            opened = trial.isOpened()
            trial.release()
        if not opened:
            raise ValueError(f"--draw: this OpenCV cannot write {suffix}; name an .avi or .mp4")


def _frame_path(name: str) -> str:
    """Where a frame's drawing goes: a folder for its film or stack, without the sign between name and number."""
    file, _, number = name.rpartition("#")
    return f"{file}/{number}" if file else name


def refuse_input(path: Path, inputs: Iterable[Path], option: str) -> None:
    """Refuse a path that is an input's, by whatever name.

    Raises:
        ValueError: it is; with the option that named it.
    """
    for file in inputs:
        with suppress(OSError):
            if os.path.realpath(path) == os.path.realpath(file) or (path.exists() and path.samefile(file)):
                raise ValueError(f"{option}: {path} would be written over the input {file}; name another place")


def _check_writable(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass


def _write_image(path: Path, drawn: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(path.suffix, drawn)
    if not done:
        raise ValueError(f"--draw: OpenCV cannot write {path}")
    path.write_bytes(data.tobytes())


def draw_faces(
    image: np.ndarray, faces: LandmarkDetections, mode: str = "auto", track_ids: Sequence[int] | np.ndarray = ()
) -> np.ndarray:
    """Draw points on an image, coloured by the standard deviation of each.

    Args:
        image: as :func:`tfake.landmarks.preprocessing.preprocess` takes it, with ``mode``.
        faces: what was found in it.
        mode: as there.
        track_ids: who they are, written above each; empty where nobody was followed.

    Returns:
        (H', W', 3) uint8 in OpenCV's order; small images are enlarged by a whole factor.
    """
    shown = (preprocess(image, mode)[..., ::-1] * 255).round().astype(np.uint8)
    factor = max(1, round(_MIN_EDGE / max(shown.shape[:2])))
    shown = np.ascontiguousarray(shown.repeat(factor, axis=0).repeat(factor, axis=1))
    for points, sigma, box in zip(faces.landmarks, faces.sigma, faces.boxes, strict=True):
        size = max(float(np.sqrt(np.prod(box[2:] - box[:2]))), 1.0)
        radius = max(1, round(size * factor / (40 if len(points) < 100 else 120)))
        for (x, y), spread in zip((points + 0.5) * factor, sigma, strict=True):
            cv2.circle(shown, (round(float(x)), round(float(y))), radius, _colour(spread / size), -1, cv2.LINE_AA)
    for track_id, box in zip(track_ids, faces.boxes, strict=len(track_ids) > 0):
        corner = (max(0, round(float(box[0]) * factor)), max(12, round(float(box[1]) * factor) - 4))
        cv2.putText(shown, str(track_id), corner, cv2.FONT_HERSHEY_SIMPLEX, 2 * _TEXT, (255, 255, 255), 1, cv2.LINE_AA)
    return shown


def with_legend(drawn: np.ndarray) -> np.ndarray:
    """Put below a drawing what its colours mean: the standard deviation of a point, in percent of the face's size.

    Returns:
        (H + 24, W, 3) uint8, BGR.
    """
    width = drawn.shape[1]
    strip = np.zeros((_LEGEND_HEIGHT, width, 3), np.uint8)
    ramp = range(width // 4, 3 * width // 4)
    for column in ramp:
        strip[8:16, column] = _colour((column - ramp.start) / len(ramp) * _WORST)
    for text, x in (("sure", 4), (f"sigma {_WORST:.0%}", ramp.stop + 6)):
        cv2.putText(strip, text, (x, 16), cv2.FONT_HERSHEY_SIMPLEX, _TEXT, (255, 255, 255), 1, cv2.LINE_AA)
    return np.concatenate((drawn, strip))


def _colour(fraction: float) -> tuple[float, ...]:
    """The colour of a standard deviation, a fraction of the face's size."""
    worst = min(fraction / _WORST, 1.0)
    return tuple(float(part) for part in (1 - worst) * _CONFIDENT + worst * _UNCERTAIN)
