"""The detector: gain and offset drift, fixed pattern, temporal noise and dead pixels.

A camera's own faults are drawn from its seed, what is different in each shot also from the image's id.
"""

import hashlib
from enum import IntEnum

import cv2
import numpy as np

from tfake.camera.camera_model import Camera
from tfake.core.radiometry import ZERO_CELSIUS_KELVIN
from tfake.core.sensor import fixed_pattern


class RngStream(IntEnum):
    """Which random choice; each has a generator of its own, so that a changed setting moves no other choice."""

    VIEW = 201
    SURROUNDINGS = 202
    PATTERN = 203
    DEAD_PIXELS = 204
    DRIFT = 205
    NOISE = 206
    LENS_NOISE = 207


def camera_rng(seed: int, stream: RngStream) -> np.random.Generator:
    """A generator that every shot of the camera shares: its fixed pattern, its dead pixels."""
    return np.random.default_rng([seed, stream])


def shot_rng(seed: int, stream: RngStream, image_id: str) -> np.random.Generator:
    """A generator for one choice of one shot, the same at every ambient: who stands where, in front of what."""
    return np.random.default_rng([seed, stream, _number(image_id)])


def exposure_rng(seed: int, stream: RngStream, image_id: str, ambient_celsius: float) -> np.random.Generator:
    """A generator for what differs even between two ambient temperatures: noise and drift."""
    millikelvin = round((ambient_celsius + ZERO_CELSIUS_KELVIN) * 1000)
    return np.random.default_rng([seed, stream, _number(image_id), millikelvin])


def _number(image_id: str) -> int:
    return int.from_bytes(hashlib.sha256(image_id.encode()).digest()[:8], "little")


#: Standard deviation of what stuck pixels show, K around the ambient temperature.
STUCK_KELVIN = 10.0


def dead_pixels(rng: np.random.Generator, shape: tuple[int, int], fraction: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw the pixels that do not answer to the scene.

    Args:
        rng: of the camera; every shot has the same ones.
        shape: (H, W).
        fraction: of all pixels.

    Returns:
        (H, W) bool, and what each of them shows when it is stuck, (D,) float32 K above ambient in the mask's order.
    """
    order = rng.permutation(shape[0] * shape[1])
    mask = np.zeros(order.size, bool)
    mask[order[: round(fraction * order.size)]] = True
    stuck = rng.normal(0.0, STUCK_KELVIN, np.count_nonzero(mask)).astype(np.float32)
    return mask.reshape(shape), stuck


class Detector:
    """One camera's detector, ready for shots: what is the same in all of them is drawn once."""

    def __init__(self, camera: Camera) -> None:
        """Draw the camera's pattern and its dead pixels."""
        self._camera = camera
        shape = camera.native_pixels[::-1]
        kelvin = (camera.pixel_pattern_kelvin, camera.row_pattern_kelvin, camera.column_pattern_kelvin)
        self._pattern = fixed_pattern(camera_rng(camera.seed, RngStream.PATTERN), shape, *kelvin)
        self._dead, self._stuck = dead_pixels(camera_rng(camera.seed, RngStream.DEAD_PIXELS), shape, camera.dead_share)

    def expose(self, celsius: np.ndarray, ambient_celsius: float, image_id: str) -> np.ndarray:
        """Read the detector.

        Args:
            celsius: (H, W) float32 °C, what falls on it.
            ambient_celsius: of surroundings and camera, °C; a wrong gain scales the distance to it.
            image_id: id of the shot.

        Returns:
            (H, W) float32 °C.
        """
        camera = self._camera
        drift = exposure_rng(camera.seed, RngStream.DRIFT, image_id, ambient_celsius).standard_normal(2)
        gain, offset = drift * (camera.gain_drift, camera.offset_drift_kelvin)
        noise = exposure_rng(camera.seed, RngStream.NOISE, image_id, ambient_celsius)
        ambient = np.float32(ambient_celsius)
        read = ambient + (celsius - ambient) * np.float32(1.0 + gain) + np.float32(offset)
        read += self._pattern
        read += noise.standard_normal(celsius.shape, dtype=np.float32) * np.float32(camera.netd_kelvin)
        if camera.dead_pixels == "stuck":
            read[self._dead] = ambient + self._stuck
            return read
        return replace_pixels(read, self._dead)


def replace_pixels(celsius: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Give each masked pixel the mean of the others among its eight neighbours, as a camera's firmware does.

    Args:
        celsius: (H, W) float32 °C.
        mask: (H, W) bool.

    Returns:
        (H, W) float32 °C; a pixel without any neighbour left takes the mean of all others.
    """
    if not mask.any():
        return celsius
    good = np.where(mask, np.float32(0), celsius)
    total, count = (
        cv2.boxFilter(image, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        for image in (good, (~mask).astype(np.float32))
    )
    mean = np.float32(celsius[~mask].mean(dtype=np.float64))
    filled = np.where(count > 0, total / np.maximum(count, 1), mean)
    return np.where(mask, filled, celsius)
