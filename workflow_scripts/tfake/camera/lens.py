"""What a good camera adds to a generated image: the blur of its optics and the noise of its detector.

Generated images have the class map's edges and no noise; no real image has. This is not the camera of a recorded
variant (:mod:`tfake.camera.recording`), which has a detector, a frame and faults of its own.
"""

from dataclasses import dataclass

import numpy as np

from tfake.camera.detector import RngStream, exposure_rng
from tfake.core.sensor import blur

#: The width of an image, in pixels, that the blur's standard deviation is given for.
REFERENCE_PIXELS = 512


@dataclass(frozen=True)
class Lens:
    """A lens and the detector behind it.

    Attributes:
        blur_pixels: standard deviation of the Gaussian point spread, in pixels of an image 512 wide.
        netd_kelvin: standard deviation of the temporal noise.
    """

    blur_pixels: float
    netd_kelvin: float

    def look(self, celsius: np.ndarray, image_id: str, seed: int, ambient_celsius: float) -> np.ndarray:
        """Look at an image.

        Args:
            celsius: (H, W) float32 °C.
            image_id: the noise follows from (seed, image id, ambient).
            seed: of the noise.
            ambient_celsius: temperature of the room.

        Returns:
            (H, W) float32 °C.
        """
        seen = blur(celsius, self.blur_pixels * celsius.shape[1] / REFERENCE_PIXELS)
        noise = exposure_rng(seed, RngStream.LENS_NOISE, image_id, ambient_celsius)
        seen += noise.standard_normal(celsius.shape, dtype=np.float32) * np.float32(self.netd_kelvin)
        return seen
