"""A still animated by the user's own checkout of LivePortrait (Guo et al. 2024), as a program of its own.

It paints pictures of 8 bits anew, which are no temperatures any more. So grey values are brought back to °C linearly,
and each class is then shifted to the mean that it has in the still. Points and class maps are those of the
mesh, driven by the same film; to LivePortrait's pixels they are near and not exact.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from tfake.core.classes import LABELLED_CLASSES
from tfake.core.codes import RetargetStatus
from tfake.retargeting.animation import AnimatedFrame, Picture
from tfake.retargeting.driver import nearest_frames, read_film

#: Fewer pixels of a class than this, in the still or in a frame, are no mean to go by.
_LEAST_PIXELS = 20


class LivePortraitError(RuntimeError):
    """The program failed, or left no film; the message has its last words."""


@dataclass(frozen=True)
class LivePortrait:
    """Where it is, and how it is called.

    Attributes:
        checkout: the folder that holds ``inference.py``.
        python: the interpreter that has what it needs; a path is seen from here, and not from the checkout.
        on_gpu: whether it computes on the first GPU that this process sees; otherwise on the CPU.
    """

    checkout: Path
    python: str
    on_gpu: bool

    def animate(self, still: np.ndarray, film: Path, seconds: Sequence[float] | np.ndarray) -> np.ndarray:
        """Run it on a still and a driving film.

        Args:
            still: (H, W, 3) uint8 RGB.
            film: the driver.
            seconds: (T,) times to sample its answer at, as :func:`tfake.retargeting.driver.film_motion` does.

        Returns:
            (T, H, W, 3) uint8 RGB.

        Raises:
            LivePortraitError: it failed, or left no film.
        """
        with TemporaryDirectory() as scratch:
            picture, driver = Path(scratch, "still.png"), Path(scratch, f"film{film.suffix}")
            cv2.imwrite(str(picture), cv2.cvtColor(still, cv2.COLOR_RGB2BGR))
            # It leaves what it made of the film beside it, where the user's files are, and other jobs write the same.
            shutil.copyfile(film, driver)
            # Not resolved: an environment's interpreter is a link.
            python = os.path.abspath(self.python) if os.path.dirname(self.python) else self.python
            command = [python, "inference.py", "-s", str(picture), "-d", str(driver), "-o", scratch]
            # It takes a GPU for granted.
            command += [] if self.on_gpu else ["--flag_force_cpu"]
            done = subprocess.run(command, cwd=self.checkout, capture_output=True, text=True, check=False)
            made = Path(scratch, f"still--{driver.stem}.mp4")
            if done.returncode or not made.is_file():
                words = " ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
                left = (
                    ", ".join(sorted(path.name for path in Path(scratch).glob("*.mp4") if path != driver)) or "no film"
                )
                ended = f"{self.checkout}/inference.py ended with {done.returncode}"
                raise LivePortraitError(f"{ended}; expected {made.name}, found {left}: {words}")
            frames = list(read_film(made))
        times = np.array([time for time, _ in frames])
        size = still.shape[1::-1]
        # Beyond its own length it may have lost or gained frames; its times are the driver's.
        chosen = nearest_frames(times, np.asarray(seconds, float))
        return np.stack([_sized(frames[number][1], size) for number in chosen])


def _sized(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return rgb if rgb.shape[1::-1] == size else cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)


def as_grey(celsius: np.ndarray) -> tuple[np.ndarray, float, float]:
    """A still (H, W) °C as an 8-bit picture (H, W, 3), and the temperatures of black and white."""
    low, high = float(celsius.min()), float(celsius.max())
    grey = np.rint((celsius - low) / max(high - low, 1e-6) * 255.0).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2), low, high


def recalibrate(
    rgb: np.ndarray, classes: np.ndarray, span: tuple[float, float], celsius: np.ndarray, still_classes: np.ndarray
) -> np.ndarray:
    """Temperatures of a painted frame: linear in grey, then each class shifted to its mean in the still.

    Args:
        rgb: (H, W, 3) uint8, grey.
        classes: (H, W) uint8 of the frame.
        span: temperatures of black and white (:func:`as_grey`).
        celsius: (H, W) °C of the still.
        still_classes: (H, W) of the still.

    Returns:
        (H, W) float32 °C. Classes with few pixels in either keep what grey says.
    """
    grey = rgb.astype(np.float32).mean(axis=2) / 255.0
    found = (span[0] + (span[1] - span[0]) * grey).astype(np.float32)
    for face_class in LABELLED_CLASSES:
        here, there = classes == face_class, still_classes == face_class
        if min(np.count_nonzero(here), np.count_nonzero(there)) >= _LEAST_PIXELS:
            found[here] += celsius[there].mean() - found[here].mean()
    return found


class Repainting:
    """The pictures of one sequence as LivePortrait paints them."""

    def __init__(self, tool: LivePortrait, still: Picture, film: Path, seconds: Sequence[float] | np.ndarray) -> None:
        """Run it twice, on the still in visible light and on its temperatures as grey.

        Raises:
            LivePortraitError: it failed.
        """
        self._still = still
        grey, low, high = as_grey(still.celsius)
        self._span = (low, high)
        self._rgb, self._grey = (tool.animate(picture, film, seconds) for picture in (still.rgb, grey))
        self._last = 0

    def repaint(self, number: int, frame: AnimatedFrame) -> AnimatedFrame:
        """Put the painted pictures into a frame; a frame that repeats the one before repeats its pictures, too."""
        if frame.status is RetargetStatus.OK:
            self._last = number
        still, classes = self._still, frame.picture.classes
        celsius = recalibrate(self._grey[self._last], classes, self._span, still.celsius, still.classes)
        return replace(frame, picture=replace(frame.picture, celsius=celsius, rgb=self._rgb[self._last]))
