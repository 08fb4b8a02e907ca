"""Sets of paired and thermal images that the tests make themselves, as folders and zips."""

import io
import zipfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

HEIGHT, WIDTH = 20, 30


def visible(seed: int = 0) -> np.ndarray:
    """(H, W, 3) uint8."""
    return np.random.default_rng(seed).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def gray(seed: int = 1) -> np.ndarray:
    """(H, W) uint8."""
    return np.random.default_rng(seed).integers(0, 255, (HEIGHT, WIDTH), dtype=np.uint8)


def celsius(seed: int = 2) -> np.ndarray:
    """(H, W) float32, degrees Celsius."""
    return np.random.default_rng(seed).uniform(20, 36, (HEIGHT, WIDTH)).astype(np.float32)


def encode(image: np.ndarray, suffix: str) -> bytes:
    """The bytes of an RGB, gray or float image in the format of a suffix, float ``.tiff`` and ``.npy`` included."""
    buffer = io.BytesIO()
    if suffix == ".npy":
        np.save(buffer, image)
    elif suffix in (".tif", ".tiff"):
        Image.fromarray(image).save(buffer, "TIFF")
    else:
        return cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image)[1].tobytes()
    return buffer.getvalue()


def write_set(folder: Path, files: dict[str, np.ndarray | str | bytes]) -> Path:
    """Write images, texts and bytes into a folder, by their name in it."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, np.ndarray):
            content = encode(content, path.suffix.lower())
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def zipped(folder: Path) -> Path:
    """The same as a zip, beside the folder."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
    return path


def same(folder: Path) -> Path:
    """The folder itself: the other of the two ways to hand over a set."""
    return folder
