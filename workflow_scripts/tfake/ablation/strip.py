"""A strip of pictures: some faces' temperatures side by side, for the eye."""

from collections.abc import Iterable
from itertools import islice

import cv2
import numpy as np

from tfake.ablation.scores import SSIM_CELSIUS, Face
from tfake.radiometry import decode_counts
from tfake.thermalizer.inference import Thermalizer

STRIP_FACES = 8
STRIP_PIXELS = 160


def draw_strip(thermalizer: Thermalizer, faces: Iterable[Face], count: int, ambient_celsius: float) -> np.ndarray:
    """Thermalize a few faces and lay them side by side.

    Args:
        thermalizer: the network.
        faces: the set, in order.
        count: how many faces the set has; those drawn are spread evenly over it.
        ambient_celsius: the room.

    Returns:
        (3 or 2 times ``STRIP_PIXELS``, W) uint8 gray: the source above its temperatures, ``SSIM_CELSIUS`` from black to
        white, above the expected truth where it is known.
    """
    every = max(1, count // STRIP_FACES)
    columns = []
    drawn = list(islice(faces, 0, every * STRIP_FACES, every))
    made = thermalizer.thermalize_each(((face.rgb, face.classes) for face in drawn), ambient_celsius)
    for face, celsius in zip(drawn, made, strict=True):
        rows = [cv2.cvtColor(face.rgb, cv2.COLOR_RGB2GRAY), _shade(celsius)]
        if face.expected is not None:
            rows.append(_shade(decode_counts(face.expected)))
        size = (STRIP_PIXELS, STRIP_PIXELS)
        columns.append(np.vstack([cv2.resize(row, size, interpolation=cv2.INTER_AREA) for row in rows]))
    return np.hstack(columns)


def _shade(celsius: np.ndarray) -> np.ndarray:
    low, high = SSIM_CELSIUS
    return (np.clip((celsius - low) / (high - low), 0, 1) * 255).round().astype(np.uint8)
