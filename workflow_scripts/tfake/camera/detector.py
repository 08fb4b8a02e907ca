"""The detector: gain and offset drift, its fixed pattern, temporal noise and pixels that do not answer."""

import cv2
import numpy as np

from tfake.camera.settings import Camera
from tfake.camera.streams import Stream, of_camera, of_exposure
from tfake.sensor import fixed_pattern

#: Standard deviation of what stuck pixels show, K around the room.
STUCK_KELVIN = 10.0


def dead_pixels(rng: np.random.Generator, shape: tuple[int, int], share: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw the pixels that do not answer to the scene.

    Args:
        rng: of the camera; every shot has the same ones.
        shape: (H, W).
        share: of all pixels.

    Returns:
        (H, W) bool, and how many K from the room each of them shows when it is stuck, (D,) float32 in the mask's order.
    """
    order = rng.permutation(shape[0] * shape[1])
    mask = np.zeros(order.size, bool)
    mask[order[: round(share * order.size)]] = True
    stuck = rng.normal(0.0, STUCK_KELVIN, np.count_nonzero(mask)).astype(np.float32)
    return mask.reshape(shape), stuck


class Detector:
    """One camera's detector, ready for shots: what is the same in all of them is drawn once."""

    def __init__(self, camera: Camera) -> None:
        """Draw the camera's pattern and its dead pixels."""
        self._camera = camera
        shape = camera.native_pixels[::-1]
        kelvin = (camera.pixel_pattern_kelvin, camera.row_pattern_kelvin, camera.column_pattern_kelvin)
        self._pattern = fixed_pattern(of_camera(camera.seed, Stream.PATTERN), shape, *kelvin)
        self._dead, self._stuck = dead_pixels(of_camera(camera.seed, Stream.DEAD_PIXELS), shape, camera.dead_share)

    def expose(self, celsius: np.ndarray, ambient_celsius: float, image_id: str) -> np.ndarray:
        """Read the detector.

        Args:
            celsius: (H, W) float32 °C, what falls on it.
            ambient_celsius: the room's and the camera's temperature, about which a wrong gain turns.
            image_id: id of the shot.

        Returns:
            (H, W) float32 °C.
        """
        camera = self._camera
        drift = of_exposure(camera.seed, Stream.DRIFT, image_id, ambient_celsius).standard_normal(2)
        gain, offset = drift * (camera.gain_drift, camera.offset_drift_kelvin)
        noise = of_exposure(camera.seed, Stream.NOISE, image_id, ambient_celsius)
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
