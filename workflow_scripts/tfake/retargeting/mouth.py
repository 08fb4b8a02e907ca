"""What comes to sight when lips part: the inside of the mouth, warm by the table and dark in visible light."""

import cv2
import numpy as np

from tfake.core.classes import FaceClass
from tfake.heat.tables import read_regions
from tfake.mesh.raster import signed_areas
from tfake.retargeting.cage import cage
from tfake.retargeting.mesh_warp import PixelMap
from tfake.retargeting.still import Still

#: A triangle between the lips that has grown by more than this factor shows what the still does not.
_GROWN = 1.3
#: Standard deviation, over the face's size, of the soft border of what is put in.
_SOFT = 0.004
#: The mouth's cavity in visible light: dark red.
CAVITY_RGB = (52.0, 18.0, 18.0)
_OPENING = 0


def mouth_celsius(tables: str, ambient_celsius: float) -> float:
    """Temperature of the mouth's inside in a room (°C), from a set of the model's tables."""
    lines = read_regions(tables)
    return float(lines.celsius(ambient_celsius)[lines.names.index("mouth_interior")])


def parted(still: Still, moved: np.ndarray, pixels: PixelMap, classes: np.ndarray) -> np.ndarray:
    """Where lips have parted and something is to be put in.

    Where the still's mouth is open already, its own inside is taken along and stays.

    Args:
        still: the still.
        moved: (n, 2) its cage after the motion.
        pixels: the motion's map.
        classes: (H, W) uint8 the still's class map, taken along.

    Returns:
        (H, W) bool.
    """
    triangles = cage().triangles
    growth = signed_areas(moved, triangles) / signed_areas(still.cage, triangles)
    shown = (cage().opening == _OPENING) & (growth > _GROWN)
    return shown[pixels.triangle] & (classes != FaceClass.MOUTH_INTERIOR)


def fill_mouth(image: np.ndarray, inside: np.ndarray, value: float | tuple[float, ...], size: float) -> np.ndarray:
    """Put a value into a picture where lips have parted, with a soft border.

    Args:
        image: (H, W) float32 °C, or (H, W, 3) uint8 RGB.
        inside: (H, W) bool.
        value: °C or RGB.
        size: of the face, pixels.
    """
    if not inside.any():
        return image
    part = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), max(_SOFT * size, 0.3))
    part = part if image.ndim == 2 else part[..., None]
    mixed = image + part * (np.asarray(value, np.float32) - image)
    return np.rint(mixed).astype(np.uint8) if image.dtype == np.uint8 else mixed.astype(np.float32)
