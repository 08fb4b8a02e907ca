"""What lies under every pixel of a rendered face: all that the temperature truth may know about the image."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class SurfaceBuffer:
    """The visible surface, pixel by pixel (H, W); the pixel (0, 0) has its centre at (0.0, 0.0).

    Attributes:
        classes: (H, W) uint8 FaceSynthetics ids, exactly what goes to ``{id}_seg.png``.
        rest_position: (H, W, 3) float32 cm in the head frame of the template, before identity and expression move the
            surface: x to the subject's left (image right in a frontal view), y up, z out of the face, origin midway
            between the ears. NaN on background.
        facing: (H, W) float32 cosine between the outward normal and the view ray, 0..1; 0 on background.
        lens: (H, W) bool, glasses (a frame, a transparent or an opaque lens) cover the pixel. The class map keeps the
            class behind a transparent lens.
    """

    classes: np.ndarray
    rest_position: np.ndarray
    facing: np.ndarray
    lens: np.ndarray
