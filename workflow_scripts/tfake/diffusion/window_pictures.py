"""Temperatures as pictures for a model of pictures, and back: three equal channels in -1..1 over a fixed window.

The window is that of T-FAKE's files, so that what comes back is written as such a file, and imported as a variant.
"""

from pathlib import Path

import cv2
import numpy as np

from tfake.core.files import write_whole

#: Lowest and highest temperature of a picture, °C: black and white.
WINDOW_CELSIUS = (20.0, 40.0)
_SHEET_COLUMNS = 4


def to_picture(celsius: np.ndarray) -> np.ndarray:
    """Temperatures as a model sees them.

    Args:
        celsius: (H, W) °C; what lies beyond the window is clipped, what is NaN becomes black.

    Returns:
        (3, H, W) float32 in -1..1.
    """
    low, high = WINDOW_CELSIUS
    gray = np.clip((np.nan_to_num(celsius, nan=low) - low) / (high - low), 0.0, 1.0)
    return np.repeat((2 * gray - 1).astype(np.float32)[None], 3, axis=0)


def rgb_to_picture(rgb: np.ndarray) -> np.ndarray:
    """A visible image as a model sees it: (H, W, 3) uint8 to (3, H, W) float32 in -1..1."""
    return np.ascontiguousarray(np.moveaxis(rgb, -1, 0), np.float32) / 127.5 - 1.0


def to_celsius(picture: np.ndarray) -> np.ndarray:
    """Temperatures of a picture: (3, H, W) in -1..1 to (H, W) float32 °C within the window; channels are averaged."""
    low, high = WINDOW_CELSIUS
    gray = np.clip((picture.astype(np.float32).mean(axis=0) + 1) / 2, 0.0, 1.0)
    return (low + (high - low) * gray).astype(np.float32)


def resize_celsius(celsius: np.ndarray, pixels: int) -> np.ndarray:
    """A square image in another size: (H, H) to (pixels, pixels); interpolated, or averaged where it shrinks."""
    if celsius.shape[0] == pixels:
        return celsius
    how = cv2.INTER_AREA if celsius.shape[0] > pixels else cv2.INTER_LINEAR
    return cv2.resize(celsius, (pixels, pixels), interpolation=how)


def write_gray(path: str | Path, celsius: np.ndarray, bits: int) -> None:
    """Write an image over the window as a gray PNG of 8 or 16 bits."""
    low, high = WINDOW_CELSIUS
    full = 2**bits - 1
    gray = np.rint(np.clip((celsius - low) / (high - low), 0, 1) * full).astype(f"uint{bits}")
    content = cv2.imencode(".png", gray)[1].tobytes()
    write_whole(str(path), lambda part: Path(part).write_bytes(content))


def write_sheet(path: str | Path, images: list[np.ndarray]) -> None:
    """Write some images of one size, (H, W) °C, beside one another as one 8-bit gray PNG."""
    blank = np.full_like(images[0], WINDOW_CELSIUS[0])
    columns = min(_SHEET_COLUMNS, len(images))
    padded = images + [blank] * (-len(images) % columns)
    rows = [np.hstack(padded[start : start + columns]) for start in range(0, len(padded), columns)]
    write_gray(path, np.vstack(rows), 8)
