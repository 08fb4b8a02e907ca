"""What every export is made of: usable faces in order, read shard by shard, and their images as PNG."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from tfake.dataset.dataset import FaceDataset
from tfake.dataset.face import ThermalFace
from tfake.radiometry import encode_celsius

#: Faces in memory at once.
_BATCH = 64
#: From the stores' points, whose pixel centres are at integers, to formats that measure from the image's corner.
CORNER = 0.5


def iterate_faces(dataset: FaceDataset) -> Iterator[ThermalFace]:
    """The faces of a dataset in order, of which few are in memory at once."""
    for start in range(0, len(dataset), _BATCH):
        yield from dataset.batch(range(start, min(start + _BATCH, len(dataset))))


def thermal_pixels(face: ThermalFace) -> np.ndarray:
    """The one thermal image of a face as it is stored: (H, W) uint16 counts of 0.01 K, or uint8 grey values."""
    (pixels,) = face.thermal.values()
    return pixels if pixels.dtype == np.uint8 else encode_celsius(pixels)


def png(pixels: np.ndarray) -> bytes:
    """A lossless PNG of a (H, W) uint8 or uint16 image."""
    return cv2.imencode(".png", pixels)[1].tobytes()


def rgb_png(rgb: np.ndarray) -> bytes:
    """A lossless PNG of a (H, W, 3) uint8 RGB image."""
    return png(cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


def has_mesh(face: ThermalFace) -> bool:
    """Whether the 478 points are there."""
    return bool(np.isfinite(face.landmarks_478).all())


def write_points(path: Path, points: np.ndarray) -> None:
    """Write (n, 2) points as FaceSynthetics does: a line each, pixels from the image's corner."""
    path.write_text("".join(f"{x:.3f} {y:.3f}\n" for x, y in points.astype(np.float64) + CORNER))
