"""What the landmarker takes for an image, and how it becomes what the network sees."""

from pathlib import Path

import cv2
import numpy as np

from tfake.radiometry import decode_counts

MODES = ("auto", "temperature", "pixel")
#: The temperatures that black and white stand for, the same for every image: T-FAKE's encoding.
WINDOW_CELSIUS = (20.0, 40.0)
# Radiometric images of people hold nothing beyond: counts of another convention do.
_BELIEVABLE_CELSIUS = (-60.0, 200.0)


def as_network_sees(image: np.ndarray, mode: str = "auto") -> np.ndarray:
    """Turn an image into three channels in 0..1.

    Args:
        image: temperatures, (H, W) float in °C or uint16 counts of 0.01 K (FLIR TLinear); or pixels, (H, W) or (H, W,
            3) uint8, three channels in OpenCV's order (BGR), as its video frames are.
        mode: ``auto`` takes float and uint16 for temperatures and uint8 for pixels; ``temperature`` insists on the
            former; ``pixel`` takes any gray or colour image, float and uint16 by their own full range 0..255 and
            0..65535.

    Returns:
        (H, W, 3) float32 in 0..1. Temperatures are cut to 20..40 °C and nothing else: the same skin is as bright in
        every image. NaN is 20 °C.

    Raises:
        ValueError: an unknown mode, shape or type, or counts that are no temperatures.
    """
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}; found {mode!r}")
    image = np.asarray(image)
    gray = image.ndim == 2
    if (not gray and (image.ndim != 3 or image.shape[2] != 3)) or 0 in image.shape:
        raise ValueError(f"an image is (H, W) or (H, W, 3); found {image.shape}")
    radiometric = gray and (image.dtype == np.uint16 or np.issubdtype(image.dtype, np.floating))
    if mode == "temperature" and not radiometric:
        raise ValueError(f"temperatures are (H, W) float in °C or uint16 counts; found {image.dtype} of {image.shape}")
    if radiometric and mode != "pixel":
        return np.repeat(_window(image)[..., None], 3, axis=2)
    full = 65535.0 if image.dtype == np.uint16 else 255.0
    if image.dtype not in (np.uint8, np.uint16) and not np.issubdtype(image.dtype, np.floating):
        raise ValueError(f"pixels are uint8, uint16 or float; found {image.dtype}")
    values = np.clip(np.nan_to_num(image.astype(np.float32)) / full, 0.0, 1.0)
    return np.repeat(values[..., None], 3, axis=2) if gray else np.ascontiguousarray(values[..., ::-1])


def _window(image: np.ndarray) -> np.ndarray:
    celsius = decode_counts(image) if image.dtype == np.uint16 else image.astype(np.float32)
    middle = np.nanmedian(celsius) if np.isfinite(celsius).any() else np.nan
    if not _BELIEVABLE_CELSIUS[0] <= middle <= _BELIEVABLE_CELSIUS[1]:
        raise ValueError(
            f"half of the image is above {middle:.0f} °C: these are no temperatures (counts are 0.01 K, "
            "°C = raw / 100 - 273.15). Convert them, or pass mode='pixel'"
        )
    low, high = WINDOW_CELSIUS
    return np.clip((np.nan_to_num(celsius, nan=low) - low) / (high - low), 0.0, 1.0).astype(np.float32)


def read_image(path: str | Path) -> np.ndarray:
    """Read an image file with its own depth.

    Args:
        path: PNG, TIFF, JPEG or whatever OpenCV reads, or ``.npy`` with temperatures.

    Returns:
        As ``as_network_sees`` takes it.

    Raises:
        FileNotFoundError: no such file.
        ValueError: it cannot be read.
    """
    path = Path(path)
    data = path.read_bytes()
    if path.suffix == ".npy":
        try:
            return np.load(path, allow_pickle=False)
        except EOFError as error:
            raise ValueError(f"{path}: {error}") from error
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    if image is None:
        raise ValueError(f"{path}: no image that OpenCV can read")
    return image[..., :3] if image.ndim == 3 else image
